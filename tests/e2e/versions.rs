//! GCC versions: several in one container, and those of the testing suite.

use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use farm_tests::{
    BOARDS, Board, Command, Container, Files, Master, Scenario, TestFarm, debian, job_log,
};
use object::{Object, ObjectSection};

const SOURCE: &str = "int answer(void) { return 42; }\n";

/// A version in the compiler's name chooses it; without one the manifest's first is taken.
pub(crate) async fn one_container_has_several_gcc_versions(scenario: Scenario) -> Result<()> {
    let farm = scenario
        .farm("versions", "targets: { aarch64: { gcc: [14, 12] } }\n")
        .await?;
    farm.run(&["up"]).await?.success()?;
    let board = BOARDS[4];
    let cases = [
        ("-gcc-12", 12),
        ("-gcc-14", 14),
        ("-gcc", 14),
        ("-g++-12", 12),
    ];
    for (suffix, major) in cases {
        let compiler = format!("{}{suffix}", board.triple);
        let object = compile(&scenario, &farm, &board, &compiler).await?;
        made_by(&object, major)?;
    }
    let volunteer = farm.volunteer(scenario.docker(), &board);
    ensure!(
        compiled_by(&volunteer).await?.ends_with(&[12, 14, 14, 12]),
        "the log disagrees"
    );

    let status = farm.run(&["status", "--output", "json"]).await?.success()?;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout)?;
    assert_eq!(status["volunteers"][0]["gcc"], serde_json::json!([14, 12]));
    Ok(())
}

async fn compiled_by(volunteer: &Container) -> Result<Vec<u64>> {
    let jobs = job_log::jobs(volunteer).await?;
    let ours = jobs
        .into_iter()
        .filter(|job| job.source.starts_with("answer"));
    Ok(ours.filter_map(|job| job.gcc).collect())
}

/// Sends a preprocessed source, so that the master needs no such compiler.
pub(crate) async fn compile(
    scenario: &Scenario,
    farm: &TestFarm,
    board: &Board,
    compiler: &str,
) -> Result<Vec<u8>> {
    let master: &Master = scenario.master().await?;
    let extension = if compiler.contains("++") { "ii" } else { "i" };
    let input = format!("answer.{extension}");
    let mut files = Files::new();
    files.insert(&input, SOURCE);
    let folder = format!("/work/versions/{compiler}");
    master.copy_in(&folder, &files).await?;
    let command = Command::new(["distcc", compiler, "-O1", "-c", &input, "-o", "answer.o"])
        .folder(&folder)
        .env("DISTCC_HOSTS", farm.hosts_of(board).await?)
        .env("DISTCC_FALLBACK", "0")
        .env("DISTCC_DIR", &folder);
    master.run(&command).await?.success()?;
    let made = master.copy_out(&folder).await?;
    Ok(made.read("answer.o")?.to_vec())
}

/// Compilers sign their objects: `GCC: (Debian 12.4.0-5) 12.4.0`.
fn made_by(object: &[u8], major: u64) -> Result<()> {
    let file = object::File::parse(object)?;
    let comment = file.section_by_name(".comment").context("no .comment")?;
    let comment = String::from_utf8_lossy(comment.data()?).into_owned();
    let version = comment
        .trim_matches('\0')
        .rsplit(' ')
        .next()
        .unwrap_or_default();
    ensure!(
        version.starts_with(&format!("{major}.")),
        "expected GCC {major}: {comment}"
    );
    Ok(())
}

/// The testing suite's index expires. An expired one is refused, unless the user says that it is known to be old.
pub(crate) async fn an_expired_index_is_used_only_if_allowed(scenario: Scenario) -> Result<()> {
    let board = BOARDS[3];
    let farm = scenario
        .farm("testing", "targets: { armv7h: { gcc: [16] } }\n")
        .await?;
    if testing_has_expired().await? {
        let refused = farm.run(&["up"]).await?.expect_code(1)?;
        refused.says("error", "expired")?;
        refused.says("hint", "--allow-expired")?;
        let made = farm.run(&["status"]).await?.expect_code(4)?;
        ensure!(
            made.stdout_text()?.contains("missing"),
            "something was made: {made}"
        );
    }
    farm.run(&["up", "--allow-expired"]).await?.success()?;
    let object = compile(&scenario, &farm, &board, &format!("{}-gcc", board.triple)).await?;
    made_by(&object, 16)?;
    board
        .object()
        .check(&object, volunteer_toolchain::Strictness::Exact)?;
    Ok(())
}

/// Mirrors may be frozen: only their own index tells.
async fn testing_has_expired() -> Result<bool> {
    let url = format!("{}dists/testing/InRelease", debian::mirror()?);
    let text = reqwest::get(url).await?.error_for_status()?.text().await?;
    let until = text
        .lines()
        .find_map(|line| line.strip_prefix("Valid-Until: "));
    let until =
        httpdate::parse_http_date(&until.context("it never expires")?.replace("UTC", "GMT"))?;
    Ok(until < SystemTime::now())
}
