//! The farmctl binary alone in an image that holds nothing else.

use std::path::Path;

use anyhow::{Context, Result};
use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt;
use tar::{Builder, EntryType, Header};

use crate::{Container, Scenario};

const REPOSITORY: &str = "farmtest/alone";

/// Where the engine listens on this machine, if that is a socket.
const SOCKET: &str = "/var/run/docker.sock";

/// An image with `/farmctl`, and `/distccd` as a link to it. It goes when the run ends.
#[derive(Debug)]
pub struct Alone {
    image: String,
    docker: Docker,
}

impl Alone {
    /// Makes the image.
    ///
    /// # Errors
    /// The engine does not take it.
    pub async fn new(scenario: &Scenario) -> Result<Self> {
        let tag = scenario.name_of_run("alone");
        let archive = archive(scenario.farmctl())?;
        let options = CreateImageOptionsBuilder::default()
            .from_src("-")
            .repo(REPOSITORY)
            .tag(&tag)
            .build();
        let docker = scenario.docker().clone();
        docker
            .create_image(
                Some(options),
                Some(bollard::body_full(archive.into())),
                None,
            )
            .try_for_each(|_progress| std::future::ready(Ok(())))
            .await
            .context("the engine does not take the image")?;
        let image = format!("{REPOSITORY}:{tag}");
        Ok(Self { image, docker })
    }

    /// A container of the image, not started.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn container(
        &self,
        scenario: &Scenario,
        body: ContainerCreateBody,
    ) -> Result<Container> {
        let body = ContainerCreateBody {
            image: Some(self.image.clone()),
            ..body
        };
        Container::create(&self.docker, body, scenario.labels()).await
    }
}

/// A container in which farmctl can do all that it can on the host: the engine's socket and the host's network.
pub fn on_host(arguments: &[&str]) -> (ContainerCreateBody, HostConfig) {
    let words = std::iter::once("/farmctl").chain(arguments.iter().copied());
    let body = ContainerCreateBody {
        cmd: Some(words.map(str::to_owned).collect()),
        working_dir: Some("/".to_owned()),
        ..ContainerCreateBody::default()
    };
    let host = HostConfig {
        network_mode: Some("host".to_owned()),
        binds: Some(vec![format!("{SOCKET}:{SOCKET}")]),
        ..HostConfig::default()
    };
    (body, host)
}

fn archive(farmctl: &Path) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    // Engines do not know the extension for files with holes.
    archive.sparse(false);
    archive.append_path_with_name(farmctl, "farmctl")?;
    let mut link = Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    link.set_mode(0o777);
    link.set_size(0);
    archive.append_link(&mut link, "distccd", "farmctl")?;
    Ok(archive.into_inner()?)
}
