//! The master: a machine with the stock client, full compilers and no way to reach the farm but its published ports.

mod folder;
pub(crate) mod image;
mod rootfs;

use anyhow::{Context, Result};
use bollard::models::{ContainerCreateBody, HostConfig};

use crate::{Command, Container, Files, Finished, Lan, Scenario, debian};

/// A running master on a network of its own.
#[derive(Debug, Clone)]
pub struct Master(Container);

/// Where builds take place.
pub const WORK: &str = "/work";

impl Master {
    /// Makes the image if the engine lacks it, and starts a container that lives as long as the run.
    ///
    /// # Errors
    /// The mirror cannot be reached, or the engine refuses.
    pub(crate) async fn start(scenario: &Scenario) -> Result<Self> {
        let image = image::ensure(scenario.docker(), &debian::archive()?)
            .await
            .context("cannot make the master's image")?;
        let name = scenario.name_of_run("master-lan");
        let lan = Lan::create(scenario.docker(), name, scenario.labels_of_run()).await?;
        let body = ContainerCreateBody {
            image: Some(image),
            hostname: Some("master".to_owned()),
            cmd: Some(vec!["/usr/bin/sleep".to_owned(), "infinity".to_owned()]),
            env: Some(vec![format!("PATH={PATH}"), format!("HOME={WORK}")]),
            host_config: Some(HostConfig {
                network_mode: Some(lan.name),
                init: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let container =
            Container::create(scenario.docker(), body, scenario.labels_of_run()).await?;
        container.start().await?;
        Ok(Self(container))
    }

    /// Runs a command.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn run(&self, command: &Command) -> Result<Finished> {
        self.0.exec(command).await
    }

    /// Puts files into a folder beneath [`WORK`] that need not exist.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn copy_in(&self, folder: &str, files: &Files) -> Result<()> {
        let make = Command::new(["/usr/bin/mkdir", "-p", folder]);
        self.run(&make).await?.success()?;
        self.0.copy_in(folder, files).await
    }

    /// The regular files beneath a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub async fn copy_out(&self, folder: &str) -> Result<Files> {
        self.0.copy_out(folder).await
    }
}

const PATH: &str = "/usr/local/bin:/usr/bin:/usr/sbin";
