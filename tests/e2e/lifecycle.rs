//! A farm's life: up on nothing, up again, status, down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::models::{
    ContainerCreateBody, ContainerStateStatusEnum, HealthStatusEnum, HostConfig,
};
use farm_tests::{BOARDS, Board, Container, Inventory, Scenario, TestFarm, eventually};
use serde_json::Value;

use crate::printed;

/// The first command of a new user: nothing of this farm exists, afterwards five volunteers compile.
pub(crate) async fn up_makes_five_volunteers_and_prints_what_masters_need(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario.farm_at_machine_address("cold", "")?;
    let up = farm.run(&["up"]).await?.success()?;
    let address = farm.address().to_string();
    let slots = printed::default_slots(&scenario).await?;
    assert_eq!(up.stdout_text()?, printed::makepkg_lines(&address, slots));
    for board in BOARDS {
        let ready = format!(
            "ready volunteer {} at {address}:{}",
            board.target, board.port
        );
        ensure!(
            up.stderr_text()?.contains(&ready),
            "expected '{ready}' of {up}"
        );
        let state = state(&scenario, &farm, &board).await?;
        assert_eq!(state, ContainerStateStatusEnum::RUNNING, "{}", board.target);
    }
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

async fn state(
    scenario: &Scenario,
    farm: &TestFarm,
    board: &Board,
) -> Result<ContainerStateStatusEnum> {
    let volunteer = farm.volunteer(scenario.docker(), board).inspect().await?;
    let state = volunteer.state.and_then(|state| state.status);
    state.context("a container without a state")
}

/// What stands as described is not touched.
pub(crate) async fn a_second_up_changes_nothing_and_says_so(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let lock = std::fs::read(farm.folder().join("farm.lock"))?;
    let before = lives(&scenario, &farm).await?;
    let again = farm.run(&["up"]).await?.success()?;
    assert_eq!(lives(&scenario, &farm).await?, before);
    assert_eq!(std::fs::read(farm.folder().join("farm.lock"))?, lock);
    ensure!(
        again.stderr_text()?.contains("nothing to do"),
        "it does not say that there is nothing to do: {again}",
    );
    let hosts = farm.run(&["hosts"]).await?.success()?;
    assert_eq!(again.stdout_text()?, hosts.stdout_text()?);

    let plan = farm.run(&["plan", "--exit-code"]).await?.success()?;
    assert_eq!(plan.stdout_text()?, "");
    Ok(())
}

/// Id and time of the last start, by target.
async fn lives(
    scenario: &Scenario,
    farm: &TestFarm,
) -> Result<BTreeMap<&'static str, (String, String)>> {
    let mut lives = BTreeMap::new();
    for board in BOARDS {
        let volunteer = farm.volunteer(scenario.docker(), &board).inspect().await?;
        let id = volunteer.id.context("no id")?;
        let started = volunteer
            .state
            .and_then(|state| state.started_at)
            .context("not started")?;
        lives.insert(board.target, (id, started));
    }
    Ok(lives)
}

/// Every column for people, every field for programs.
pub(crate) async fn status_tells_all_of_every_volunteer(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    every_health_check_passes(&scenario, &farm).await?;
    let slots = printed::default_slots(&scenario).await?;

    let json = farm.run(&["status", "--output", "json"]).await?.success()?;
    let document: Value = serde_json::from_slice(&json.stdout)?;
    assert_eq!(document["farm"], farm.name());
    let rows = document["volunteers"].as_array().context("no volunteers")?;
    assert_eq!(rows.len(), BOARDS.len());
    for (row, board) in rows.iter().zip(BOARDS) {
        let image = volunteer_image(&scenario, &farm, &board).await?;
        let size = scenario.docker().inspect_image(&image).await?.size;
        assert_eq!(row["target"], board.target);
        assert_eq!(row["port"], board.port);
        assert_eq!(row["address"], farm.address().to_string());
        assert_eq!(row["state"], "running");
        assert_eq!(row["health"], "healthy");
        assert_eq!(row["gcc"], serde_json::json!([14]));
        assert_eq!(row["slots"], slots);
        assert_eq!(row["image_bytes"].as_i64(), size);
    }

    let text = farm.run(&["status"]).await?.success()?;
    for board in BOARDS {
        let words = [
            board.target,
            &board.port.to_string(),
            "running",
            "healthy",
            "14",
        ]
        .map(str::to_owned);
        let has_all = |line: &str| {
            let found: Vec<_> = line.split_whitespace().collect();
            words.iter().all(|word| found.contains(&word.as_str())) && line.ends_with("MB")
        };
        let found = text.stdout_text()?.lines().map(str::trim_end).any(has_all);
        ensure!(found, "no line with {words:?} and a size in {text}");
    }
    Ok(())
}

async fn volunteer_image(scenario: &Scenario, farm: &TestFarm, board: &Board) -> Result<String> {
    let volunteer = farm.volunteer(scenario.docker(), board).inspect().await?;
    volunteer.image.context("no image")
}

/// Engines make the first check when the interval has passed once.
async fn every_health_check_passes(scenario: &Scenario, farm: &TestFarm) -> Result<()> {
    const FIRST_CHECKS: Duration = Duration::from_mins(3);
    for board in BOARDS {
        let volunteer = farm.volunteer(scenario.docker(), &board);
        eventually("the volunteer is healthy", FIRST_CHECKS, async || {
            let state = volunteer.inspect().await?.state.unwrap_or_default();
            let health = state.health.and_then(|health| health.status);
            ensure!(
                health == Some(HealthStatusEnum::HEALTHY),
                "{}: {health:?}",
                board.target
            );
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Strangers' containers and networks stay, and so do other farms.
pub(crate) async fn down_removes_what_up_made_and_nothing_else(scenario: Scenario) -> Result<()> {
    let shared = scenario.shared_farm().await?;
    let farm = scenario
        .farm("leaving", "targets: { armv5: {}, aarch64: {} }\n")
        .await?;
    farm.copy_lock(&shared)?;
    let before = Inventory::of(&scenario).await?;

    farm.run(&["up"]).await?.success()?;
    let stranger = stranger(&scenario, &farm).await?;
    let lan = scenario.lan("stranger").await?;
    let made = Inventory::of(&scenario).await?.without(&before);
    // A door and a volunteer for each target, and the stranger.
    assert_eq!(
        (
            made.containers.len(),
            made.networks.len(),
            made.volumes.len()
        ),
        (5, 2, 2),
        "{made:?}"
    );

    let down = farm.run(&["down"]).await?.success()?;
    assert_eq!(down.stdout_text()?, "");
    let after = Inventory::of(&scenario).await?;
    let left = after.without(&before);
    assert_eq!(left.containers, BTreeSet::from([stranger.id().to_owned()]));
    assert_eq!(left.networks, BTreeSet::from([lan.name]));
    assert_eq!(left.volumes, BTreeSet::new());
    let lost = before.without(&after);
    assert!(
        lost.containers.is_empty() && lost.networks.is_empty() && lost.volumes.is_empty(),
        "{lost:?}"
    );
    for board in BOARDS {
        let other = state(&scenario, &shared, &board).await?;
        assert_eq!(other, ContainerStateStatusEnum::RUNNING, "{}", board.target);
    }

    let again = farm.run(&["down"]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");
    let status = farm.run(&["status"]).await?.expect_code(4)?;
    ensure!(status.stdout_text()?.contains("missing"), "{status}");
    Ok(())
}

/// Looks as much like a volunteer as a container can without being one: same image, same network.
async fn stranger(scenario: &Scenario, farm: &TestFarm) -> Result<Container> {
    let image = volunteer_image(scenario, farm, &BOARDS[1]).await?;
    let body = ContainerCreateBody {
        image: Some(image),
        cmd: Some(["--daemon", "--no-detach"].map(str::to_owned).to_vec()),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    scenario.container(body).await
}
