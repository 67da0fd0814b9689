//! A container of a test, commands in it, and files in and out.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, ContainerInspectResponse};
use bollard::query_parameters::{
    CreateContainerOptions, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
    LogsOptionsBuilder, StartContainerOptions, UploadToContainerOptionsBuilder,
    WaitContainerOptions,
};
use futures_util::{Stream, StreamExt, TryStreamExt};

use crate::{Files, Finished};

/// A container, by its id or name. Removing it is the sweep's work.
#[derive(Debug, Clone)]
pub struct Container {
    docker: Docker,
    id: String,
}

impl Container {
    /// A container that exists.
    pub fn existing(docker: &Docker, id_or_name: impl Into<String>) -> Self {
        Self {
            docker: docker.clone(),
            id: id_or_name.into(),
        }
    }

    /// Makes a container and does not start it.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn create(
        docker: &Docker,
        body: ContainerCreateBody,
        labels: HashMap<String, String>,
    ) -> Result<Self> {
        let body = ContainerCreateBody {
            labels: Some(labels),
            ..body
        };
        let image = body.image.clone().unwrap_or_default();
        let created = docker
            .create_container(None::<CreateContainerOptions>, body)
            .await
            .with_context(|| format!("cannot create a container of {image}"))?;
        Ok(Self::existing(docker, created.id))
    }

    /// The engine's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts it.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn start(&self) -> Result<()> {
        self.docker
            .start_container(&self.id, None::<StartContainerOptions>)
            .await
            .with_context(|| format!("cannot start container {}", self.id))
    }

    /// Waits until its program has ended, and returns what that left behind.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn wait(&self) -> Result<Finished> {
        let waiting = self
            .docker
            .wait_container(&self.id, None::<WaitContainerOptions>);
        // The client turns an exit code other than 0 into an error; the state tells it as well.
        let _exit = waiting.collect::<Vec<_>>().await;
        let state = self.inspect().await?.state.unwrap_or_default();
        let (stdout, stderr) = self.logs().await?;
        Ok(Finished {
            command: format!("container {}", self.id),
            code: state.exit_code.context("the container has no exit code")?,
            stdout,
            stderr,
        })
    }

    /// Everything that the engine knows of it.
    ///
    /// # Errors
    /// The engine does not answer, or there is no such container.
    pub async fn inspect(&self) -> Result<ContainerInspectResponse> {
        self.docker
            .inspect_container(&self.id, None::<InspectContainerOptions>)
            .await
            .with_context(|| format!("cannot inspect container {}", self.id))
    }

    /// All that its program wrote, to standard output and to standard error.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn logs(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .build();
        collect(self.docker.logs(&self.id, Some(options)))
            .await
            .with_context(|| format!("cannot read the log of container {}", self.id))
    }

    /// Runs a command in it and waits for its end.
    ///
    /// # Errors
    /// The engine refuses. A command that ends badly is not an error: see [`Finished::success`].
    pub async fn exec(&self, command: &Command) -> Result<Finished> {
        self.exec_on_engine(command)
            .await
            .with_context(|| format!("cannot run '{}' in container {}", command.line(), self.id))
    }

    async fn exec_on_engine(&self, command: &Command) -> Result<Finished> {
        let exec = self.docker.create_exec(&self.id, command.options()).await?;
        let started = self.docker.start_exec(&exec.id, None).await?;
        let StartExecResults::Attached { output, .. } = started else {
            bail!("the engine detached from the command");
        };
        let (stdout, stderr) = collect(output).await?;
        let ended = self.docker.inspect_exec(&exec.id).await?;
        Ok(Finished {
            command: command.line(),
            code: ended.exit_code.context("the command has no exit code")?,
            stdout,
            stderr,
        })
    }

    /// Puts files into a folder, which must exist and not be a tmpfs.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn copy_in(&self, folder: &str, files: &Files) -> Result<()> {
        let options = UploadToContainerOptionsBuilder::default()
            .path(folder)
            .build();
        self.docker
            .upload_to_container(
                &self.id,
                Some(options),
                bollard::body_full(files.to_tar()?.into()),
            )
            .await
            .with_context(|| format!("cannot copy files to {folder} of container {}", self.id))
    }

    /// The regular files beneath a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub async fn copy_out(&self, folder: &str) -> Result<Files> {
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(folder)
            .build();
        let archive: Vec<u8> = self
            .docker
            .download_from_container(&self.id, Some(options))
            .try_fold(Vec::new(), |mut archive, chunk| async move {
                archive.extend_from_slice(&chunk);
                Ok(archive)
            })
            .await
            .with_context(|| format!("cannot copy {folder} out of container {}", self.id))?;
        let root = folder.rsplit('/').next().unwrap_or(folder);
        Files::from_tar(&archive, root)
    }
}

/// A command to run in a container.
#[derive(Debug, Clone)]
pub struct Command {
    words: Vec<String>,
    environment: Vec<String>,
    folder: Option<String>,
    user: Option<String>,
}

impl Command {
    /// A program and its arguments.
    pub fn new<I: IntoIterator<Item = impl Into<String>>>(words: I) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            folder: None,
            user: None,
        }
    }

    /// A shell script that stops at its first failing command.
    pub fn shell(script: impl Into<String>) -> Self {
        Self::new(["/bin/sh".to_owned(), "-euc".to_owned(), script.into()])
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.push(format!("{name}={}", value.as_ref()));
        self
    }

    /// Runs it in this folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Runs it as this user.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    fn line(&self) -> String {
        self.words.join(" ")
    }

    fn options(&self) -> CreateExecOptions<String> {
        CreateExecOptions {
            cmd: Some(self.words.clone()),
            env: Some(self.environment.clone()),
            working_dir: self.folder.clone(),
            user: self.user.clone(),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        }
    }
}

async fn collect(
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>>,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut output = std::pin::pin!(output);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(chunk) = output.try_next().await? {
        match chunk {
            LogOutput::StdErr { message } => stderr.extend_from_slice(&message),
            other => stdout.extend_from_slice(&other.into_bytes()),
        }
    }
    Ok((stdout, stderr))
}
