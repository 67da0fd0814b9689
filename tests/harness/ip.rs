//! Networks of the kernel, by ip(8).

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

pub(crate) async fn ip(arguments: &[&str]) -> Result<()> {
    ask_ip(arguments).await.map(drop)
}

/// What `ip` prints.
pub(crate) async fn ask_ip(arguments: &[&str]) -> Result<String> {
    let done = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .context("cannot start ip (package iproute2)")?;
    ensure!(
        done.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8(done.stdout)?)
}
