//! Signals to processes of tests.

use anyhow::{Context, Result};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::process::Child;

/// Sends `signal` to a child that may have ended by itself meanwhile.
///
/// # Errors
/// The kernel refuses.
pub fn send(child: &Child, signal: Signal) -> Result<()> {
    // A child that has been waited for has no id any more; nobody can be hit by mistake.
    let Some(id) = child.id() else { return Ok(()) };
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(pid.context("not a process id")?, signal).context("cannot signal farmctl")
}
