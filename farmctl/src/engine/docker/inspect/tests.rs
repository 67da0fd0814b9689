use bollard::models::{ContainerCreateBody, EndpointSettings, NetworkSettings};

use super::super::create;
use super::*;
use crate::converge::fixture;

/// What an engine shows of a container that was made from `body`, whatever it says in its own ways changed by `edit`.
fn shown(
    body: ContainerCreateBody,
    edit: fn(&mut ContainerConfig, &mut HostConfig),
) -> ContainerInspectResponse {
    let mut host = body.host_config.unwrap_or_default();
    let mut config = ContainerConfig {
        hostname: body.hostname,
        user: body.user,
        env: body.env,
        cmd: body.cmd,
        entrypoint: body.entrypoint,
        image: body.image,
        working_dir: body.working_dir,
        labels: body.labels,
        healthcheck: body.healthcheck,
        stop_timeout: body.stop_timeout,
        ..ContainerConfig::default()
    };
    edit(&mut config, &mut host);
    let mounts = host.mounts.iter().flatten().map(|mount| MountPoint {
        typ: Some("volume".to_owned()),
        name: mount.source.clone(),
        destination: mount.target.clone(),
        rw: Some(true),
        ..MountPoint::default()
    });
    let network = host.network_mode.clone().unwrap_or_default();
    ContainerInspectResponse {
        mounts: Some(mounts.collect()),
        network_settings: Some(NetworkSettings {
            networks: Some([(network, EndpointSettings::default())].into()),
            ..NetworkSettings::default()
        }),
        config: Some(config),
        host_config: Some(host),
        ..ContainerInspectResponse::default()
    }
}

fn shapes() -> [Shape; 3] {
    let spec = fixture::spec("armv7h", 3635);
    let mut on_host = spec.clone();
    on_host.network = crate::farm::Network::Host;
    [spec.shape(), spec.door().shape(), on_host.door().shape()]
}

/// The names of the options in which a container differs after `edit`.
fn differences(wanted: &Shape, edit: fn(&mut ContainerConfig, &mut HostConfig)) -> Vec<String> {
    let observed = shape(&shown(create::body(wanted), edit));
    wanted.differences(&observed, &BTreeMap::new())
}

#[test]
fn what_was_asked_for_is_what_is_read_back() {
    for wanted in shapes() {
        assert_eq!(differences(&wanted, |_, _| {}), [""; 0]);
    }
}

/// Versions of the engine say the same thing in different ways.
#[test]
fn engines_ways_of_saying_the_same_are_no_drift() {
    type Edit = fn(&mut ContainerConfig, &mut HostConfig);
    let same: [(&str, Edit); 9] = [
        ("nothing is null or empty", |config, host| {
            host.cap_add = Some(Vec::new());
            host.devices = Some(Vec::new());
            host.dns = None;
            host.sysctls = Some([].into());
            host.pid_mode = Some(String::new());
            host.cpu_shares = Some(0);
            host.privileged = Some(false);
            host.oom_kill_disable = Some(false);
            config.tty = Some(false);
        }),
        ("capabilities have a prefix", |_, host| {
            host.cap_drop = Some(vec!["CAP_ALL".to_owned()]);
        }),
        ("security options are bare", |_, host| {
            host.security_opt = Some(vec!["no-new-privileges".to_owned()]);
        }),
        ("security options have an equals sign", |_, host| {
            host.security_opt = Some(vec!["no-new-privileges=true".to_owned()]);
        }),
        ("the engine's own limits come with it", |_, host| {
            let ulimits = host.ulimits.get_or_insert_default();
            ulimits.push(bollard::models::ResourcesUlimits {
                name: Some("nofile".to_owned()),
                soft: Some(1024),
                hard: Some(4096),
            });
        }),
        (
            "options of a memory file system are in another order",
            |_, host| {
                for options in host.tmpfs.iter_mut().flatten().map(|(_, options)| options) {
                    let mut words: Vec<_> = options.split(',').collect();
                    words.reverse();
                    *options = words.join(",");
                }
            },
        ),
        ("a retry count of none is zero", |_, host| {
            if let Some(policy) = &mut host.restart_policy {
                policy.maximum_retry_count = Some(0);
            }
        }),
        ("the stop signal is the usual one", |config, _| {
            config.stop_signal = Some("SIGTERM".to_owned());
        }),
        (
            "shared memory and the runtime are the engine's own",
            |_, host| {
                host.shm_size = Some(64 << 20);
                host.ipc_mode = Some("private".to_owned());
                host.runtime = Some("runc".to_owned());
            },
        ),
    ];
    for (what, edit) in same {
        for wanted in shapes() {
            assert_eq!(differences(&wanted, edit), [""; 0], "{what}");
        }
    }
}

#[test]
fn any_option_that_others_set_is_drift_with_a_name() {
    type Edit = fn(&mut ContainerConfig, &mut HostConfig);
    let drifts: [(&str, Edit); 14] = [
        ("memory", |_, host| host.memory = Some(1 << 30)),
        ("swap", |_, host| host.memory_swap = Some(-1)),
        ("cpus", |_, host| host.nano_cpus = Some(5)),
        ("process limit", |_, host| host.pids_limit = None),
        ("restart policy", |_, host| host.restart_policy = None),
        ("read-only root", |_, host| host.readonly_rootfs = None),
        ("capabilities", |_, host| host.cap_drop = None),
        ("security options", |_, host| host.security_opt = None),
        ("Privileged", |_, host| host.privileged = Some(true)),
        ("CapAdd", |_, host| {
            host.cap_add = Some(vec!["SYS_ADMIN".to_owned()]);
        }),
        ("IpcMode", |_, host| host.ipc_mode = Some("host".to_owned())),
        ("user", |config, _| config.user = None),
        ("environment", |config, _| {
            config.env = Some(vec!["LD_PRELOAD=x".to_owned()]);
        }),
        ("log options", |_, host| host.log_config = None),
    ];
    for (name, edit) in drifts {
        for wanted in shapes() {
            let differences = differences(&wanted, edit);
            assert_eq!(differences, [name], "{name}");
        }
    }
}

#[test]
fn a_container_in_other_networks_is_told_apart() {
    for wanted in shapes() {
        let mut seen = shown(create::body(&wanted), |_, _| {});
        let settings = seen.network_settings.get_or_insert_default();
        let networks = settings.networks.get_or_insert_default();
        networks.insert("foreign".to_owned(), EndpointSettings::default());
        let differences = wanted.differences(&shape(&seen), &BTreeMap::new());
        assert_eq!(differences, ["network"]);
    }
}
