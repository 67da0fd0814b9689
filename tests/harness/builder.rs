//! An image that can build farmctl: Debian's C compiler, and Rust and the crates of this machine. It stands for the
//! official one, which is in a registry.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bollard::Docker;
use tempfile::TempDir;
use tokio::process::Command;

use crate::master::image::{Contents, LEAVE_OUT};
use crate::scenario::Skip;
use crate::{debian, farmctl};

/// What links Rust programs, and a shell for `RUN`.
const PACKAGES: [&str; 5] = ["coreutils", "dash", "gcc", "libc6-dev", "sed"];

/// What a linker has no use for, besides what no image of packages needs.
const LEAVE_OUT_TOO: [&str; 2] = ["libc-dev-bin", "manpages*"];

/// Where the image has Rust: a place that is on every search path.
const RUST: &str = "usr/local";
/// What `cc` stands for, which a maintainer script would have said.
const CC: &str = "usr/local/bin/cc";
const CARGO_CONFIG: &str = "root/.cargo/config.toml";
/// The standard library and the linker that comes with Rust.
const FOR_THIS_MACHINE: &str = "lib/rustlib/x86_64-unknown-linux-gnu";

/// The name of the image, which the engine has afterwards.
///
/// # Errors
/// This machine has no crates that cargo could use without a network ([`Skip`]), or the engine does not take the image.
pub async fn ensure(docker: &Docker) -> Result<String> {
    let (version, sysroot) = (rustc(&["-vV"]).await?, rustc(&["--print=sysroot"]).await?);
    let sysroot = PathBuf::from(sysroot.trim());
    let crates = cargo_home().context("neither CARGO_HOME nor HOME is set")?;
    let crates = crates.join("registry");
    if !crates.join("cache").is_dir() {
        let reason = format!("there are no crates in {}", crates.display());
        return Err(Skip(reason).into());
    }
    let mut folders = rust(&sysroot)?;
    for folder in ["cache", "index"] {
        let place = format!("root/.cargo/registry/{folder}");
        folders.push((crates.join(folder), place));
    }
    let additions = additions()?;
    for path in [CC, CARGO_CONFIG] {
        folders.push((additions.path().join(path), path.to_owned()));
    }
    let contents = Contents {
        repository: "farmtest/builder",
        packages: &PACKAGES,
        leave_out: &[&LEAVE_OUT[..], &LEAVE_OUT_TOO].concat(),
        folders,
    };
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let version = format!("{version}{lock}{RUST}{FOR_THIS_MACHINE}");
    contents.ensure(docker, &debian::archive()?, &version).await
}

/// What maintainer scripts would have done, and a cargo that asks nobody.
fn additions() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let write = |path: &str, text: &str, mode: u32| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
    };
    write(CC, "#!/bin/sh\nexec gcc \"$@\"\n", 0o755)?;
    write(CARGO_CONFIG, "[net]\noffline = true\n", 0o644)?;
    Ok(folder)
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The compiler with its own libraries, and what it needs to link for this kind of machine.
fn rust(sysroot: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut wanted = ["bin/cargo", "bin/rustc", FOR_THIS_MACHINE]
        .map(str::to_owned)
        .to_vec();
    for entry in std::fs::read_dir(sysroot.join("lib"))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            wanted.push(format!("lib/{}", entry.file_name().to_string_lossy()));
        }
    }
    let place = |path: String| (sysroot.join(&path), format!("{RUST}/{path}"));
    Ok(wanted.into_iter().map(place).collect())
}

async fn rustc(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("rustc");
    command.args(arguments).current_dir(root());
    let run = farmctl::run("rustc", &mut command).await?.success()?;
    Ok(run.stdout_text()?.to_owned())
}

fn cargo_home() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || Some(PathBuf::from(set("HOME")?).join(".cargo"));
    set("CARGO_HOME").map(PathBuf::from).or_else(home)
}
