//! Questions to a compiler about itself.

use std::future;
use std::path::Path;
use std::time::Duration;

use super::workspace::Workspace;
use super::{Unable, environment};
use crate::accept::Service;
use crate::supervise::{Allowance, Command};

/// How long an answer may take; compilers have it ready.
const ANSWER: Duration = Duration::from_secs(30);

/// What `program` prints for `words`: run like the compiler of a job, in a directory of its own, without a source.
pub(crate) async fn ask(
    service: &Service,
    program: &Path,
    words: &[&str],
) -> Result<String, Unable> {
    let workspace = Workspace::create(&service.settings.workspace, false).map_err(Unable::Store)?;
    let command = Command {
        program: program.to_owned(),
        arguments: words.iter().map(Into::into).collect(),
        directory: workspace.path().to_owned(),
        room: workspace.path().to_owned(),
        environment: environment(program, workspace.path()),
    };
    let allowance = Allowance {
        wall: Some(ANSWER),
        grace: Duration::ZERO,
        printed_bytes: service.settings.printed_bytes,
    };
    let group = (service.children).spawn(&command, &service.sandbox, allowance);
    let ended = group.wait(future::pending()).await;
    let stdout = ended
        .map_err(|broken| Unable::run(&command.program, broken))?
        .stdout
        .bytes;
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}
