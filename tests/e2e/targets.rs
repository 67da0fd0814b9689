//! Targets beyond the default farm: each is one YAML file, built in or beside the manifest.

use std::fs;

use anyhow::{Context, Result, ensure};
use farm_tests::{Board, FURTHER_BOARDS, Scenario};
use object::{Architecture, Object};
use volunteer_toolchain::Strictness;

use crate::versions;

/// Two that farmctl knows and one that only a file beside the manifest describes, up to objects as they should be.
pub(crate) async fn further_targets_are_one_file_each(scenario: Scenario) -> Result<()> {
    let farm = scenario
        .farm(
            "further",
            "jobs: 2\ntargets: { riscv64: {}, i686: {}, i586: {} }\n",
        )
        .await?;
    let folder = farm.folder().join("toolchains");
    fs::create_dir(&folder)?;
    fs::write(folder.join("i586.yaml"), I586)?;
    farm.run(&["up"]).await?.success()?;

    // Healthy means that the volunteer compiled a source of its own and its object is the target's.
    let status = farm.run(&["status", "--output", "json"]).await?.success()?;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout)?;
    let volunteers = status["volunteers"].as_array().context("no volunteers")?;
    ensure!(volunteers.len() == 3, "{status}");
    for volunteer in volunteers {
        ensure!(volunteer["state"] == "running", "{status}");
    }

    let [riscv64, i686] = FURTHER_BOARDS;
    let mut i586: Board = i686;
    (i586.target, i586.port, i586.triple) = ("i586", 3639, "i586-pc-linux-gnu");
    for (board, architecture) in [
        (riscv64, Architecture::Riscv64),
        (i686, Architecture::I386),
        (i586, Architecture::I386),
    ] {
        for language in ["gcc", "g++"] {
            let compiler = format!("{}-{language}", board.triple);
            let made = versions::compile(&scenario, &farm, &board, &compiler).await?;
            board
                .object()
                .check(&made, Strictness::Exact)
                .with_context(|| format!("object of {compiler}"))?;
            let parsed = object::File::parse(made.as_slice())?;
            ensure!(parsed.architecture() == architecture, "{compiler}");
        }
    }
    Ok(())
}

const I586: &str = "\
target: i586
port: 3639
carch: i586
triples: [i586-pc-linux-gnu]
object: { class: elf32, machine: i386 }
defaults: [-march=i586]
gcc:
  packages: ['g++-{version}-i686-linux-gnu']
  c: '/usr/bin/i686-linux-gnu-gcc-{version}'
  c++: '/usr/bin/i686-linux-gnu-g++-{version}'
";
