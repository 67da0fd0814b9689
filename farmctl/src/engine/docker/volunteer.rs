//! A volunteer's container, in the engine's words.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, PortBinding,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{CreateContainerOptions, CreateContainerOptionsBuilder};

use super::super::{labels, network_name};
use crate::farm::VolunteerSpec;

/// Processes of one job at the most: driver, compiler, assembler, and some room for the daemon itself.
const PROCESSES_PER_SLOT: i64 = 8;
const PROCESSES_OF_THE_DAEMON: i64 = 64;

const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
/// On a busy volunteer the check waits for a free slot, as every job does.
const HEALTH_TIMEOUT: Duration = Duration::from_mins(5);
const HEALTH_RETRIES: i64 = 3;

/// Positive values make the kernel prefer a volunteer to anything else on the machine when memory runs out.
const OOM_SCORE_ADJUSTMENT: i64 = 500;

pub(super) fn creation(spec: &VolunteerSpec) -> (CreateContainerOptions, ContainerCreateBody) {
    let options = CreateContainerOptionsBuilder::default()
        .name(&spec.container_name())
        .build();
    let body = ContainerCreateBody {
        image: Some(spec.image.to_string()),
        hostname: Some(spec.target.to_string()),
        cmd: Some(spec.command()),
        labels: Some(labels::of_volunteer(spec)),
        exposed_ports: Some(vec![tcp_port(spec)]),
        stop_timeout: i64::try_from(spec.stop_grace.as_secs()).ok(),
        healthcheck: Some(health_check(spec)),
        host_config: Some(posture(spec)),
        ..ContainerCreateBody::default()
    };
    (options, body)
}

/// Not root, nothing writable but a bounded `/tmp`, no capability, no way to gain one, limits on everything.
fn posture(spec: &VolunteerSpec) -> HostConfig {
    let memory = i64::try_from(spec.memory.bytes()).unwrap_or(i64::MAX);
    HostConfig {
        network_mode: Some(network_name(&spec.farm)),
        port_bindings: Some(published(spec)),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([("/tmp".to_owned(), scratch(spec))])),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        memory: Some(memory),
        memory_swap: Some(memory),
        pids_limit: Some(
            PROCESSES_OF_THE_DAEMON + PROCESSES_PER_SLOT * i64::from(spec.slots.count()),
        ),
        oom_score_adj: Some(OOM_SCORE_ADJUSTMENT),
        ulimits: Some(vec![ResourcesUlimits {
            name: Some("core".to_owned()),
            soft: Some(0),
            hard: Some(0),
        }]),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        log_config: Some(bounded_log()),
        ..HostConfig::default()
    }
}

fn tcp_port(spec: &VolunteerSpec) -> String {
    format!("{}/tcp", spec.port)
}

fn published(spec: &VolunteerSpec) -> HashMap<String, Option<Vec<PortBinding>>> {
    let binding = PortBinding {
        host_ip: Some(spec.publish.to_string()),
        host_port: Some(spec.port.to_string()),
    };
    HashMap::from([(tcp_port(spec), Some(vec![binding]))])
}

/// Scratch space counts as the container's memory; half of it leaves the other half to the compilers.
fn scratch(spec: &VolunteerSpec) -> String {
    format!(
        "rw,nosuid,nodev,noexec,mode=1777,size={}",
        spec.memory.bytes() / 2
    )
}

/// A real compile, whose object is checked: see the daemon's probe.
fn health_check(spec: &VolunteerSpec) -> HealthConfig {
    let port = spec.port.to_string();
    let nanoseconds = |time: Duration| i64::try_from(time.as_nanos()).ok();
    HealthConfig {
        test: Some(
            ["CMD", "/usr/bin/distccd", "--probe", &port]
                .map(str::to_owned)
                .to_vec(),
        ),
        interval: nanoseconds(HEALTH_INTERVAL),
        timeout: nanoseconds(HEALTH_TIMEOUT),
        retries: Some(HEALTH_RETRIES),
        ..HealthConfig::default()
    }
}

/// A volunteer writes a line for every job; without a bound that fills the disk in time.
fn bounded_log() -> HostConfigLogConfig {
    let options = [("max-size", "10m"), ("max-file", "3")];
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(
            options
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        ),
    }
}
