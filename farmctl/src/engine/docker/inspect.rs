//! A container as the engine shows it, turned back into a shape: here all the ways in which engines say the same thing
//! (nothing, null and empty; `no` and no policy; options in any order) become one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, HealthConfig, HostConfig, MountPoint, PortMap,
    RestartPolicy, RestartPolicyNameEnum,
};
use serde_json::Value;

use super::image_names;
use crate::farm::{Attachment, HealthCheck, Mount, Restart, Shape};

pub(super) fn shape(container: &ContainerInspectResponse) -> Shape {
    let config = container.config.clone().unwrap_or_default();
    let host = container.host_config.clone().unwrap_or_default();
    let log = host.log_config.clone().unwrap_or_default();
    Shape {
        foreign: foreign(&config, &host),
        network: attachment(container, &host),
        image: image_names::plain(config.image.unwrap_or_default()),
        entrypoint: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        working_directory: config.working_dir.unwrap_or_default(),
        hostname: config.hostname,
        environment: config.env.unwrap_or_default().into_iter().collect(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        ports: ports(host.port_bindings.unwrap_or_default()),
        mounts: mounts(container.mounts.iter().flatten()),
        memory: host.memory.unwrap_or_default(),
        memory_swap: host.memory_swap.unwrap_or_default(),
        nano_cpus: host.nano_cpus.unwrap_or_default(),
        processes: host.pids_limit.unwrap_or_default().max(0),
        oom_score_adjustment: host.oom_score_adj.unwrap_or_default(),
        ulimits: host
            .ulimits
            .into_iter()
            .flatten()
            .filter_map(|limit| Some((limit.name?, (limit.soft?, limit.hard?))))
            .collect(),
        restart: restart(host.restart_policy.as_ref()),
        read_only: host.readonly_rootfs.unwrap_or_default(),
        tmpfs: host
            .tmpfs
            .into_iter()
            .flatten()
            .map(|(place, options)| (place, words(&options)))
            .collect(),
        dropped_capabilities: capabilities(host.cap_drop),
        security: host
            .security_opt
            .into_iter()
            .flatten()
            .map(|option| security(&option))
            .collect(),
        stop_seconds: config.stop_timeout.unwrap_or_default(),
        health: health_check(config.healthcheck),
        log: (
            log.typ.unwrap_or_default(),
            log.config.unwrap_or_default().into_iter().collect(),
        ),
    }
}

/// The network that it was made for, if it is in that one and no other.
fn attachment(container: &ContainerInspectResponse, host: &HostConfig) -> Attachment {
    let mode = host.network_mode.clone().unwrap_or_default();
    let networks = container
        .network_settings
        .as_ref()
        .and_then(|settings| settings.networks.as_ref());
    let names: Vec<&String> = networks
        .iter()
        .flat_map(|networks| networks.keys())
        .collect();
    match (mode.as_str(), names.as_slice()) {
        (mode, [only]) if *only != mode => Attachment::Other(format!("{mode} but {only}")),
        (mode, [] | [_]) => match (mode, names.is_empty()) {
            ("none", _) => Attachment::Nothing,
            ("host", _) => Attachment::Host,
            (mode, false) => Attachment::Network(mode.to_owned()),
            (mode, true) => Attachment::Other(format!("{mode} but none")),
        },
        (mode, _several) => Attachment::Other(format!("{mode} and others")),
    }
}

fn ports(bindings: PortMap) -> BTreeMap<String, BTreeSet<SocketAddr>> {
    let address = |binding: bollard::models::PortBinding| {
        let ip = binding.host_ip.and_then(|ip| ip.parse().ok());
        let port = binding.host_port.and_then(|port| port.parse().ok());
        SocketAddr::new(
            ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port.unwrap_or_default(),
        )
    };
    bindings
        .into_iter()
        .map(|(port, bindings)| (port, bindings.into_iter().flatten().map(address).collect()))
        .collect()
}

fn mounts<'a>(mounts: impl Iterator<Item = &'a MountPoint>) -> BTreeMap<String, Mount> {
    let source = |mount: &MountPoint| match (mount.typ.as_deref().unwrap_or_default(), &mount.name)
    {
        ("volume", Some(name)) => name.clone(),
        (kind, _) => format!("{kind}:{}", mount.source.as_deref().unwrap_or_default()),
    };
    mounts
        .map(|mount| {
            let seen = Mount {
                source: source(mount),
                read_only: mount.rw == Some(false),
            };
            (mount.destination.clone().unwrap_or_default(), seen)
        })
        .collect()
}

fn restart(policy: Option<&RestartPolicy>) -> Restart {
    match policy.and_then(|policy| policy.name) {
        None | Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO) => Restart::No,
        Some(RestartPolicyNameEnum::ALWAYS) => Restart::Always,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => Restart::UnlessStopped,
        Some(RestartPolicyNameEnum::ON_FAILURE) => Restart::OnFailure,
    }
}

fn words(options: &str) -> BTreeSet<String> {
    options
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Engines since 23 write `CAP_KILL` where others keep `kill`.
pub(super) fn capabilities(names: Option<Vec<String>>) -> BTreeSet<String> {
    let plain = |name: String| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix("CAP_").unwrap_or(&name).to_owned()
    };
    names.into_iter().flatten().map(plain).collect()
}

/// `no-new-privileges`, with `:true`, with `=true`.
fn security(option: &str) -> String {
    let bare = option
        .strip_suffix("true")
        .and_then(|rest| rest.strip_suffix([':', '=']));
    bare.unwrap_or(option).to_owned()
}

pub(super) fn health_check(check: Option<HealthConfig>) -> Option<HealthCheck> {
    let check = check?;
    let test = check.test.unwrap_or_default();
    if test.is_empty() || test == ["NONE"] {
        return None;
    }
    Some(HealthCheck {
        test,
        interval: check.interval.unwrap_or_default(),
        timeout: check.timeout.unwrap_or_default(),
        retries: check.retries.unwrap_or_default(),
    })
}

/// Options that farmctl leaves alone and that change what a container may do or use, by the API's names.
const LEFT_ALONE: [&str; 40] = [
    "AutoRemove",
    "BlkioDeviceReadBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceWriteIOps",
    "BlkioWeight",
    "BlkioWeightDevice",
    "CapAdd",
    "CgroupParent",
    "CpuPeriod",
    "CpuQuota",
    "CpuRealtimePeriod",
    "CpuRealtimeRuntime",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "Dns",
    "DnsOptions",
    "DnsSearch",
    "ExtraHosts",
    "GroupAdd",
    "Init",
    "Links",
    "MemoryReservation",
    "OomKillDisable",
    "OpenStdin",
    "PidMode",
    "Privileged",
    "PublishAllPorts",
    "StopSignal",
    "StorageOpt",
    "Sysctls",
    "Tty",
    "UTSMode",
    "UsernsMode",
    "VolumeDriver",
    "VolumesFrom",
];

fn foreign(config: &ContainerConfig, host: &HostConfig) -> BTreeSet<String> {
    let fields = |value: serde_json::Result<Value>| match value {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let set = |(name, value): &(String, Value)| {
        LEFT_ALONE.contains(&name.as_str()) && !is_nothing(value) && !is_default(name, value)
    };
    let mut names: BTreeSet<_> = fields(serde_json::to_value(host))
        .into_iter()
        .chain(fields(serde_json::to_value(config)))
        .filter(set)
        .map(|(name, _)| name)
        .collect();
    if host.ipc_mode.as_deref().is_some_and(shares_memory) {
        names.insert("IpcMode".to_owned());
    }
    names
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_set) => !is_set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn is_default(name: &str, value: &Value) -> bool {
    name == "StopSignal" && matches!(value.as_str(), Some("SIGTERM" | "15" | "TERM"))
}

/// Whether a container shares memory with the host or with another one.
fn shares_memory(mode: &str) -> bool {
    mode == "host" || mode.starts_with("container:")
}

#[cfg(test)]
mod tests;
