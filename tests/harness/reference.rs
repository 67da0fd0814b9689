//! The reference for every object: the same compiler in a plain container of the same image, without the daemon's help.

use anyhow::{Context, Result};
use bollard::models::{ContainerCreateBody, HostConfig};
use futures_util::future::try_join_all;
use volunteer_toolchain::{TOOLCHAIN_PATH, Toolchain};

use crate::project::Project;
use crate::{Command, Container, Files, Scenario};

/// A container in which the compilers of a volunteer's image are called directly.
#[derive(Debug)]
pub struct Reference {
    container: Container,
    toolchain: Toolchain,
}

impl Reference {
    /// Starts a container of `image`, with a writable root and a daemon that nobody can reach.
    ///
    /// # Errors
    /// The engine refuses, or the image describes no toolchain.
    pub async fn start(scenario: &Scenario, image: &str) -> Result<Self> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            user: Some("0:0".to_owned()),
            cmd: Some(
                ["--daemon", "--no-detach", "--allow", "127.0.0.1"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let container = scenario.container(body).await?;
        let (folder, name) = TOOLCHAIN_PATH.rsplit_once('/').context("not absolute")?;
        let description = container.copy_out(folder).await?;
        let toolchain = serde_json::from_slice(description.read(name)?)?;
        Ok(Self {
            container,
            toolchain,
        })
    }

    /// Compiles preprocessed sources as `project` does, with the preferred compiler.
    ///
    /// # Errors
    /// They do not compile.
    pub async fn compile(&self, project: &Project, sources: &Files) -> Result<Files> {
        let mut inputs = Files::new();
        let mut names = Vec::new();
        for (unit, source) in sources.iter() {
            let name = format!("{}.{}", flat(unit), project.preprocessed);
            inputs.insert(format!("reference/{name}"), source);
            names.push(name);
        }
        self.container.copy_in("/tmp", &inputs).await?;
        let runs = names
            .chunks(names.len().div_ceil(PARALLEL).max(1))
            .map(|names| self.compile_files(project, names));
        try_join_all(runs).await?;
        self.results(sources).await
    }

    async fn compile_files(&self, project: &Project, names: &[String]) -> Result<()> {
        let compiler = self.toolchain.compilers.first().context("no compiler")?;
        let driver = match project.compiler {
            "gcc" => &compiler.gcc,
            _ => &compiler.gxx,
        };
        let mut words = vec![driver.display().to_string()];
        words.extend(self.toolchain.defaults.iter().cloned());
        words.extend(project.options.iter().map(|option| (*option).to_owned()));
        words.push("-c".to_owned());
        words.extend(names.iter().cloned());
        let command = Command::new(words).folder("/tmp/reference").user("0:0");
        self.container.exec(&command).await?.success()?;
        Ok(())
    }

    async fn results(&self, sources: &Files) -> Result<Files> {
        let compiled = self.container.copy_out("/tmp/reference").await?;
        let mut objects = Files::new();
        for (unit, _source) in sources.iter() {
            objects.insert(unit, compiled.read(&format!("{}.o", flat(unit)))?);
        }
        Ok(objects)
    }
}

/// Compilers at once.
const PARALLEL: usize = 2;

/// One folder for all: paths become names.
fn flat(unit: &str) -> String {
    unit.replace('/', "-")
}
