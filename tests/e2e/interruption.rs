//! `up` stopped at any moment: nothing half-made stays, and the next `up` goes on from there.

use std::time::Duration;

use anyhow::{Result, ensure};
use bollard::models::{ContainerStateStatusEnum, ContainerSummaryStateEnum};
use bollard::query_parameters::ListNetworksOptions;
use farm_tests::signal::{self, Signal};
use farm_tests::sweep::{Scope, containers};
use farm_tests::{BOARDS, Scenario, TestFarm, eventually};
use tokio::process::Child;

/// When the user loses patience.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// At once.
    Start,
    /// The network has been made; images are being assembled or loaded, if the engine lacks them.
    Network,
    /// So many containers have been made.
    Containers(usize),
}

const MOMENTS: [(&str, Moment); 4] = [
    ("start", Moment::Start),
    ("network", Moment::Network),
    ("first", Moment::Containers(1)),
    ("last", Moment::Containers(2 * BOARDS.len())),
];

/// Ctrl-C: farmctl finishes what it has begun and tells so.
pub(crate) async fn up_that_is_interrupted_leaves_nothing_half_made(
    scenario: Scenario,
) -> Result<()> {
    for (word, moment) in MOMENTS {
        let farm = scenario.farm(&format!("int-{word}"), "").await?;
        let mut up = farm.spawn(&["up"])?;
        wait_for(moment, &scenario, &farm, &mut up).await?;
        signal::send(&up, Signal::INT)?;
        let ended = farm.finish(&["up"], up).await?;
        ensure!(
            [0, 130].contains(&ended.code),
            "neither done nor interrupted: {ended}"
        );
        every_container_runs(&scenario, &farm).await?;
        goes_on_and_goes_down(&scenario, &farm).await?;
    }
    Ok(())
}

/// The same while images that the engine lacks are on their way.
pub(crate) async fn up_that_is_interrupted_while_images_load_can_be_repeated(
    scenario: Scenario,
) -> Result<()> {
    let farm = scenario.farm("int-images", "").await?;
    farm.make_images_unique("armv5")?;
    let mut up = farm.spawn(&["up"])?;
    wait_for(Moment::Network, &scenario, &farm, &mut up).await?;
    signal::send(&up, Signal::INT)?;
    let ended = farm.finish(&["up"], up).await?.expect_code(130)?;
    ensure!(ended.stdout.is_empty(), "{ended}");
    every_container_runs(&scenario, &farm).await?;
    farm.run(&["up"]).await?.success()?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

/// No time to finish anything: the next `up` sorts it out.
pub(crate) async fn up_that_is_killed_can_be_repeated(scenario: Scenario) -> Result<()> {
    for (word, moment) in MOMENTS {
        let farm = scenario.farm(&format!("kill-{word}"), "").await?;
        let mut up = farm.spawn(&["up"])?;
        wait_for(moment, &scenario, &farm, &mut up).await?;
        signal::send(&up, Signal::KILL)?;
        up.wait().await?;
        goes_on_and_goes_down(&scenario, &farm).await?;
    }
    Ok(())
}

/// Returns at the moment, or when `up` has ended before.
async fn wait_for(
    moment: Moment,
    scenario: &Scenario,
    farm: &TestFarm,
    up: &mut Child,
) -> Result<()> {
    const PATIENCE: Duration = Duration::from_mins(2);
    let has_come = || async {
        let has_come = match moment {
            Moment::Start => true,
            Moment::Network => has_network(scenario, farm).await?,
            Moment::Containers(count) => states(scenario, farm).await?.len() >= count,
        };
        ensure!(has_come, "not yet {moment:?}");
        Ok(())
    };
    tokio::select! {
        come = eventually("the moment to interrupt", PATIENCE, has_come) => come,
        ended = up.wait() => ended.map(|_status| ()).map_err(Into::into),
    }
}

async fn has_network(scenario: &Scenario, farm: &TestFarm) -> Result<bool> {
    let networks = scenario
        .docker()
        .list_networks(None::<ListNetworksOptions>)
        .await?;
    let wanted = farm.network();
    Ok(networks
        .iter()
        .any(|network| network.name.as_deref() == Some(&wanted)))
}

async fn states(
    scenario: &Scenario,
    farm: &TestFarm,
) -> Result<Vec<Option<ContainerSummaryStateEnum>>> {
    let found = containers(scenario.docker(), Scope::Farm(farm.name())).await?;
    Ok(found.into_iter().map(|container| container.state).collect())
}

/// Made and started, or not made at all.
async fn every_container_runs(scenario: &Scenario, farm: &TestFarm) -> Result<()> {
    let states = states(scenario, farm).await?;
    let running = |state: &Option<_>| *state == Some(ContainerSummaryStateEnum::RUNNING);
    ensure!(
        states.iter().all(running),
        "half-made containers stay: {states:?}"
    );
    Ok(())
}

async fn goes_on_and_goes_down(scenario: &Scenario, farm: &TestFarm) -> Result<()> {
    farm.run(&["up"]).await?.success()?;
    for board in BOARDS {
        let volunteer = farm.volunteer(scenario.docker(), &board).inspect().await?;
        let state = volunteer.state.and_then(|state| state.status);
        assert_eq!(
            state,
            Some(ContainerStateStatusEnum::RUNNING),
            "{}",
            board.target
        );
    }
    farm.run(&["down"]).await?.success()?;
    let left = states(scenario, farm).await?;
    ensure!(left.is_empty(), "containers stay: {left:?}");
    ensure!(!has_network(scenario, farm).await?, "the network stays");
    Ok(())
}
