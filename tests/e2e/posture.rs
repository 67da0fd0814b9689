//! How volunteers are locked in, as the engine sees it.

use anyhow::{Context, Result, ensure};
use bollard::models::{ContainerInspectResponse, HostConfig, RestartPolicyNameEnum};
use farm_tests::{BOARDS, Scenario};

/// The same for every target.
pub(crate) async fn every_volunteer_is_locked_in(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    for board in BOARDS {
        let container = farm.volunteer(scenario.docker(), &board).inspect().await?;
        let host = locked_in(&container)?;
        has_only_scratch_space(&host)?;
        is_published(&host, &[])?;
        has_a_real_health_check(&container)?;
    }
    Ok(())
}

/// It compiles nothing and needs even less.
pub(crate) async fn every_door_is_locked_in(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let address = farm.address().to_string();
    for board in BOARDS {
        let container = farm.door(scenario.docker(), &board).inspect().await?;
        let host = locked_in(&container)?;
        assert_eq!(host.tmpfs.clone().unwrap_or_default().len(), 0);
        is_published(&host, &[(&address, board.port)])?;
    }
    Ok(())
}

fn locked_in(container: &ContainerInspectResponse) -> Result<HostConfig> {
    runs_as_nobody(container)?;
    let host = container
        .host_config
        .clone()
        .context("no host configuration")?;
    gains_nothing(&host);
    has_limits(&host);
    writes_nowhere_but_to_the_door(container, &host)?;
    Ok(host)
}

fn runs_as_nobody(container: &ContainerInspectResponse) -> Result<()> {
    let config = container.config.as_ref().context("no configuration")?;
    let user = config.user.clone().unwrap_or_default();
    ensure!(
        !["", "0", "root", "0:0"].contains(&user.as_str()),
        "it runs as '{user}'"
    );
    Ok(())
}

fn gains_nothing(host: &HostConfig) {
    assert_eq!(host.privileged, Some(false));
    assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
    assert_eq!(
        host.cap_add.clone().unwrap_or_default(),
        Vec::<String>::new()
    );
    assert_eq!(host.devices.clone().unwrap_or_default(), Vec::new());
    let options = host.security_opt.clone().unwrap_or_default();
    let forbids = |option: &String| option.starts_with("no-new-privileges");
    assert!(options.iter().any(forbids), "{options:?}");
    let unconfined = |option: &String| option.contains("unconfined");
    assert!(!options.iter().any(unconfined), "{options:?}");
}

fn has_limits(host: &HostConfig) {
    assert!(
        host.memory.is_some_and(|bytes| bytes > 0),
        "{:?}",
        host.memory
    );
    assert_eq!(host.memory_swap, host.memory);
    assert!(
        host.pids_limit.is_some_and(|processes| processes > 0),
        "{:?}",
        host.pids_limit
    );
    let restart = host.restart_policy.as_ref().and_then(|policy| policy.name);
    assert_eq!(restart, Some(RestartPolicyNameEnum::UNLESS_STOPPED));
}

/// The door's directory holds one socket and no file that anybody could run or read.
fn writes_nowhere_but_to_the_door(
    container: &ContainerInspectResponse,
    host: &HostConfig,
) -> Result<()> {
    assert_eq!(host.readonly_rootfs, Some(true));
    let mounts = container.mounts.clone().unwrap_or_default();
    let [mount] = mounts.as_slice() else {
        anyhow::bail!("not exactly one mount: {mounts:?}");
    };
    assert_eq!(mount.destination.as_deref(), Some("/run/door"));
    assert_eq!(mount.typ.as_deref(), Some("volume"));
    Ok(())
}

fn has_only_scratch_space(host: &HostConfig) -> Result<()> {
    let scratch = host.tmpfs.clone().unwrap_or_default();
    let options = scratch.get("/tmp").context("no scratch space at /tmp")?;
    assert_eq!(scratch.len(), 1, "{scratch:?}");
    for option in ["nosuid", "nodev", "size="] {
        ensure!(
            options.contains(option),
            "scratch space without {option}: {options}"
        );
    }
    Ok(())
}

fn is_published(host: &HostConfig, expected: &[(&str, u16)]) -> Result<()> {
    let published = host.port_bindings.clone().unwrap_or_default();
    let bindings: Vec<_> = published.into_values().flatten().flatten().collect();
    ensure!(
        bindings.len() == expected.len(),
        "published: {bindings:?}, expected: {expected:?}"
    );
    for (binding, (address, port)) in bindings.iter().zip(expected) {
        assert_eq!(binding.host_ip.as_deref(), Some(*address));
        assert_eq!(binding.host_port, Some(port.to_string()));
    }
    Ok(())
}

fn has_a_real_health_check(container: &ContainerInspectResponse) -> Result<()> {
    let config = container.config.as_ref().context("no configuration")?;
    let check = config
        .healthcheck
        .as_ref()
        .and_then(|check| check.test.clone());
    let words = check.unwrap_or_default();
    ensure!(
        words.iter().any(|word| word == "--probe"),
        "the health check is {words:?}"
    );
    Ok(())
}

/// A volunteer has no network at all; a door only answers: it reaches neither the world nor its neighbours.
pub(crate) async fn volunteers_have_no_network_and_doors_only_their_own(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let own = format!("farmctl-{}", farm.name());
    for board in BOARDS {
        let volunteer = farm.volunteer(scenario.docker(), &board);
        let door = farm.door(scenario.docker(), &board);
        for (container, expected) in [(volunteer, "none"), (door, own.as_str())] {
            let settings = container.inspect().await?.network_settings;
            let networks = settings.and_then(|settings| settings.networks);
            let names: Vec<_> = networks.unwrap_or_default().into_keys().collect();
            assert_eq!(names, [expected]);
        }
    }
    Ok(())
}
