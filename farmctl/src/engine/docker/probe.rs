//! A volunteer's own compile, inside its container: nothing else reaches its loopback.

use bollard::Docker;
use bollard::errors::Error;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures_util::StreamExt;

use super::super::Fitness;
use crate::farm::{Port, probe_command};

/// Longer explanations are cut.
const MOST_BYTES: usize = 4 << 10;

pub(super) async fn probe(docker: &Docker, container: &str, port: Port) -> Result<Fitness, Error> {
    match run(docker, container, port).await {
        // Ended before it could be asked, or ends all the time.
        Err(Error::DockerResponseServerError {
            status_code: 409,
            message,
        }) => Ok(Fitness::Unfit(message)),
        other => other,
    }
}

async fn run(docker: &Docker, container: &str, port: Port) -> Result<Fitness, Error> {
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(probe_command(port).to_vec()),
        ..ExecConfig::default()
    };
    let exec = docker.create_exec(container, config).await?;
    let mut said = Vec::new();
    if let StartExecResults::Attached { mut output, .. } = docker.start_exec(&exec.id, None).await?
    {
        while let Some(part) = output.next().await {
            let room = MOST_BYTES.saturating_sub(said.len());
            said.extend(part?.into_bytes().into_iter().take(room));
        }
    }
    let ended = docker.inspect_exec(&exec.id).await?;
    Ok(if ended.exit_code == Some(0) {
        Fitness::Fit
    } else {
        let said = String::from_utf8_lossy(&said);
        let reason = said.lines().next().unwrap_or("the check was cut short");
        Fitness::Unfit(reason.to_owned())
    })
}
