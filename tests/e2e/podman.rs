//! The main line once more, with Podman's service for Docker's clients as the engine.

use anyhow::{Result, ensure};
use farm_tests::project::LUA;
use farm_tests::{BOARDS, Scenario, TestFarm, job_log};
use volunteer_toolchain::Strictness;

/// A farm comes up, a board's build is compiled by it, it changes unnoticed, and it goes without a trace.
pub(crate) async fn a_farm_lives_on_podman(scenario: Scenario) -> Result<()> {
    let podman = scenario.podman("podman").await?;
    let board = BOARDS[3];
    let keys = |memory: &str| format!("targets: {{ {}: {{ memory: {memory} }} }}\n", board.target);
    let farm = scenario.farm_on_podman(&podman, &keys("2GiB")).await?;
    farm.copy_lock(&*scenario.shared_farm().await?)?;
    farm.run(&["up"]).await?.success()?;
    nothing_is_left_to_do(&farm).await?;

    let volunteer = farm.volunteer(&podman.docker()?, &board);
    let hosts = farm.hosts_of(&board).await?;
    let build = LUA.build(scenario.master().await?, &board, &hosts).await?;
    for (unit, object) in build.objects.iter() {
        let checked = board.object().check(object, Strictness::Exact);
        ensure!(checked.is_ok(), "{unit}: {checked:?}");
    }
    let jobs = job_log::compiled(&job_log::jobs(&volunteer).await?);
    ensure!(
        jobs.len() >= build.objects.len(),
        "only {jobs:?} of {hosts}"
    );

    farm.write_manifest(&keys("1GiB"))?;
    let plan = farm.run(&["plan"]).await?.success()?;
    ensure!(
        plan.stdout_text()?.contains("specification changed"),
        "{plan}"
    );
    farm.run(&["up"]).await?.success()?;
    nothing_is_left_to_do(&farm).await?;
    farm.run(&["restart"]).await?.success()?;
    farm.run(&["drain", board.target]).await?.success()?;
    farm.run(&["undrain", board.target]).await?.success()?;
    nothing_is_left_to_do(&farm).await?;
    let status = farm.run(&["status"]).await?.success()?;
    ensure!(status.stdout_text()?.contains("running"), "{status}");

    farm.run(&["down"]).await?.success()?;
    let left = podman.leftovers().await?;
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

async fn nothing_is_left_to_do(farm: &TestFarm) -> Result<()> {
    let plan = farm.run(&["plan", "--exit-code"]).await?.success()?;
    ensure!(plan.stdout.is_empty(), "{plan}");
    Ok(())
}
