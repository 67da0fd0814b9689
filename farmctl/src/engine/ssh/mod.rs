//! Engines behind ssh: one `ssh` process for each host, which carries the engine's socket to this machine.
//!
//! The user's own configuration, keys, agent and list of known hosts count. Nobody is asked anything.

mod command;
mod examine;
mod tunnel;
mod words;

use std::process::Output;

use super::error::{SshFailure, SshProblem};
use super::{CONNECTING, EngineError, EngineErrorKind};
use crate::farm::SshEndpoint;
pub(super) use examine::examine;
pub(super) use tunnel::Tunnel;

/// What ssh makes of the host: its configuration may give names to machines.
///
/// # Errors
/// There is no ssh, or it does not understand its configuration.
pub async fn ssh_host_name(endpoint: &SshEndpoint) -> Result<String, EngineError> {
    let asked = run(command::configuration(endpoint)).await;
    let found = asked.and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let name = text.lines().find_map(|line| line.strip_prefix("hostname "));
        name.map(str::to_owned)
            .ok_or_else(|| words::ended(&String::from_utf8_lossy(&output.stderr)))
    });
    found.map_err(|problem| EngineError {
        operation: CONNECTING.to_owned(),
        kind: EngineErrorKind::Ssh(Box::new(SshFailure {
            endpoint: endpoint.clone(),
            problem,
        })),
    })
}

async fn run(mut command: tokio::process::Command) -> Result<Output, SshProblem> {
    command.output().await.map_err(|error| unstarted(&error))
}

fn unstarted(error: &std::io::Error) -> SshProblem {
    if error.kind() == std::io::ErrorKind::NotFound {
        SshProblem::NotInstalled
    } else {
        SshProblem::NotStarted {
            reason: error.to_string(),
        }
    }
}
