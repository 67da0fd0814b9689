//! The heart: real code, compiled by the farm for every board, linked and run, every byte of it as it should be.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use farm_tests::project::{Build, DOUBLE_CONVERSION, LUA, Project};
use farm_tests::suite::DockerTest;
use farm_tests::{BOARDS, Board, Container, Files, Scenario, job_log, reference};
use volunteer_toolchain::{ObjectFacts, Strictness};

/// One trial for each project and board.
pub(crate) fn tests() -> impl Iterator<Item = DockerTest> {
    let pairs = BOARDS
        .into_iter()
        .flat_map(|board| [(LUA, board), (DOUBLE_CONVERSION, board)]);
    pairs.map(|(project, board)| {
        let name = format!("compile::{}_for_{}", project.package, board.target);
        DockerTest::new(name, move |scenario| builds(scenario, project, board))
    })
}

async fn builds(scenario: Scenario, project: Project, board: Board) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let hosts = farm.hosts_of(&board).await?;
    let volunteer = farm.volunteer(scenario.docker(), &board);
    let master = scenario.master().await?;

    let before = job_log::compiled(&job_log::jobs(&volunteer).await?);
    let build = project.build(master, &board, &hosts).await?;
    let after = job_log::compiled(&job_log::jobs(&volunteer).await?);

    let units = build.objects.len();
    ensure!(
        units >= project.least_units,
        "only {units} translation units"
    );
    the_volunteer_compiled_every_unit_once(&build, &before, &after)?;
    every_object_is_the_boards(&build.objects, &board.object())?;
    every_object_is_the_compilers(&scenario, &project, &build, &volunteer).await?;
    project.try_out(master, &board, &build).await
}

/// Neither fallback nor retry: the daemon's own count says that nothing was compiled on the master.
fn the_volunteer_compiled_every_unit_once(
    build: &Build,
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) -> Result<()> {
    let count = |jobs: &BTreeMap<String, usize>, unit: &str| -> usize {
        let of_unit = |name: &&String| stem(name) == stem(unit);
        jobs.keys().filter(of_unit).map(|name| jobs[name]).sum()
    };
    for (unit, _object) in build.objects.iter() {
        let jobs = count(after, unit) - count(before, unit);
        ensure!(jobs == 1, "the volunteer compiled {unit} {jobs} times");
    }
    Ok(())
}

/// A unit's name without folder and extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.')
        .map_or(name, |(stem, _extension)| stem)
}

fn every_object_is_the_boards(objects: &Files, expected: &ObjectFacts) -> Result<()> {
    for (unit, object) in objects.iter() {
        expected
            .check(object, Strictness::Exact)
            .with_context(|| format!("object of {unit}"))?;
    }
    Ok(())
}

/// Byte by byte what the same compiler in the same image makes of the same preprocessed source.
async fn every_object_is_the_compilers(
    scenario: &Scenario,
    project: &Project,
    build: &Build,
    volunteer: &Container,
) -> Result<()> {
    let image = volunteer.inspect().await?.image.context("no image")?;
    let reference = reference::Reference::start(scenario, &image).await?;
    let expected = reference.compile(project, &build.sources).await?;
    ensure!(
        expected
            .iter()
            .map(|(unit, _)| unit)
            .eq(build.objects.iter().map(|(unit, _)| unit)),
        "objects and sources are of different units: {:?}",
        (expected.paths(), build.objects.paths()),
    );
    for (unit, object) in expected.iter() {
        let received = build.objects.read(unit)?;
        ensure!(received == object, "{}", difference(unit, received, object));
    }
    Ok(())
}

fn difference(unit: &str, received: &[u8], expected: &[u8]) -> String {
    let same = received
        .iter()
        .zip(expected)
        .take_while(|(a, b)| a == b)
        .count();
    format!(
        "the object of {unit} ({} bytes) is not the compiler's own ({} bytes): first difference at byte {same}",
        received.len(),
        expected.len(),
    )
}
