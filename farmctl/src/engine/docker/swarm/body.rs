//! A service's shape, in the words with which a manager is asked for it.

use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum,
    EndpointSpec, EndpointSpecModeEnum, Limit, Mount, MountTmpfsOptions, MountType,
    NetworkAttachmentConfig, ServiceSpec as Body, ServiceSpecMode, ServiceSpecUpdateConfig,
    ServiceSpecUpdateConfigFailureActionEnum as FailureAction,
    ServiceSpecUpdateConfigOrderEnum as Order, TaskSpec, TaskSpecContainerSpec,
    TaskSpecContainerSpecPrivileges, TaskSpecLogDriver, TaskSpecPlacement, TaskSpecResources,
    TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum as Condition,
};

use super::super::create::{check, health_check, mounts, ulimits};
use crate::farm::{
    Attachment, Restart, ServiceShape, ServiceSpec, Shape, UpdateOrder, service_health,
};

/// Between two attempts of a node to start a task that ends all the time.
const RESTART_DELAY: i64 = 5_000_000_000;
/// How long new tasks are watched before an update counts as done.
const MONITOR: i64 = 5_000_000_000;
const SECOND: i64 = 1_000_000_000;

pub(super) fn body(spec: &ServiceSpec) -> Body {
    let shape = &spec.shape;
    Body {
        name: Some(spec.name()),
        labels: Some(shape.container.labels.clone().into_iter().collect()),
        task_template: Some(task(shape)),
        mode: Some(ServiceSpecMode {
            global: Some(std::iter::empty().collect()),
            ..ServiceSpecMode::default()
        }),
        update_config: Some(update(shape)),
        endpoint_spec: Some(endpoint(&shape.container)),
        ..Body::default()
    }
}

fn placement(constraints: impl IntoIterator<Item = String>) -> TaskSpecPlacement {
    TaskSpecPlacement {
        constraints: Some(constraints.into_iter().collect()),
        ..TaskSpecPlacement::default()
    }
}

/// A service as it was read, in another place: with the health check that the client library did not see.
pub(super) fn placed(mut body: Body, constraints: impl IntoIterator<Item = String>) -> Body {
    if let Some(template) = &mut body.task_template {
        template.placement = Some(placement(constraints));
        if let Some(container) = &mut template.container_spec
            && container.health_check.is_none()
        {
            let command = container.args.as_deref().unwrap_or_default();
            container.health_check = Some(check(service_health(command).as_ref()));
        }
    }
    body
}

fn task(shape: &ServiceShape) -> TaskSpec {
    let container = &shape.container;
    let target = match &container.network {
        Attachment::Nothing => None,
        Attachment::Host => Some("host".to_owned()),
        Attachment::Network(name) | Attachment::Other(name) => Some(name.clone()),
    };
    let attached = target.map(|target| NetworkAttachmentConfig {
        target: Some(target),
        ..NetworkAttachmentConfig::default()
    });
    TaskSpec {
        container_spec: Some(container_spec(shape)),
        resources: Some(resources(container)),
        restart_policy: Some(TaskSpecRestartPolicy {
            condition: Some(match container.restart {
                Restart::No => Condition::NONE,
                Restart::OnFailure => Condition::ON_FAILURE,
                Restart::Always | Restart::UnlessStopped => Condition::ANY,
            }),
            delay: Some(RESTART_DELAY),
            ..TaskSpecRestartPolicy::default()
        }),
        placement: Some(placement(shape.constraints.iter().cloned())),
        networks: Some(attached.into_iter().collect()),
        log_driver: Some(TaskSpecLogDriver {
            name: Some(container.log.0.clone()),
            options: Some(container.log.1.clone().into_iter().collect()),
        }),
        ..TaskSpec::default()
    }
}

fn container_spec(shape: &ServiceShape) -> TaskSpecContainerSpec {
    let container = &shape.container;
    let no_new_privileges = container.security.contains("no-new-privileges");
    let oom_score = container.oom_score_adjustment;
    TaskSpecContainerSpec {
        image: Some(container.image.to_string()),
        labels: Some(shape.container_labels.clone().into_iter().collect()),
        command: Some(container.entrypoint.clone()),
        args: Some(container.command.clone()),
        hostname: container.hostname.clone(),
        env: Some(container.environment.iter().cloned().collect()),
        dir: Some(container.working_directory.clone()),
        user: Some(container.user.clone()),
        privileges: no_new_privileges.then(|| TaskSpecContainerSpecPrivileges {
            no_new_privileges: Some(true),
            ..TaskSpecContainerSpecPrivileges::default()
        }),
        read_only: Some(container.read_only),
        mounts: Some(
            mounts(container)
                .into_iter()
                .chain(memory_file_systems(container))
                .collect(),
        ),
        stop_grace_period: Some(container.stop_seconds.saturating_mul(SECOND)),
        health_check: Some(health_check(container)),
        oom_score_adj: (oom_score != 0).then_some(oom_score),
        capability_drop: Some(container.dropped_capabilities.iter().cloned().collect()),
        ulimits: Some(ulimits(container)),
        ..TaskSpecContainerSpec::default()
    }
}

/// The engine adds nosuid, nodev and noexec by itself.
fn memory_file_systems(container: &Shape) -> impl Iterator<Item = Mount> {
    let option = |options: &std::collections::BTreeSet<String>, name: &str, base: u32| {
        let value = options
            .iter()
            .find_map(|option| option.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| i64::from_str_radix(value, base).ok())
    };
    container.tmpfs.iter().map(move |(place, options)| Mount {
        target: Some(place.clone()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: option(options, "size", 10),
            mode: option(options, "mode", 8),
            ..MountTmpfsOptions::default()
        }),
        ..Mount::default()
    })
}

fn resources(container: &Shape) -> TaskSpecResources {
    let some = |limit: i64| (limit != 0).then_some(limit);
    TaskSpecResources {
        limits: Some(Limit {
            nano_cpus: some(container.nano_cpus),
            memory_bytes: some(container.memory),
            pids: some(container.processes),
        }),
        swap_bytes: some(container.memory_swap).map(|_both| 0),
        ..TaskSpecResources::default()
    }
}

fn update(shape: &ServiceShape) -> ServiceSpecUpdateConfig {
    ServiceSpecUpdateConfig {
        parallelism: Some(shape.parallelism),
        delay: None,
        failure_action: Some(if shape.rolls_back {
            FailureAction::ROLLBACK
        } else {
            FailureAction::PAUSE
        }),
        monitor: Some(MONITOR),
        max_failure_ratio: None,
        order: Some(match shape.order {
            UpdateOrder::StartFirst => Order::START_FIRST,
            UpdateOrder::StopFirst => Order::STOP_FIRST,
        }),
    }
}

/// On the nodes themselves: the swarm's own mesh would hide who the clients are.
fn endpoint(container: &Shape) -> EndpointSpec {
    let port = |address: &std::net::SocketAddr| EndpointPortConfig {
        protocol: Some(EndpointPortConfigProtocolEnum::TCP),
        target_port: Some(i64::from(address.port())),
        published_port: Some(i64::from(address.port())),
        publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
        ..EndpointPortConfig::default()
    };
    let ports: Vec<_> = container.ports.values().flatten().map(port).collect();
    EndpointSpec {
        mode: Some(EndpointSpecModeEnum::DNSRR),
        ports: Some(ports),
    }
}
