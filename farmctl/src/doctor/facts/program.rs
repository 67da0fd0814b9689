//! Other programs of this machine: where they are, and what they print.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time;

use super::super::{Fact, Unknown};

/// A program that takes longer hangs; a slow board needs several seconds for a file of C++.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Whether it ended well.
    pub success: bool,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Ran {
    /// Its standard output, if it ended well.
    pub fn text(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.stdout);
        self.success.then(|| text.trim().to_owned())
    }
}

/// Runs a program without input, in a changed environment.
pub async fn run<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    change: impl FnOnce(&mut Command),
) -> Fact<Ran> {
    let name = program.display();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    change(&mut command);
    let output = time::timeout(PATIENCE, command.output())
        .await
        .map_err(|_late| {
            Unknown(format!(
                "{name} did not end within {} s",
                PATIENCE.as_secs()
            ))
        })?
        .map_err(|error| Unknown(format!("cannot run {name}: {error}")))?;
    Ok(Ran {
        success: output.status.success(),
        stdout: output.stdout,
        stderr: output.stderr,
    })
}

/// The folders of a PATH that may be looked into.
pub fn folders(path: &str) -> impl Iterator<Item = PathBuf> + '_ {
    std::env::split_paths(path).filter(|folder| folder.is_absolute())
}

/// The program of this name in the first folder that has it.
pub fn find(name: &str, path: &str) -> Option<PathBuf> {
    let is_program = |candidate: &PathBuf| {
        rustix::fs::access(candidate, rustix::fs::Access::EXEC_OK).is_ok() && candidate.is_file()
    };
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(is_program);
    }
    folders(path)
        .map(|folder| folder.join(name))
        .find(is_program)
}

/// Whether a program in `folder` is `wrapper` under another name.
pub fn wraps(folder: &Path, name: &str, wrapper: &str) -> bool {
    let real = folder.join(name).canonicalize();
    real.is_ok_and(|real| real.file_name().is_some_and(|name| name == wrapper))
}
