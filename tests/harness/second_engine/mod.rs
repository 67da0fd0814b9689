//! A second engine: a `dockerd` with data, a runtime folder and a network namespace of its own, which a trial may stop,
//! cut off from power, and start again.

mod place;
mod process;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::{API_DEFAULT_VERSION, Docker};
use rustix::process::{Signal, kill_process};
use tokio::process::{Child, Command};

pub(crate) use place::{NAMESPACES, Place};

use crate::eventually;
use crate::ip::ip;
use crate::run::RunId;
use crate::scenario::Skip;

/// A `dockerd` of a trial's own. It ends, with all its containers, when this is dropped.
#[derive(Debug)]
pub struct SecondEngine {
    place: Place,
    daemon: Option<Child>,
    storage_driver: String,
    /// Where its certificates are, if it listens on the network.
    certificates: Option<PathBuf>,
}

/// How long a daemon may take to answer or to end on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

impl SecondEngine {
    /// What a farm's ports are published on: the namespace's only address besides loopback.
    pub const ADDRESS: &'static str = "10.213.7.1";

    /// Where an engine that listens on the network does so.
    pub const PORT: u16 = 2376;

    /// Starts an engine with the storage driver of the machine's own.
    ///
    /// # Errors
    /// This user may not do that ([`Skip`]), or the daemon does not come up.
    pub async fn start(machine: &Docker, run: &RunId, word: &str) -> Result<Self> {
        Self::start_with(machine, run, word, None).await
    }

    /// The same, for whoever on the network has a certificate from the authority in the folder `certificates`, where the
    /// engine's own ones are too.
    ///
    /// # Errors
    /// See [`Self::start`].
    pub async fn start_listening(
        machine: &Docker,
        run: &RunId,
        word: &str,
        certificates: &Path,
    ) -> Result<Self> {
        Self::start_with(machine, run, word, Some(certificates.to_owned())).await
    }

    async fn start_with(
        machine: &Docker,
        run: &RunId,
        word: &str,
        certificates: Option<PathBuf>,
    ) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Err(Skip("only root may start a second engine".to_owned()).into());
        }
        Place::sweep_dead_runs();
        let place = Place::create(&run.farm_name(word)).await?;
        Self::at_with(machine, place, certificates).await
    }

    /// Starts an engine where there is a namespace for it already.
    pub(crate) async fn at(machine: &Docker, place: Place) -> Result<Self> {
        Self::at_with(machine, place, None).await
    }

    async fn at_with(
        machine: &Docker,
        place: Place,
        certificates: Option<PathBuf>,
    ) -> Result<Self> {
        let mut engine = Self {
            place,
            daemon: None,
            storage_driver: String::new(),
            certificates,
        };
        let info = machine.info().await?;
        engine.storage_driver = info.driver.context("the engine names no storage driver")?;
        engine.switch_on().await?;
        Ok(engine)
    }

    /// Starts the daemon and waits until it answers.
    ///
    /// # Errors
    /// It does not within two minutes; its last words are in the message.
    pub async fn switch_on(&mut self) -> Result<()> {
        self.spawn()?;
        let answers = async || Ok(self.docker()?.ping().await.map(drop)?);
        let answered = eventually("the second engine answers", PATIENCE, answers).await;
        answered.with_context(|| self.place.last_words())
    }

    /// Tells the daemon to end, as the machine's shutdown does, and waits for it; containers end with it.
    ///
    /// # Errors
    /// It does not end.
    pub async fn shut_down(&mut self) -> Result<()> {
        let Some(mut daemon) = self.daemon.take() else {
            return Ok(());
        };
        crate::signal::send(&daemon, Signal::TERM)?;
        tokio::time::timeout(PATIENCE, daemon.wait())
            .await
            .with_context(|| format!("the daemon does not end: {}", self.place.last_words()))??;
        Ok(())
    }

    /// Everything ends at once, and what only lived in memory is gone: runtime folder, mounts, network.
    ///
    /// # Errors
    /// A process survives being killed, or the network cannot be made again.
    pub async fn cut_power(&mut self) -> Result<()> {
        self.end_at_once().await?;
        self.place.remove_network().await;
        self.place.make_network().await
    }

    /// Everything ends at once; the network stays.
    pub(crate) async fn end_at_once(&mut self) -> Result<()> {
        self.daemon = None;
        let place = self.place.clone();
        tokio::task::spawn_blocking(move || place.kill_everything()).await?
    }

    /// Kills the daemon and its `containerd`; containers and their shims live on.
    ///
    /// # Errors
    /// The kernel refuses.
    pub async fn kill_daemon(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().await?;
        }
        eventually("containerd is gone", PATIENCE, async || {
            let runtimes = Place::processes(|process| {
                process.is_called("containerd") && process.names(&self.place.folder)
            });
            for pid in &runtimes {
                let _gone_already = kill_process(*pid, Signal::KILL);
            }
            ensure!(runtimes.is_empty(), "{runtimes:?}");
            Ok(())
        })
        .await?;
        // Where process 1 collects no orphans the number still seems to be in use, and the daemon would wait for it.
        let _none = fs::remove_file(self.place.runtime().join("containerd/containerd.pid"));
        Ok(())
    }

    /// A client of the engine.
    ///
    /// # Errors
    /// There is no socket.
    pub fn docker(&self) -> Result<Docker> {
        let socket = self.endpoint();
        Ok(Docker::connect_with_unix(&socket, 60, API_DEFAULT_VERSION)?)
    }

    /// The engine's address, for `DOCKER_HOST`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.place.socket().display())
    }

    /// What sets this engine apart from all others.
    pub(crate) fn name(&self) -> &str {
        self.place.name()
    }

    /// The network namespace in which the engine's ports are open.
    pub fn namespace(&self) -> PathBuf {
        self.place.namespace()
    }

    /// Joins the engine's namespace to this machine, and returns the address that the engine's ports can be dialled at
    /// from here. Cutting power cuts this too.
    ///
    /// # Errors
    /// The kernel refuses.
    pub async fn join(&self) -> Result<IpAddr> {
        // A /30 for each process: this machine has .1, the engine .2.
        let process = std::process::id();
        let [.., high, low] = process.to_be_bytes();
        let address = |last: u8| format!("10.214.{low}.{}", (high & 0x3f) * 4 + last);
        let (near, here) = (format!("farmtest{process:x}"), format!("{}/30", address(1)));
        let (name, there) = (self.place.name(), format!("{}/30", address(2)));
        for line in [
            format!("link add {near} type veth peer name lan2 netns {name}"),
            format!("addr add {here} dev {near}"),
            format!("link set {near} up"),
            format!("-n {name} addr add {there} dev lan2"),
            format!("-n {name} link set lan2 up"),
        ] {
            ip(&line.split(' ').collect::<Vec<_>>()).await?;
        }
        Ok(address(2).parse()?)
    }

    fn spawn(&mut self) -> Result<()> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.place.log())?;
        let place = &self.place;
        let mut daemon = Command::new("nsenter");
        daemon
            .arg(format!("--net={}", place.namespace().display()))
            .args(["--", "dockerd", "--config-file"])
            .arg(place.configuration())
            .arg("--data-root")
            .arg(place.data())
            .arg("--exec-root")
            .arg(place.runtime())
            .arg("--pidfile")
            .arg(place.runtime().join("docker.pid"))
            .args(["--host", &self.endpoint()])
            .args(["--storage-driver", &self.storage_driver]);
        if let Some(certificates) = &self.certificates {
            let address = format!("tcp://{}:{}", Self::ADDRESS, Self::PORT);
            daemon.args(["--tlsverify", "--host", &address]);
            for (option, file) in [
                ("cacert", "ca.pem"),
                ("cert", "cert.pem"),
                ("key", "key.pem"),
            ] {
                daemon
                    .arg(format!("--tls{option}"))
                    .arg(certificates.join(file));
            }
        }
        let daemon = daemon
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start dockerd")?;
        self.daemon = Some(daemon);
        Ok(())
    }
}

impl Drop for SecondEngine {
    fn drop(&mut self) {
        self.daemon = None;
        self.place.remove();
    }
}
