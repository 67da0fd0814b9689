//! Why the engine does not answer although ssh gets through: the ssh server says the same words for every reason.

use std::path::PathBuf;

use super::{command, run};
use crate::engine::error::SshProblem;
use crate::farm::SshEndpoint;

/// Asks the machine itself, question by question.
pub(in crate::engine) async fn examine(endpoint: &SshEndpoint) -> SshProblem {
    let socket = command::socket(endpoint);
    let path = socket.to_string_lossy().into_owned();
    let engine = format!("unix://{path}");
    if is_untrue(endpoint, &["test", "-e", &path]).await {
        SshProblem::SocketMissing { socket }
    } else if is_untrue(endpoint, &["test", "-w", &path]).await {
        SshProblem::SocketDenied { socket }
    } else {
        last_question(endpoint, &engine, socket).await
    }
}

/// Docker's own command, where the machine has it, knows whether there is an engine.
async fn last_question(endpoint: &SshEndpoint, engine: &str, socket: PathBuf) -> SshProblem {
    let asked = ["docker", "--host", engine, "version"];
    match run(command::question(endpoint, &asked)).await {
        Ok(output) if output.status.success() => SshProblem::ForwardingRefused,
        _ => SshProblem::SocketSilent { socket },
    }
}

/// The machine says no; that it does not say anything is no answer.
async fn is_untrue(endpoint: &SshEndpoint, words: &[&str]) -> bool {
    let asked = run(command::question(endpoint, words)).await;
    asked.is_ok_and(|output| output.status.code() == Some(1))
}
