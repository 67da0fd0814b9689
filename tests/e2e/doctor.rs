//! What the doctor says of a healthy farm, and of masters with the right and the wrong list of hosts.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use farm_tests::{BOARDS, Board, Command, Files, Finished, Scenario};
use serde_json::Value;

/// Everything that the farm answers for is well; what is said of this machine (its engine, its disk) is no matter here.
pub(crate) async fn a_healthy_farm_has_no_problem(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let examined = farm.run(&["doctor", "--all", "--output", "json"]).await?;
    let found = findings(&examined)?;
    for code in ["volunteer-fit", "gcc-fit"] {
        let count = found
            .iter()
            .filter(|finding| finding.is(code, "well"))
            .count();
        ensure!(count == BOARDS.len(), "{count} findings {code}: {examined}");
    }
    for code in ["farm-as-described", "ports"] {
        ensure!(
            found.iter().any(|finding| finding.is(code, "well")),
            "no {code}: {examined}"
        );
    }
    let of_farm = ["volunteer-", "gcc-", "farm-", "port", "image-"];
    let bad = found.iter().find(|finding| {
        finding.severity != "well"
            && of_farm
                .iter()
                .any(|beginning| finding.code.starts_with(beginning))
    });
    ensure!(bad.is_none(), "{bad:?}: {examined}");
    Ok(())
}

/// The question may be about one target only.
pub(crate) async fn the_doctor_looks_at_one_target_if_asked(scenario: Scenario) -> Result<()> {
    let farm = scenario.shared_farm().await?;
    let examined = farm
        .run(&["doctor", "aarch64", "--all", "--output", "json"])
        .await?;
    let found = findings(&examined)?;
    let fit: Vec<_> = found
        .iter()
        .filter(|finding| finding.code == "volunteer-fit")
        .collect();
    ensure!(
        fit.len() == 1 && fit[0].text.contains("aarch64"),
        "{examined}"
    );
    farm.run(&["doctor", "armv9"])
        .await?
        .expect_code(2)?
        .says("error", "'armv9'")?;
    Ok(())
}

/// The stock client sends the proof; the same compiler on both sides gives the same code.
pub(crate) async fn the_proof_passes_for_a_board_with_the_right_line(
    scenario: Scenario,
) -> Result<()> {
    let board = board("armv7h")?;
    let farm = scenario.shared_farm().await?;
    let hosts = farm.hosts_of(&board).await?;
    let examined = examine(&scenario, &board, &hosts).await?;
    let found = findings(&examined)?;
    for code in ["hosts", "host-fit", "distcc", "proof-equal"] {
        ensure!(
            found.iter().any(|finding| finding.is(code, "well")),
            "no {code}: {examined}"
        );
    }
    let compiled: BTreeSet<_> = found
        .iter()
        .filter(|finding| finding.code.starts_with("proof-") && finding.severity == "problem")
        .collect();
    ensure!(compiled.is_empty(), "{compiled:?}: {examined}");
    Ok(())
}

/// A line that leads to another architecture's port is the most common mistake.
pub(crate) async fn the_wrong_port_is_named_with_the_right_one(scenario: Scenario) -> Result<()> {
    let (board, other) = (board("armv7h")?, board("aarch64")?);
    let farm = scenario.shared_farm().await?;
    let hosts = farm.hosts_of(&other).await?;
    let examined = examine(&scenario, &board, &hosts).await?.expect_code(1)?;
    let found = findings(&examined)?;
    let wrong = found
        .iter()
        .find(|finding| finding.is("host-wrong-target", "problem"));
    let wrong = wrong.with_context(|| format!("the wrong port was not found: {examined}"))?;
    let right = format!("{}:{}", farm.address(), board.port);
    ensure!(
        wrong.hint.contains(&right),
        "{wrong:?} does not name {right}"
    );
    ensure!(
        !found.iter().any(|finding| finding.code == "proof-equal"),
        "{examined}"
    );
    Ok(())
}

/// makepkg.conf keeps jobs at home in two ways, and the list cannot be read.
pub(crate) async fn mistakes_of_a_masters_configuration_are_found(
    scenario: Scenario,
) -> Result<()> {
    let master = scenario.master().await?;
    let mut files = Files::new();
    let makepkg = "CARCH=armv7h\nBUILDENV=(!distcc color)\nCFLAGS=\"-O2 -march=native\"\n\
                   case \"$CARCH\" in\n  armv7h) DISTCC_HOSTS=\"a:3635/4,b:3635/4\" ;;\nesac\n";
    files.insert(".makepkg.conf", makepkg);
    master.copy_in("/work/doctor-home", &files).await?;
    let board = board("armv7h")?;
    let examined = run(&scenario, &board, &[], "/work/doctor-home")
        .await?
        .expect_code(1)?;
    let found = findings(&examined)?;
    for code in ["buildenv", "flags-native", "hosts-syntax"] {
        ensure!(
            found.iter().any(|finding| finding.is(code, "problem")),
            "no {code}: {examined}"
        );
    }
    Ok(())
}

fn board(target: &str) -> Result<Board> {
    let mut boards = BOARDS.into_iter();
    boards
        .find(|board| board.target == target)
        .context("no such board")
}

async fn examine(scenario: &Scenario, board: &Board, hosts: &str) -> Result<Finished> {
    run(
        scenario,
        board,
        &[hosts],
        &format!("/work/doctor{}", suffix(hosts)),
    )
    .await
}

/// Trials run at the same time: each one has a folder of its own.
fn suffix(hosts: &str) -> String {
    hosts.chars().filter(char::is_ascii_digit).collect()
}

/// farmctl is one static program: a master gets a copy, in the folder that is its user's home.
async fn run(scenario: &Scenario, board: &Board, hosts: &[&str], home: &str) -> Result<Finished> {
    let master = scenario.master().await?;
    let mut files = Files::new();
    files.insert("farmctl", std::fs::read(scenario.farmctl())?);
    master.copy_in(home, &files).await?;
    let program = format!("{home}/farmctl");
    let mut words = vec![
        program.as_str(),
        "doctor",
        "--master",
        "--all",
        "--output",
        "json",
    ];
    words.extend(hosts);
    let command = Command::new(words)
        .env("CC", format!("{}-gcc", board.triple))
        .env("CXX", format!("{}-g++", board.triple))
        .env("HOME", home);
    master.run(&command).await
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    code: String,
    severity: String,
    text: String,
    hint: String,
}

impl Finding {
    fn is(&self, code: &str, severity: &str) -> bool {
        self.code == code && self.severity == severity
    }
}

fn findings(examined: &Finished) -> Result<Vec<Finding>> {
    let document: Value = serde_json::from_slice(&examined.stdout)
        .with_context(|| format!("no document: {examined}"))?;
    ensure!(document["version"] == 1, "another version: {examined}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let finding = |value: &Value| Finding {
        code: text(&value["code"]),
        severity: text(&value["severity"]),
        text: text(&value["text"]),
        hint: text(&value["hint"]),
    };
    let found = document["findings"].as_array().context("no findings")?;
    Ok(found.iter().map(finding).collect())
}
