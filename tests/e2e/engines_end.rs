//! The engine ends: told to, killed, or without power, while the farm stands and while `up` is under way.

use std::time::Duration;

use anyhow::{Result, ensure};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptions};
use farm_tests::{Scenario, SecondEngine, TestFarm, eventually};
use tokio::process::Child;

const KEYS: &str = "targets: { armv5: {}, aarch64: {} }\n";

/// How long a farm may take to come back by itself on a loaded machine.
const RETURN: Duration = Duration::from_mins(3);

/// Nobody has to do anything after the machine was restarted.
pub(crate) async fn a_farm_comes_back_after_a_restart(scenario: Scenario) -> Result<()> {
    let mut engine = scenario.second_engine("restart").await?;
    let farm = standing_farm(&scenario, &engine, "restarted").await?;
    engine.shut_down().await?;
    farm.run(&["status"]).await?.expect_code(3)?;
    engine.switch_on().await?;
    comes_back_by_itself(&farm).await?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

/// Nor after it lost power.
pub(crate) async fn a_farm_comes_back_after_a_power_cut(scenario: Scenario) -> Result<()> {
    let mut engine = scenario.second_engine("power").await?;
    let farm = standing_farm(&scenario, &engine, "powerless").await?;
    engine.cut_power().await?;
    engine.switch_on().await?;
    comes_back_by_itself(&farm).await?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

/// When the power goes.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Images are being assembled or loaded.
    Network,
    /// So many containers have been made.
    Containers(usize),
}

/// What was done stays, what was not is told, and the next `up` goes on.
pub(crate) async fn up_without_power_can_be_repeated(scenario: Scenario) -> Result<()> {
    let mut engine = scenario.second_engine("cut").await?;
    let shared = scenario.shared_farm().await?;
    for (word, moment) in [
        ("network", Moment::Network),
        ("first", Moment::Containers(1)),
        ("last", Moment::Containers(2)),
    ] {
        let farm = scenario.farm_on(&engine, &format!("cut-{word}"), KEYS)?;
        farm.copy_lock(&shared)?;
        let mut up = farm.spawn(&["up"])?;
        wait_for(moment, &engine, &mut up).await?;
        engine.cut_power().await?;
        let ended = farm.finish(&["up"], up).await?;
        ensure!([0, 1, 3, 4].contains(&ended.code), "{ended}");
        if ended.code == 1 {
            let told = ended.stderr_text()?;
            ensure!(told.contains("error:"), "it does not say why: {ended}");
            ensure!(
                told.contains("steps are done") || told.contains("not healthy"),
                "it does not say what was done: {ended}"
            );
        }
        engine.switch_on().await?;
        if let Err(refused) = farm.run(&["up"]).await?.success() {
            // A port that was being opened when the power went is lost to this engine until it starts once more, whoever
            // asks for it: a fault of its own (seen with 20.10), of which only the hint can tell.
            let told = refused.to_string();
            ensure!(told.contains("port is already allocated"), "{told}");
            ensure!(told.contains("restart the engine"), "{told}");
            engine.shut_down().await?;
            engine.switch_on().await?;
            farm.run(&["up"]).await?.success()?;
        }
        let plan = farm.run(&["plan", "--exit-code"]).await?.success()?;
        ensure!(plan.stdout.is_empty(), "{plan}");
        farm.run(&["down"]).await?.success()?;
    }
    Ok(())
}

/// The daemon alone is killed, as the kernel does when memory is short; containers live on and are found again.
pub(crate) async fn up_goes_on_after_the_engine_was_killed(scenario: Scenario) -> Result<()> {
    let mut engine = scenario.second_engine("kill").await?;
    let shared = scenario.shared_farm().await?;
    let farm = scenario.farm_on(&engine, "killed", KEYS)?;
    farm.copy_lock(&shared)?;
    let mut up = farm.spawn(&["up"])?;
    wait_for(Moment::Containers(1), &engine, &mut up).await?;
    engine.kill_daemon().await?;
    let ended = farm.finish(&["up"], up).await?;
    ensure!([0, 1, 3, 4].contains(&ended.code), "{ended}");
    let status = farm.run(&["status"]).await?.expect_code(3)?;
    ensure!(status.stderr_text()?.contains("hint:"), "{status}");
    engine.switch_on().await?;
    farm.run(&["up"]).await?.success()?;
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    farm.run(&["down"]).await?.success()?;
    Ok(())
}

async fn standing_farm(scenario: &Scenario, engine: &SecondEngine, word: &str) -> Result<TestFarm> {
    let shared = scenario.shared_farm().await?;
    let farm = scenario.farm_on(engine, word, KEYS)?;
    farm.copy_lock(&shared)?;
    farm.run(&["up"]).await?.success()?;
    Ok(farm)
}

/// Before anybody runs `up`, nothing is left to do; `up` then finds that all of it compiles.
async fn comes_back_by_itself(farm: &TestFarm) -> Result<()> {
    eventually("the farm is back", RETURN, async || {
        farm.run(&["plan", "--exit-code"]).await?.success()
    })
    .await?;
    let up = farm.run(&["up"]).await?.success()?;
    ensure!(up.stderr_text()?.contains("nothing to do"), "{up}");
    Ok(())
}

async fn wait_for(moment: Moment, engine: &SecondEngine, up: &mut Child) -> Result<()> {
    let docker = engine.docker()?;
    eventually("the moment has come", RETURN, async || {
        let come = match moment {
            Moment::Network => {
                let networks = docker.list_networks(None::<ListNetworksOptions>).await?;
                networks.iter().any(|network| {
                    let name = network.name.as_deref().unwrap_or_default();
                    name.starts_with("farmctl-")
                })
            }
            Moment::Containers(count) => {
                let all = ListContainersOptionsBuilder::default().all(true).build();
                docker.list_containers(Some(all)).await?.len() >= count
            }
        };
        ensure!(come, "{moment:?}");
        Ok(())
    })
    .await
    .or_else(|late| match up.try_wait() {
        // It was faster than we could look.
        Ok(Some(_ended)) => Ok(()),
        _ => Err(late),
    })
}
