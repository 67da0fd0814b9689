//! A farm of a test: a name and folders of its own, the user's cache.

use std::ffi::OsString;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bollard::Docker;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::scenario::Transcript;
use crate::sweep::{self, Scope};
use crate::{AnotherMachine, Board, Container, Finished, SecondEngine, farmctl};

/// A manifest on disk and the `farmctl` to use it with.
#[derive(Debug)]
pub struct TestFarm {
    name: String,
    place: Place,
    farmctl: PathBuf,
    folder: TempDir,
    transcript: Arc<Transcript>,
    /// Where its engine is, if not the machine's.
    elsewhere: Option<Elsewhere>,
}

/// Where a farm's user is, if not on the machine of the trials.
#[derive(Debug, Clone)]
struct Elsewhere {
    /// The network that it is in, if not this one.
    namespace: Option<PathBuf>,
    environment: Vec<(&'static str, OsString)>,
}

/// Where a farm's ports are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// An address that no other farm has.
    Own(IpAddr),
    /// This machine's own address, which farmctl finds out.
    Machine(IpAddr),
}

impl TestFarm {
    pub(crate) fn new(
        name: String,
        place: Place,
        keys: &str,
        farmctl: PathBuf,
        transcript: Arc<Transcript>,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("farmtest").tempdir()?;
        let farm = Self {
            name,
            place,
            farmctl,
            folder,
            transcript,
            elsewhere: None,
        };
        farm.write_manifest(keys)?;
        Ok(farm)
    }

    /// The same farm on a second engine.
    pub(crate) fn on(mut self, engine: &SecondEngine) -> Self {
        self.elsewhere = Some(Elsewhere {
            namespace: Some(engine.namespace()),
            environment: vec![("DOCKER_HOST", engine.endpoint().into())],
        });
        self
    }

    /// The same farm on another engine of this machine.
    pub(crate) fn at(mut self, endpoint: String) -> Self {
        self.elsewhere = Some(Elsewhere {
            namespace: None,
            environment: vec![("DOCKER_HOST", endpoint.into())],
        });
        self
    }

    /// The same farm, as a user of another machine has it.
    pub(crate) fn from(mut self, machine: &AnotherMachine) -> Self {
        self.elsewhere = Some(Elsewhere {
            namespace: Some(machine.namespace()),
            environment: Vec::new(),
        });
        self
    }

    /// Sets a variable for every `farmctl` of a farm that is elsewhere.
    pub fn set(&mut self, variable: &'static str, value: OsString) {
        if let Some(elsewhere) = &mut self.elsewhere {
            elsewhere.environment.push((variable, value));
        }
    }

    /// The farm's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder of the manifest and the lock.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address that its ports are published on.
    pub fn address(&self) -> IpAddr {
        match self.place {
            Place::Own(address) | Place::Machine(address) => address,
        }
    }

    /// Replaces everything of the manifest but the farm's name and address.
    ///
    /// # Errors
    /// The disk is full.
    pub fn write_manifest(&self, keys: &str) -> Result<()> {
        let path = self.folder().join("farm.yaml");
        let address = match self.place {
            Place::Own(address) => address.to_string(),
            Place::Machine(_found_out) => "auto".to_owned(),
        };
        let text = format!("farm: {}\naddress: {address}\n{keys}", self.name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Makes the image of `target` differ from those of all other farms, so that no engine has it: one more triple is
    /// enough. To be called after the manifest was written.
    ///
    /// # Errors
    /// There is no such target.
    pub fn make_images_unique(&self, target: &str) -> Result<()> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../toolchains");
        let file = format!("{target}.yaml");
        let text = fs::read_to_string(shipped.join(&file))
            .with_context(|| format!("there is no target {target}"))?;
        let changed = text.replacen("triples:\n", &format!("triples:\n  - {}\n", self.name), 1);
        ensure!(changed != text, "{file} has no list of triples");
        let folder = self.folder().join("toolchains");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(&file), changed)?;
        let manifest = self.folder().join("farm.yaml");
        let keys = fs::read_to_string(&manifest)?;
        Ok(fs::write(
            &manifest,
            format!("{keys}\ntoolchains: toolchains\n"),
        )?)
    }

    /// Takes over the lock of another farm, so that both have the same images.
    ///
    /// # Errors
    /// The other farm has none.
    pub fn copy_lock(&self, from: &Self) -> Result<()> {
        let lock = from.folder().join("farm.lock");
        fs::copy(&lock, self.folder().join("farm.lock"))
            .with_context(|| format!("cannot copy {}", lock.display()))?;
        Ok(())
    }

    /// Runs `farmctl` with these arguments to its end.
    ///
    /// # Errors
    /// It does not start. An exit code other than 0 is not an error: see [`Finished::success`].
    pub async fn run(&self, arguments: &[&str]) -> Result<Finished> {
        self.run_with(arguments, |_command| {}).await
    }

    /// Runs `farmctl` in a changed environment.
    ///
    /// # Errors
    /// See [`Self::run`].
    pub async fn run_with(
        &self,
        arguments: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Result<Finished> {
        let mut command = self.command(arguments);
        change(&mut command);
        let finished = farmctl::run(&line(arguments), &mut command).await?;
        self.transcript.add(&finished.to_string());
        Ok(finished)
    }

    /// The value of `DISTCC_HOSTS` in the line that `farmctl hosts` prints for a board.
    ///
    /// # Errors
    /// It prints something else, or another port.
    pub async fn hosts_of(&self, board: &Board) -> Result<String> {
        let printed = self.run(&["hosts", board.target]).await?.success()?;
        let line = printed.stdout_text()?.strip_suffix('\n');
        let value = line
            .and_then(|line| line.strip_prefix("DISTCC_HOSTS=\""))
            .and_then(|rest| rest.strip_suffix('"'))
            .with_context(|| format!("no DISTCC_HOSTS line: {printed}"))?;
        let port = format!(":{}/", board.port);
        ensure!(
            value.contains(&port) && !value.contains(char::is_whitespace),
            "not one host with port {}: {printed}",
            board.port,
        );
        Ok(value.to_owned())
    }

    /// The container that compiles for a board.
    pub fn volunteer(&self, docker: &Docker, board: &Board) -> Container {
        Container::existing(docker, format!("farmctl-{}-{}", self.name, board.target))
    }

    /// The container that owns a board's port.
    pub fn door(&self, docker: &Docker, board: &Board) -> Container {
        let name = format!("farmctl-{}-{}-door", self.name, board.target);
        Container::existing(docker, name)
    }

    /// Every container that compiles for a board, whatever its name: while one is replaced there are two.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn volunteers(&self, docker: &Docker, board: &Board) -> Result<Vec<Container>> {
        let found = sweep::containers(docker, Scope::Farm(&self.name)).await?;
        let ids = found.into_iter().filter_map(|container| {
            let labels = container.labels.unwrap_or_default();
            let is_wanted = labels.get("farmctl.role").map(String::as_str) == Some("volunteer")
                && labels.get("farmctl.target").map(String::as_str) == Some(board.target);
            container.id.filter(|_| is_wanted)
        });
        Ok(ids.map(|id| Container::existing(docker, id)).collect())
    }

    /// The name of the network that its containers share.
    pub fn network(&self) -> String {
        format!("farmctl-{}", self.name)
    }

    /// Starts `farmctl` and does not wait for it.
    ///
    /// # Errors
    /// It does not start.
    pub fn spawn(&self, arguments: &[&str]) -> Result<Child> {
        self.command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start farmctl")
    }

    /// Waits for a `farmctl` that was started with [`Self::spawn`].
    ///
    /// # Errors
    /// The kernel does not tell.
    pub async fn finish(&self, arguments: &[&str], child: Child) -> Result<Finished> {
        let finished = farmctl::finish(&line(arguments), child).await?;
        self.transcript.add(&finished.to_string());
        Ok(finished)
    }

    /// Where docker's settings of this farm's user are; there are none but what a trial writes.
    pub fn docker_settings(&self) -> PathBuf {
        self.folder().join("docker")
    }

    /// Of the environment only what would lead to another farm is taken away.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.elsewhere {
            None => Command::new(&self.farmctl),
            Some(elsewhere) => elsewhere.command(&self.farmctl),
        };
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("XDG_DATA_HOME", self.folder().join("data"))
            .env("DOCKER_CONFIG", self.docker_settings())
            .env_remove("FARMCTL_MANIFEST");
        command
    }
}

impl Elsewhere {
    /// `program` as it runs on that engine's machine.
    fn command(&self, program: &Path) -> Command {
        let mut command = match &self.namespace {
            None => Command::new(program),
            Some(namespace) => {
                let mut command = Command::new("nsenter");
                command
                    .arg(format!("--net={}", namespace.display()))
                    .arg("--")
                    .arg(program);
                command
            }
        };
        command.envs(self.environment.iter().cloned());
        command
    }
}

fn line(arguments: &[&str]) -> String {
    format!("farmctl {}", arguments.join(" "))
}
