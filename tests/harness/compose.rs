//! compose, of both generations.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;
use tokio::process::Command;

use crate::scenario::Skip;
use crate::{Finished, debian, farmctl};

/// A compose to run on one project.
#[derive(Debug)]
pub struct Compose {
    program: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    /// Where the program was unpacked.
    _unpacked: Option<TempDir>,
}

/// Where Debian has the second generation.
const PLUGIN: &str = "usr/libexec/docker/cli-plugins/docker-compose";

impl Compose {
    /// docker-compose 1.29, in Python, of this machine.
    ///
    /// # Errors
    /// This machine does not have it ([`Skip`]).
    pub async fn first(folder: &Path) -> Result<Self> {
        let compose = Self::new(PathBuf::from("docker-compose"), folder);
        let version = compose.run(&["version"]).await;
        match version.and_then(Finished::success) {
            Ok(version) if version.stdout_text()?.contains("version 1.29") => Ok(compose),
            Ok(other) => Err(Skip(format!("docker-compose is no 1.29: {other}")).into()),
            Err(error) => Err(Skip(format!("there is no docker-compose: {error:#}")).into()),
        }
    }

    /// Compose 2, in Go, of Debian's archive.
    ///
    /// # Errors
    /// The archive is out of reach.
    pub async fn second(folder: &Path) -> Result<Self> {
        let unpacked = tempfile::tempdir()?;
        let program = unpacked.path().join("docker-compose");
        debian::program("docker-compose", PLUGIN, &program).await?;
        Ok(Self {
            _unpacked: Some(unpacked),
            ..Self::new(program, folder)
        })
    }

    fn new(program: PathBuf, folder: &Path) -> Self {
        Self {
            program,
            folder: folder.to_owned(),
            variables: Vec::new(),
            _unpacked: None,
        }
    }

    /// The same with a variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It does not start.
    pub async fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        let line = format!("docker-compose {}", arguments.join(" "));
        farmctl::run(&line, &mut command).await
    }
}
