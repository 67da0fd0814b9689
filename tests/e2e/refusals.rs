//! What users and their machines get wrong: an error that says so, a hint, the right exit code, and nothing half-made.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use farm_tests::alone::{Alone, on_host};
use farm_tests::sweep::{Scope, containers};
use farm_tests::tampered::{TamperedMirror, Tampering};
use farm_tests::{BOARDS, Files, Finished, Scenario, TestFarm, debian};
use tokio::process::Command;

const ONE_TARGET: &str = "targets: { armv5: {} }\n";

/// Nobody listens at the socket.
pub(crate) async fn an_engine_that_does_not_run(scenario: Scenario) -> Result<()> {
    let farm = scenario.farm("no-engine", "").await?;
    let socket = farm.folder().join("nobody.sock").display().to_string();
    let nowhere = format!("unix://{socket}");
    for verb in ["up", "status", "down", "plan"] {
        let refused = farm
            .run_with(&[verb], |command| {
                command.env("DOCKER_HOST", &nowhere);
            })
            .await?
            .expect_code(3)?;
        refused.says("error", &socket)?;
        refused.says("hint", "start")?;
        ensure!(refused.stdout.is_empty(), "{refused}");
    }
    Ok(())
}

/// The user is not in the group that may.
pub(crate) async fn a_socket_that_the_user_may_not_use(scenario: Scenario) -> Result<()> {
    let alone = Alone::new(&scenario).await?;
    let (mut body, host) = on_host(&["status"]);
    body.user = Some("65534:65534".to_owned());
    body.env = Some(vec!["HOME=/".to_owned()]);
    body.host_config = Some(host);
    let container = alone.container(&scenario, body).await?;
    container.start().await?;
    let refused = container.wait().await?.expect_code(3)?;
    refused.says("error", "permission denied")?;
    refused.says("hint", "group")
}

/// A process has one of the ports: it is named.
pub(crate) async fn a_port_that_a_process_has(scenario: Scenario) -> Result<()> {
    let farm = scenario.farm("port-process", ONE_TARGET).await?;
    let address = farm.address();
    let listener = TcpListener::bind((address, BOARDS[1].port))?;
    let refused = farm.run(&["up"]).await?.expect_code(1)?;
    refused.says("error", "port 3633")?;
    refused.says("error", &format!("pid {}", std::process::id()))?;
    refused.says("hint", "stop")?;
    nothing_is_made(&scenario, &farm).await?;
    drop(listener);
    farm.run(&["up"]).await?.success()?;
    Ok(())
}

/// A stranger's container has one of the ports: it is named.
pub(crate) async fn a_port_that_a_container_has(scenario: Scenario) -> Result<()> {
    let farm = scenario.farm("port-container", ONE_TARGET).await?;
    let other = scenario.shared_farm().await?;
    let image = other
        .volunteer(scenario.docker(), &BOARDS[1])
        .inspect()
        .await?
        .image;
    let binding = PortBinding {
        host_ip: Some(farm.address().to_string()),
        host_port: Some(BOARDS[1].port.to_string()),
    };
    let body = ContainerCreateBody {
        image,
        cmd: Some(["--daemon", "--no-detach"].map(str::to_owned).to_vec()),
        exposed_ports: Some(vec!["3632/tcp".to_owned()]),
        host_config: Some(HostConfig {
            port_bindings: Some([("3632/tcp".to_owned(), Some(vec![binding]))].into()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let stranger = scenario.container(body).await?.inspect().await?;
    let name = stranger.name.context("no name")?;
    let refused = farm.run(&["up"]).await?.expect_code(1)?;
    refused.says("error", "port 3633")?;
    refused.says("error", name.trim_start_matches('/'))?;
    refused.says("hint", name.trim_start_matches('/'))?;
    nothing_is_made(&scenario, &farm).await
}

/// All mistakes of a manifest in one run.
pub(crate) async fn a_manifest_with_mistakes(scenario: Scenario) -> Result<()> {
    let farm = scenario
        .farm(
            "manifest",
            "adress: 10.0.0.1\ntargets: { armv9: {}, armv7h: { gcc: [3] } }\n",
        )
        .await?;
    for verb in ["up", "plan", "status", "hosts", "down"] {
        let refused = farm.run(&[verb]).await?.expect_code(2)?;
        for mistake in ["adress", "armv9", "3"] {
            refused.says("error", mistake)?;
        }
        let text = refused.stderr_text()?;
        ensure!(text.contains("farm.yaml:3:1"), "no place: {refused}");
        ensure!(text.contains("address"), "no suggestion: {refused}");
        ensure!(refused.stdout.is_empty(), "{refused}");
    }
    nothing_is_made(&scenario, &farm).await
}

/// Nobody answers at the mirror.
pub(crate) async fn a_mirror_out_of_reach(scenario: Scenario) -> Result<()> {
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let url = format!("http://{closed}/debian/");
    let farm = scenario.farm("no-mirror", ONE_TARGET).await?;
    let refused = up_with_mirror(&farm, &url).await?.expect_code(1)?;
    refused.says("error", "unreachable")?;
    refused.says("error", &url)?;
    refused.says("hint", "mirror")?;
    nothing_is_made(&scenario, &farm).await
}

/// The index is not what Debian signed.
pub(crate) async fn an_index_that_was_changed(scenario: Scenario) -> Result<()> {
    let mirror = TamperedMirror::start(Tampering::TurnsABit("InRelease")).await?;
    let farm = scenario.farm("bad-index", ONE_TARGET).await?;
    let refused = up_with_mirror(&farm, mirror.url()).await?.expect_code(1)?;
    refused.says("error", "signature")?;
    ensure!(mirror.spoilt() > 0, "the mirror was not asked");
    nothing_is_made(&scenario, &farm).await
}

/// A package is not what the index says.
pub(crate) async fn a_package_that_was_changed(scenario: Scenario) -> Result<()> {
    let mirror = TamperedMirror::start(Tampering::TurnsABit(".deb")).await?;
    let farm = with_cold_images(&scenario, "bad-package").await?;
    let refused = up_with_mirror(&farm, mirror.url()).await?.expect_code(1)?;
    refused.says("error", "checksum")?;
    refused.says("error", ".deb")?;
    refused.says("hint", "mirror")?;
    ensure!(mirror.spoilt() > 0, "the mirror was not asked");
    no_volunteer_is_made(&scenario, &farm).await
}

/// A connection that breaks is taken up where it broke.
pub(crate) async fn a_download_that_is_cut_once_goes_on(scenario: Scenario) -> Result<()> {
    let mirror = TamperedMirror::start(Tampering::CutsTheFirst(".deb")).await?;
    let farm = with_cold_images(&scenario, "cut-once").await?;
    let up = up_with_mirror(&farm, mirror.url()).await?.success()?;
    up.says("warning", "trying again")?;
    assert_eq!(mirror.spoilt(), 1);
    Ok(())
}

/// A connection that always breaks is given up, and the command with it.
pub(crate) async fn a_download_that_is_always_cut(scenario: Scenario) -> Result<()> {
    let mirror = TamperedMirror::start(Tampering::CutsEverything(".deb")).await?;
    let farm = with_cold_images(&scenario, "cut-always").await?;
    let refused = up_with_mirror(&farm, mirror.url()).await?.expect_code(1)?;
    refused.says("error", "cut")?;
    refused.says("hint", "mirror")?;
    no_volunteer_is_made(&scenario, &farm).await
}

/// The cache has no room.
pub(crate) async fn a_full_disk(scenario: Scenario) -> Result<()> {
    let alone = Alone::new(&scenario).await?;
    let farm = scenario.farm("full-disk", ONE_TARGET).await?;
    let (mut body, mut host) = on_host(&["up"]);
    host.tmpfs = Some([("/cache".to_owned(), "size=1m".to_owned())].into());
    body.host_config = Some(host);
    body.env = Some(vec![
        "XDG_CACHE_HOME=/cache".to_owned(),
        format!("FARMCTL_MIRROR={}", debian::mirror()?),
    ]);
    let container = alone.container(&scenario, body).await?;
    let mut files = Files::new();
    files.insert("farm.yaml", std::fs::read(farm.folder().join("farm.yaml"))?);
    container.copy_in("/", &files).await?;
    container.start().await?;
    let refused = container.wait().await?.expect_code(1)?;
    refused.says("error", "/cache")?;
    refused.says("error", "disk full")?;
    refused.says("hint", "space")?;
    nothing_is_made(&scenario, &farm).await
}

/// A farm whose images neither the engine nor the cache has; its packages are pinned.
async fn with_cold_images(scenario: &Scenario, word: &str) -> Result<TestFarm> {
    let farm = scenario.farm(word, ONE_TARGET).await?;
    farm.make_images_unique("armv5")?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    Ok(farm)
}

async fn up_with_mirror(farm: &TestFarm, url: &str) -> Result<Finished> {
    let cache = farm.folder().join("cache");
    let change = |command: &mut Command| {
        command
            .env("FARMCTL_MIRROR", url)
            .env("XDG_CACHE_HOME", &cache);
    };
    farm.run_with(&["up"], change).await
}

async fn no_volunteer_is_made(scenario: &Scenario, farm: &TestFarm) -> Result<()> {
    let made = containers(scenario.docker(), Scope::Farm(farm.name())).await?;
    ensure!(made.is_empty(), "containers were made: {made:?}");
    Ok(())
}

async fn nothing_is_made(scenario: &Scenario, farm: &TestFarm) -> Result<()> {
    no_volunteer_is_made(scenario, farm).await?;
    let inventory = farm_tests::Inventory::of(scenario).await?;
    ensure!(
        !inventory.networks.contains(&farm.network()),
        "a network was made"
    );
    Ok(())
}
