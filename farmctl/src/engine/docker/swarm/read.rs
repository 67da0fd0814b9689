//! Services, tasks and nodes as a manager shows them, turned back into our own types: here all the ways in which it says
//! the same thing become one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use bollard::models::{
    EndpointPortConfigPublishModeEnum, EndpointSpec, Mount as EngineMount, MountType, Node,
    NodeSpecAvailabilityEnum, NodeState, Service, ServiceSpec,
    ServiceSpecUpdateConfigFailureActionEnum as FailureAction,
    ServiceSpecUpdateConfigOrderEnum as Order, ServiceUpdateStatus,
    ServiceUpdateStatusStateEnum as UpdateState, Task, TaskSpec, TaskSpecContainerSpec,
    TaskSpecRestartPolicyConditionEnum as Condition, TaskState as EngineTaskState,
};

use super::super::super::{LiveNode, LiveService, LiveTask, LiveUpdate, TaskState, labels};
use super::super::inspect::{capabilities, health_check};
use crate::farm::{
    Attachment, ImageTag, Mount, Restart, ServiceShape, Shape, UpdateOrder, service_health,
};

/// Names of networks, by the swarm's ids of them.
pub(super) type NetworkNames = BTreeMap<String, String>;

pub(super) fn service(service: Service, tasks: Vec<Task>, networks: &NetworkNames) -> LiveService {
    let spec = service.spec.unwrap_or_default();
    let shape = shape(&spec, networks);
    let template = spec.task_template.unwrap_or_default();
    let read = labels::read(&shape.container.labels);
    LiveService {
        name: spec.name.unwrap_or_default(),
        target: read.target,
        role: read.role,
        slots: read.slots,
        gcc: read.gcc,
        shape,
        update: update(service.update_status),
        tasks: tasks
            .into_iter()
            .map(|found| task(found, &template))
            .collect(),
    }
}

fn shape(spec: &ServiceSpec, networks: &NetworkNames) -> ServiceShape {
    let template = spec.task_template.clone().unwrap_or_default();
    let update = spec.update_config.clone().unwrap_or_default();
    let container = template.container_spec.clone().unwrap_or_default();
    let placement = template.placement.clone().unwrap_or_default();
    ServiceShape {
        container_labels: container
            .labels
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        container: container_shape(spec, &template, &container, networks),
        constraints: placement.constraints.into_iter().flatten().collect(),
        order: match update.order {
            Some(Order::START_FIRST) => UpdateOrder::StartFirst,
            _ => UpdateOrder::StopFirst,
        },
        parallelism: update.parallelism.unwrap_or_default(),
        rolls_back: update.failure_action == Some(FailureAction::ROLLBACK),
    }
}

fn container_shape(
    spec: &ServiceSpec,
    template: &TaskSpec,
    container: &TaskSpecContainerSpec,
    networks: &NetworkNames,
) -> Shape {
    let limits = template
        .resources
        .clone()
        .and_then(|resources| resources.limits)
        .unwrap_or_default();
    let memory = limits.memory_bytes.unwrap_or_default();
    let swap = template
        .resources
        .as_ref()
        .and_then(|resources| resources.swap_bytes);
    let privileges = container.privileges.clone().unwrap_or_default();
    let locked = privileges.no_new_privileges == Some(true);
    let log = template.log_driver.clone().unwrap_or_default();
    let (volumes, memories) = mounts(container);
    Shape {
        image: ImageTag::new(container.image.clone().unwrap_or_default()),
        entrypoint: container.command.clone().unwrap_or_default(),
        command: container.args.clone().unwrap_or_default(),
        user: container.user.clone().unwrap_or_default(),
        working_directory: container.dir.clone().unwrap_or_default(),
        hostname: container.hostname.clone(),
        environment: container.env.iter().flatten().cloned().collect(),
        labels: spec
            .labels
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        network: network(template, networks),
        ports: ports(spec.endpoint_spec.as_ref()),
        mounts: volumes,
        memory,
        memory_swap: swap.map_or(0, |swap| memory.saturating_add(swap)),
        nano_cpus: limits.nano_cpus.unwrap_or_default(),
        processes: limits.pids.unwrap_or_default(),
        oom_score_adjustment: container.oom_score_adj.unwrap_or_default(),
        ulimits: container
            .ulimits
            .iter()
            .flatten()
            .filter_map(|limit| {
                Some((
                    limit.name.clone()?,
                    (
                        limit.soft.unwrap_or_default(),
                        limit.hard.unwrap_or_default(),
                    ),
                ))
            })
            .collect(),
        restart: match template
            .restart_policy
            .as_ref()
            .and_then(|policy| policy.condition)
        {
            Some(Condition::NONE) => Restart::No,
            Some(Condition::ON_FAILURE) => Restart::OnFailure,
            _ => Restart::Always,
        },
        read_only: container.read_only.unwrap_or_default(),
        tmpfs: memories,
        dropped_capabilities: capabilities(container.capability_drop.clone()),
        security: locked
            .then(|| "no-new-privileges".to_owned())
            .into_iter()
            .collect(),
        stop_seconds: container.stop_grace_period.unwrap_or_default() / 1_000_000_000,
        health: health(container),
        log: (
            log.name.unwrap_or_default(),
            log.options.unwrap_or_default().into_iter().collect(),
        ),
        foreign: foreign(spec, template, container),
    }
}

/// Engines write `Healthcheck` where the client library looks for `HealthCheck`, so it sees none. What a service of
/// farmctl's was made with follows from its command.
fn health(container: &TaskSpecContainerSpec) -> Option<crate::farm::HealthCheck> {
    match &container.health_check {
        Some(check) => health_check(Some(check.clone())),
        None => service_health(container.args.as_deref().unwrap_or_default()),
    }
}

/// Options that farmctl never uses.
fn foreign(
    spec: &ServiceSpec,
    template: &TaskSpec,
    container: &TaskSpecContainerSpec,
) -> BTreeSet<String> {
    let is_global = spec.mode.as_ref().is_some_and(|mode| mode.global.is_some());
    let some = |list: Option<usize>| list.is_some_and(|length| length > 0);
    let placement = template.placement.clone().unwrap_or_default();
    let in_mesh = |endpoint: &EndpointSpec| {
        let mut ports = endpoint.ports.iter().flatten();
        ports.any(|port| port.publish_mode != Some(EndpointPortConfigPublishModeEnum::HOST))
    };
    [
        ("mode", !is_global),
        (
            "ports of the mesh",
            spec.endpoint_spec.as_ref().is_some_and(in_mesh),
        ),
        ("secrets", some(container.secrets.as_ref().map(Vec::len))),
        ("configs", some(container.configs.as_ref().map(Vec::len))),
        (
            "added capabilities",
            some(container.capability_add.as_ref().map(Vec::len)),
        ),
        (
            "sysctls",
            some(
                container
                    .sysctls
                    .as_ref()
                    .map(std::collections::HashMap::len),
            ),
        ),
        ("groups", some(container.groups.as_ref().map(Vec::len))),
        ("extra hosts", some(container.hosts.as_ref().map(Vec::len))),
        ("terminal", container.tty == Some(true)),
        (
            "preferences",
            some(placement.preferences.as_ref().map(Vec::len)),
        ),
    ]
    .into_iter()
    .filter(|(_, is_set)| *is_set)
    .map(|(name, _)| name.to_owned())
    .collect()
}

fn network(template: &TaskSpec, networks: &NetworkNames) -> Attachment {
    let attached: Vec<_> = template
        .networks
        .iter()
        .flatten()
        .filter_map(|network| network.target.as_ref())
        .collect();
    match attached.as_slice() {
        [] => Attachment::Nothing,
        [only] => match networks.get(*only) {
            Some(name) if name == "host" => Attachment::Host,
            Some(name) => Attachment::Network(name.clone()),
            None => Attachment::Other((*only).clone()),
        },
        _several => Attachment::Other("several".to_owned()),
    }
}

fn ports(endpoint: Option<&EndpointSpec>) -> BTreeMap<String, BTreeSet<SocketAddr>> {
    let mut published: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for port in endpoint
        .into_iter()
        .flat_map(|endpoint| endpoint.ports.iter().flatten())
    {
        let number = |number: Option<i64>| number.and_then(|number| u16::try_from(number).ok());
        let protocol = port.protocol.map(|protocol| protocol.to_string());
        let name = format!(
            "{}/{}",
            port.target_port.unwrap_or_default(),
            protocol.unwrap_or_else(|| "tcp".to_owned())
        );
        let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let address = SocketAddr::new(everywhere, number(port.published_port).unwrap_or_default());
        published.entry(name).or_default().insert(address);
    }
    published
}

type Mounts = (BTreeMap<String, Mount>, BTreeMap<String, BTreeSet<String>>);

/// Volumes and what else has a source, and memory file systems.
fn mounts(container: &TaskSpecContainerSpec) -> Mounts {
    let mut mounts = Mounts::default();
    for mount in container.mounts.iter().flatten() {
        let place = mount.target.clone().unwrap_or_default();
        if mount.typ == Some(MountType::TMPFS) {
            mounts.1.insert(place, memory_options(mount));
        } else {
            let source = mount.source.clone().unwrap_or_default();
            let source = match mount.typ {
                Some(MountType::VOLUME) if is_door(mount) => source,
                Some(kind) => format!("{kind}:{source}"),
                None => source,
            };
            let read_only = mount.read_only == Some(true);
            mounts.0.insert(place, Mount { source, read_only });
        }
    }
    mounts
}

/// A volume with the options of a door's directory.
fn is_door(mount: &EngineMount) -> bool {
    let driver = mount
        .volume_options
        .as_ref()
        .and_then(|options| options.driver_config.as_ref());
    let options = driver
        .and_then(|driver| driver.options.clone())
        .unwrap_or_default();
    options.into_iter().collect::<BTreeMap<_, _>>() == crate::farm::volume_options()
}

fn memory_options(mount: &EngineMount) -> BTreeSet<String> {
    let options = mount.tmpfs_options.clone().unwrap_or_default();
    let size = options
        .size_bytes
        .filter(|size| *size != 0)
        .map(|size| format!("size={size}"));
    let mode = options.mode.map(|mode| format!("mode={mode:o}"));
    size.into_iter().chain(mode).collect()
}

fn update(status: Option<ServiceUpdateStatus>) -> LiveUpdate {
    let status = status.unwrap_or_default();
    match status.state {
        Some(UpdateState::UPDATING | UpdateState::ROLLBACK_STARTED) => LiveUpdate::Going,
        Some(
            UpdateState::PAUSED | UpdateState::ROLLBACK_PAUSED | UpdateState::ROLLBACK_COMPLETED,
        ) => LiveUpdate::Failed(status.message.unwrap_or_default()),
        _ => LiveUpdate::Settled,
    }
}

fn task(task: Task, template: &TaskSpec) -> LiveTask {
    let status = task.status.unwrap_or_default();
    let state = match status.state {
        Some(EngineTaskState::RUNNING) => TaskState::Running,
        Some(EngineTaskState::STARTING) => TaskState::Starting,
        Some(
            EngineTaskState::COMPLETE
            | EngineTaskState::SHUTDOWN
            | EngineTaskState::FAILED
            | EngineTaskState::REJECTED
            | EngineTaskState::REMOVE
            | EngineTaskState::ORPHANED,
        ) => TaskState::Ended,
        _ => TaskState::Coming,
    };
    let is_wanted = matches!(
        task.desired_state,
        Some(EngineTaskState::READY | EngineTaskState::RUNNING)
    );
    LiveTask {
        id: task.id.unwrap_or_default(),
        node: task.node_id.unwrap_or_default(),
        is_wanted,
        is_current: task.spec.is_some_and(|spec| is_made_from(spec, template)),
        state,
        error: status.err.filter(|error| !error.is_empty()),
        age: since(status.timestamp.as_deref()),
    }
}

/// Where a service may run is no part of what its tasks are, and tasks do not say what runs them.
fn is_made_from(task: TaskSpec, template: &TaskSpec) -> bool {
    let bare = |spec: TaskSpec| TaskSpec {
        placement: None,
        runtime: None,
        ..spec
    };
    bare(task) == bare(template.clone())
}

fn since(time: Option<&str>) -> Duration {
    let time = time.and_then(|time| humantime::parse_rfc3339(time).ok());
    let passed = time.and_then(|time| SystemTime::now().duration_since(time).ok());
    passed.unwrap_or_default()
}

pub(super) fn node(node: Node) -> LiveNode {
    let description = node.description.unwrap_or_default();
    let resources = description.resources.unwrap_or_default();
    let status = node.status.unwrap_or_default();
    let parsed = |text: &str| {
        text.parse::<IpAddr>()
            .ok()
            .filter(|address| !address.is_unspecified())
    };
    let as_manager = node.manager_status.and_then(|manager| manager.addr);
    let as_manager = as_manager.and_then(|address| address.parse::<SocketAddr>().ok());
    let address = status.addr.as_deref().and_then(parsed);
    let spec = node.spec.unwrap_or_default();
    LiveNode {
        id: node.id.unwrap_or_default(),
        hostname: description.hostname.unwrap_or_default(),
        address: address.or_else(|| as_manager.map(|address| address.ip())),
        is_ready: status.state == Some(NodeState::READY),
        is_active: spec.availability == Some(NodeSpecAvailabilityEnum::ACTIVE),
        processors: resources
            .nano_cpus
            .and_then(|nanos| u32::try_from(nanos / 1_000_000_000).ok())
            .unwrap_or_default()
            .max(1),
        machine: description
            .platform
            .and_then(|platform| platform.architecture)
            .unwrap_or_default(),
    }
}
