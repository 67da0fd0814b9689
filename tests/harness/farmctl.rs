//! `farmctl` as a process: the binary that a user runs.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::Finished;

/// Builds farmctl, which costs nothing when it is fresh, and returns where it is.
///
/// # Errors
/// It cannot be built.
pub async fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The whole workspace, so that features are those of the build that brought the tests.
    command.args([
        "build",
        "--workspace",
        "--bin",
        "farmctl",
        "--message-format",
        "json",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let built = run("cargo build --bin farmctl", &mut command).await?;
    ensure!(built.code == 0, "cannot build farmctl: {built}");
    executable(built.stdout_text()?).context("cargo did not say where farmctl is")
}

/// Cargo prints a JSON message for everything that it made or found fresh.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "farmctl")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Runs a process without input to its end.
///
/// # Errors
/// It does not start.
pub async fn run(line: &str, command: &mut Command) -> Result<Finished> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {line}"))?;
    finish(line, child).await
}

/// Waits for the end of a process whose output is piped.
///
/// # Errors
/// The kernel does not tell.
pub async fn finish(line: &str, child: tokio::process::Child) -> Result<Finished> {
    use std::os::unix::process::ExitStatusExt;
    let output = child
        .wait_with_output()
        .await
        .with_context(|| format!("cannot wait for {line}"))?;
    let by_signal = || output.status.signal().map_or(-1, |signal| 128 + signal);
    Ok(Finished {
        command: line.to_owned(),
        code: i64::from(output.status.code().unwrap_or_else(by_signal)),
        stdout: output.stdout,
        stderr: output.stderr,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = "noise\n\
             {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"serde\"},\"executable\":null}\n\
             {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"farmctl\"},\"executable\":null}\n\
             {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"farmctl\"},\"executable\":\"/t/farmctl\"}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/farmctl")));
        assert_eq!(executable(""), None);
    }
}
