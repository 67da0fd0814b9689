//! Machines with ARM processors, as far as this one can play them: programs by way of `qemu-user-static`, and an engine
//! that says of itself that it runs on one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::farmctl;
use crate::scenario::Skip;

pub use foreign_engine::ForeignEngine;

mod foreign_engine;

/// Where the kernel keeps the formats of programs.
const FORMATS: &str = "/proc/sys/fs/binfmt_misc";
const FORMAT: &str = "/proc/sys/fs/binfmt_misc/qemu-aarch64";
/// What `qemu-user-static` says of its emulator, and the tool that hands such a file to the kernel.
const DESCRIPTION: &str = "/usr/lib/binfmt.d/qemu-aarch64.conf";
const TOOL: &str = "/lib/systemd/systemd-binfmt";

/// While it lives, containers on this machine may hold programs for arm64.
#[derive(Debug)]
pub struct Emulation {
    /// Whether it was not there before.
    is_ours: bool,
}

impl Emulation {
    /// Has the kernel start programs for arm64 with the emulator, also where the emulator's file is out of sight.
    ///
    /// # Errors
    /// This machine has no emulator, or its kernel takes none ([`Skip`]).
    pub async fn of_arm64() -> Result<Self> {
        let is_ours = !Path::new(FORMAT).exists();
        if is_ours {
            register()
                .await
                .map_err(|error| Skip(format!("{error:#}")))?;
        }
        let emulation = Self { is_ours };
        let format = fs::read_to_string(FORMAT)?;
        let flags = format.lines().find_map(|line| line.strip_prefix("flags: "));
        if !flags.is_some_and(|flags| flags.contains('F')) {
            let problem = "the emulator for arm64 is registered without the flag F";
            return Err(Skip(problem.to_owned()).into());
        }
        Ok(emulation)
    }
}

impl Drop for Emulation {
    fn drop(&mut self) {
        if self.is_ours {
            // Containers that run go on: the kernel holds the emulator open for them.
            let _gone_already = fs::write(FORMAT, "-1");
        }
    }
}

async fn register() -> Result<()> {
    for needed in [DESCRIPTION, TOOL] {
        ensure!(
            Path::new(needed).exists(),
            "{needed} is missing: install qemu-user-static and systemd"
        );
    }
    if !Path::new(FORMATS).join("register").exists() {
        let mut mount = Command::new("mount");
        mount.args(["-t", "binfmt_misc", "binfmt_misc", FORMATS]);
        farmctl::run("mount binfmt_misc", &mut mount)
            .await?
            .success()?;
    }
    let mut tool = Command::new(TOOL);
    farmctl::run(TOOL, tool.arg(DESCRIPTION)).await?.success()?;
    ensure!(
        Path::new(FORMAT).exists(),
        "the kernel did not take the emulator"
    );
    Ok(())
}

/// The daemon as a program for arm64, built by the script that releases use; the profile is the quickest to compile.
///
/// # Errors
/// It cannot be built.
pub async fn arm64_daemon() -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../release/cross-arm64.sh");
    let mut command = Command::new(&script);
    command
        // The archive's mirror may be frozen in time; what it holds is signed all the same.
        .args([
            "--allow-expired",
            "--package",
            "distccd",
            "--bin",
            "distccd",
        ])
        .args(["--config", "profile.dev.opt-level=0"])
        .args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
    let built = farmctl::run("release/cross-arm64.sh", &mut command)
        .await?
        .success()?;
    let path = PathBuf::from(built.stdout_text()?.trim());
    ensure!(
        path.is_file(),
        "the script did not say where the daemon is: {built}"
    );
    path.canonicalize().context("the daemon's path")
}
