//! A shape, in the words with which an engine is asked for a container.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount as EngineMount,
    MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig, PortBinding, PortMap,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use super::volumes;
use crate::farm::{Attachment, HealthCheck, Restart, Shape, volume_options};

pub(super) fn body(shape: &Shape) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(shape.image.to_string()),
        entrypoint: Some(shape.entrypoint.clone()),
        cmd: Some(shape.command.clone()),
        user: Some(shape.user.clone()),
        working_dir: Some(shape.working_directory.clone()),
        hostname: shape.hostname.clone(),
        env: Some(shape.environment.iter().cloned().collect()),
        labels: Some(shape.labels.clone().into_iter().collect()),
        exposed_ports: Some(shape.ports.keys().cloned().collect()),
        stop_timeout: Some(shape.stop_seconds),
        healthcheck: Some(health_check(shape)),
        host_config: Some(host_config(shape)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(shape: &Shape) -> HostConfig {
    // Engines take 0 for "no limit" and -1 for "not limited though memory is".
    HostConfig {
        network_mode: Some(network_mode(&shape.network)),
        port_bindings: Some(port_bindings(shape)),
        mounts: Some(mounts(shape)),
        memory: Some(shape.memory),
        memory_swap: Some(shape.memory_swap),
        nano_cpus: Some(shape.nano_cpus),
        pids_limit: (shape.processes != 0).then_some(shape.processes),
        oom_score_adj: Some(shape.oom_score_adjustment),
        ulimits: Some(ulimits(shape)),
        restart_policy: Some(restart_policy(shape.restart)),
        readonly_rootfs: Some(shape.read_only),
        tmpfs: Some(tmpfs(shape)),
        cap_drop: Some(shape.dropped_capabilities.iter().cloned().collect()),
        security_opt: Some(
            shape
                .security
                .iter()
                .map(|option| format!("{option}:true"))
                .collect(),
        ),
        log_config: Some(HostConfigLogConfig {
            typ: Some(shape.log.0.clone()),
            config: Some(shape.log.1.clone().into_iter().collect()),
        }),
        ..HostConfig::default()
    }
}

fn network_mode(network: &Attachment) -> String {
    match network {
        Attachment::Nothing => "none".to_owned(),
        Attachment::Host => "host".to_owned(),
        Attachment::Network(name) | Attachment::Other(name) => name.clone(),
    }
}

fn port_bindings(shape: &Shape) -> PortMap {
    let bindings = |(port, addresses): (&String, &std::collections::BTreeSet<_>)| {
        let bindings: Vec<_> = addresses
            .iter()
            .map(|address: &std::net::SocketAddr| PortBinding {
                host_ip: Some(address.ip().to_string()),
                host_port: Some(address.port().to_string()),
            })
            .collect();
        (port.clone(), Some(bindings))
    };
    shape.ports.iter().map(bindings).collect()
}

/// A volume that went away meanwhile is made with the container, as the directory of a door.
pub(super) fn mounts(shape: &Shape) -> Vec<EngineMount> {
    let labels = volumes::own_labels(shape);
    let mount = |(target, mount): (&String, &crate::farm::Mount)| EngineMount {
        target: Some(target.clone()),
        source: Some(mount.source.clone()),
        typ: Some(MountType::VOLUME),
        read_only: Some(mount.read_only),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(true),
            labels: Some(labels.clone()),
            driver_config: Some(MountVolumeOptionsDriverConfig {
                name: Some("local".to_owned()),
                options: Some(volume_options().into_iter().collect()),
            }),
            ..MountVolumeOptions::default()
        }),
        ..EngineMount::default()
    };
    shape.mounts.iter().map(mount).collect()
}

pub(super) fn ulimits(shape: &Shape) -> Vec<ResourcesUlimits> {
    let limit = |(name, (soft, hard)): (&String, &(i64, i64))| ResourcesUlimits {
        name: Some(name.clone()),
        soft: Some(*soft),
        hard: Some(*hard),
    };
    shape.ulimits.iter().map(limit).collect()
}

pub(super) fn restart_policy(restart: Restart) -> RestartPolicy {
    RestartPolicy {
        name: Some(match restart {
            Restart::No => RestartPolicyNameEnum::NO,
            Restart::OnFailure => RestartPolicyNameEnum::ON_FAILURE,
            Restart::Always => RestartPolicyNameEnum::ALWAYS,
            Restart::UnlessStopped => RestartPolicyNameEnum::UNLESS_STOPPED,
        }),
        maximum_retry_count: None,
    }
}

fn tmpfs(shape: &Shape) -> HashMap<String, String> {
    let joined = |options: &std::collections::BTreeSet<String>| {
        options.iter().cloned().collect::<Vec<_>>().join(",")
    };
    shape
        .tmpfs
        .iter()
        .map(|(place, options)| (place.clone(), joined(options)))
        .collect()
}

/// `NONE` switches off a check that the image may bring along.
pub(super) fn health_check(shape: &Shape) -> HealthConfig {
    check(shape.health.as_ref())
}

pub(super) fn check(check: Option<&HealthCheck>) -> HealthConfig {
    match check {
        None => HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        },
        Some(check) => HealthConfig {
            test: Some(check.test.clone()),
            interval: Some(check.interval),
            timeout: Some(check.timeout),
            retries: Some(check.retries),
            ..HealthConfig::default()
        },
    }
}
