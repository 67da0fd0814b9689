//! Volunteers on ARM machines. This machine is none: an emulator runs their programs, and the engine only claims to be.
//!
//! What an emulator cannot show: it has neither Landlock nor a seccomp filter for the calls of the program that it runs.
//! So the daemon must refuse to start as farmctl starts it, and compiles here only when it is told to do without.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::models::{ContainerCreateBody, HostConfig};
use farm_tests::emulation::{Emulation, ForeignEngine, arm64_daemon};
use farm_tests::{BOARDS, Board, Container, Finished, Scenario, TestFarm, eventually};
use volunteer_toolchain::Strictness;

use super::versions;

/// An emulator takes its time.
const PATIENCE: Duration = Duration::from_mins(2);

/// Whom volunteers on ARM machines are for first: PCs, and boards of the host's own kind.
const TARGETS: [Board; 2] = [BOARDS[0], BOARDS[4]];

pub(crate) async fn an_arm_machine_compiles_for_pcs_and_for_its_own_kind(
    scenario: Scenario,
) -> Result<()> {
    let _emulation = Emulation::of_arm64().await?;
    let farm = scenario
        .farm("arm", "targets: { x86_64: {}, aarch64: {} }\n")
        .await?;
    let engine = ForeignEngine::start()?;
    refuses_without_a_program_for_arm(&scenario, &farm, &engine).await?;

    let daemon = arm64_daemon().await?;
    build(&farm, &engine, Some(&daemon)).await?.success()?;
    let lock = std::fs::read_to_string(farm.folder().join("farm.lock"))?;
    ensure!(
        lock.contains("\"host\": \"arm64\"") && lock.contains("_arm64.deb"),
        "{lock}"
    );
    for board in TARGETS {
        let image = image_of(&farm, &engine, &daemon, &board).await?;
        let found = scenario.docker().inspect_image(&image).await?;
        assert_eq!(found.architecture.as_deref(), Some("arm64"));
        refuses_to_do_without_the_sandbox(&scenario, &image).await?;
        compiles(&scenario, &farm, &board, &image).await?;
    }
    Ok(())
}

/// Whatever stands in for it must be a program for arm64.
async fn refuses_without_a_program_for_arm(
    scenario: &Scenario,
    farm: &TestFarm,
    engine: &ForeignEngine,
) -> Result<()> {
    let without = build(farm, engine, None).await?.expect_code(1)?;
    without.says("error", "no program for arm64 hosts")?;
    without.says("hint", "FARMCTL_PROGRAM_ARM64")?;
    let own = scenario.farmctl().to_owned();
    let wrong = build(farm, engine, Some(&own)).await?.expect_code(1)?;
    wrong.says("error", "is no program for arm64 hosts")
}

async fn build(
    farm: &TestFarm,
    engine: &ForeignEngine,
    program: Option<&Path>,
) -> Result<Finished> {
    farm.run_with(&["build", "--output", "json"], |command| {
        command.env("DOCKER_HOST", engine.endpoint());
        if let Some(program) = program {
            command.env("FARMCTL_PROGRAM_ARM64", program);
        }
    })
    .await
}

async fn image_of(
    farm: &TestFarm,
    engine: &ForeignEngine,
    daemon: &Path,
    board: &Board,
) -> Result<String> {
    let built = build(farm, engine, Some(daemon)).await?.success()?;
    let built: serde_json::Value = serde_json::from_slice(&built.stdout)?;
    let images = built["images"].as_array().context("no images")?;
    let image = images.iter().find(|image| image["target"] == board.target);
    let name = image.and_then(|image| image["image"].as_str());
    Ok(name.context("no image of the target")?.to_owned())
}

/// As farmctl starts it.
async fn refuses_to_do_without_the_sandbox(scenario: &Scenario, image: &str) -> Result<()> {
    let container = scenario
        .container(locked_in(
            image,
            &["--daemon", "--no-detach", "--allow-private"],
        ))
        .await?;
    let ended = container.wait().await?;
    ensure!(ended.code != 0, "it started: {ended}");
    ensure!(
        ended.stderr_text()?.contains("--without-sandbox landlock"),
        "{ended}"
    );
    Ok(())
}

/// The stock client gets a good object.
async fn compiles(scenario: &Scenario, farm: &TestFarm, board: &Board, image: &str) -> Result<()> {
    let mut body = locked_in(
        image,
        &[
            "--daemon",
            "--no-detach",
            "--log-stderr",
            "--allow-private",
            "--without-sandbox",
            "landlock",
            "--without-sandbox",
            "seccomp",
        ],
    );
    let port = "3632/tcp";
    let binding = bollard::models::PortBinding {
        host_ip: Some(farm.address().to_string()),
        host_port: Some(board.port.to_string()),
    };
    body.exposed_ports = Some(vec![port.to_owned()]);
    if let Some(host) = &mut body.host_config {
        host.port_bindings = Some([(port.to_owned(), Some(vec![binding]))].into());
    }
    let container = scenario.container(body).await?;
    eventually("the emulated volunteer listens", PATIENCE, || {
        listens(&container)
    })
    .await?;
    for compiler in ["gcc", "g++"] {
        let compiler = format!("{}-{compiler}", board.triple);
        let object = versions::compile(scenario, farm, board, &compiler).await?;
        board.object().check(&object, Strictness::Exact)?;
    }
    Ok(())
}

async fn listens(container: &Container) -> Result<()> {
    let (_stdout, stderr) = container.logs().await?;
    let log = String::from_utf8_lossy(&stderr).into_owned();
    ensure!(log.contains("listening"), "the log says: {log}");
    Ok(())
}

/// A volunteer's posture, as `posture` tries it for those that run without an emulator.
fn locked_in(image: &str, arguments: &[&str]) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(arguments.iter().copied().map(str::to_owned).collect()),
        host_config: Some(HostConfig {
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            tmpfs: Some([("/tmp".to_owned(), "size=256m,mode=1777".to_owned())].into()),
            pids_limit: Some(256),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}
