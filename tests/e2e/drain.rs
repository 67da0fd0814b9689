//! Parts of a farm that are taken out and brought back.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use bollard::query_parameters::StartContainerOptions;
use farm_tests::{BOARDS, Command, Scenario, TestFarm, eventually};

/// How long a volunteer may take to compile on a loaded machine.
const COMPILES: Duration = Duration::from_mins(3);

const KEYS: &str = "targets: { armv5: { restart: always }, aarch64: {} }\n";

async fn standing(scenario: &Scenario, word: &str) -> Result<TestFarm> {
    let farm = scenario.farm(word, KEYS).await?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    farm.run(&["up"]).await?.success()?;
    Ok(farm)
}

fn is_open(farm: &TestFarm, port: u16) -> bool {
    TcpStream::connect(SocketAddr::new(farm.address(), port)).is_ok()
}

/// Also if its policy says that it always runs.
pub(crate) async fn a_drained_target_refuses_until_it_is_undrained(
    scenario: Scenario,
) -> Result<()> {
    let farm = standing(&scenario, "drain").await?;
    let [drained, other] = [BOARDS[1], BOARDS[4]];
    farm.run(&["drain", drained.target]).await?.success()?;
    ensure!(!is_open(&farm, drained.port), "the port is open");
    ensure!(is_open(&farm, other.port), "the other port is closed");
    let again = farm.run(&["drain", drained.target]).await?.success()?;
    ensure!(again.stderr_text()?.contains("nothing to do"), "{again}");

    for verb in [&["up"][..], &["restart"], &["plan", "--exit-code"]] {
        let told = farm.run(verb).await?.success()?;
        ensure!(told.stderr_text()?.contains("is drained"), "{told}");
        ensure!(!is_open(&farm, drained.port), "{verb:?} opened the port");
    }
    let status = farm.run(&["status"]).await?.success()?;
    ensure!(status.stdout_text()?.contains("drained"), "{status}");

    // Somebody who starts it by hand has not undrained it.
    let by_hand = farm.volunteers(scenario.docker(), &drained).await?;
    for container in by_hand {
        let started = scenario
            .docker()
            .start_container(container.id(), None::<StartContainerOptions>);
        started.await?;
        // Asked to end before it listens to signals, the first process of a container would not hear it.
        let probe = Command::new(["/usr/bin/distccd", "--probe", &drained.port.to_string()]);
        eventually("it compiles", COMPILES, async || {
            container.exec(&probe).await?.success()
        })
        .await?;
    }
    farm.run(&["plan", "--exit-code"]).await?.expect_code(5)?;
    farm.run(&["up"]).await?.success()?;
    farm.run(&["plan", "--exit-code"]).await?.success()?;

    farm.run(&["undrain", drained.target]).await?.success()?;
    ensure!(is_open(&farm, drained.port), "the port is closed");
    farm.run(&["plan", "--exit-code"]).await?.success()?;
    farm.run(&["status"]).await?.success()?;
    Ok(())
}

/// Only what is named is touched.
pub(crate) async fn a_part_of_the_farm_comes_and_goes(scenario: Scenario) -> Result<()> {
    let farm = standing(&scenario, "part").await?;
    let [one, other] = [BOARDS[1], BOARDS[4]];
    let before = farm.volunteer(scenario.docker(), &other).inspect().await?;
    farm.run(&["down", one.target]).await?.success()?;
    ensure!(!is_open(&farm, one.port), "the port is open");
    ensure!(is_open(&farm, other.port), "the other port is closed");
    farm.run(&["status"]).await?.expect_code(4)?;
    farm.run(&["drain", one.target]).await?.expect_code(1)?;
    farm.run(&["plan", other.target, "--exit-code"])
        .await?
        .success()?;
    farm.run(&["up", other.target]).await?.success()?;
    ensure!(!is_open(&farm, one.port), "another target came up");
    farm.run(&["up", one.target]).await?.success()?;
    let after = farm.volunteer(scenario.docker(), &other).inspect().await?;
    assert_eq!(before.id, after.id);
    farm.run(&["plan", "--exit-code"]).await?.success()?;

    let unknown = farm.run(&["up", "armv9"]).await?.expect_code(2)?;
    unknown.says("error", "armv9")?;
    Ok(())
}
