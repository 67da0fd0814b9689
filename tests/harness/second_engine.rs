//! A second engine: a `dockerd` with data, a runtime folder and a network namespace of its own, which a trial may stop,
//! cut off from power, and start again.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bollard::{API_DEFAULT_VERSION, Docker};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::eventually;
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
        &self.place.name
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
        let (name, there) = (&self.place.name, format!("{}/30", address(2)));
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

/// Where one second engine keeps everything; the name says which run it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    name: String,
    folder: PathBuf,
}

/// Where `ip netns` keeps namespaces, ip-netns(8).
pub(crate) const NAMESPACES: &str = "/run/netns";

impl Place {
    async fn create(name: &str) -> Result<Self> {
        let place = Self::named(name);
        place.create_folders("{ \"bridge\": \"none\" }")?;
        place.make_network().await?;
        Ok(place)
    }

    /// Makes everything but the network.
    pub(crate) fn create_folders(&self, configuration: &str) -> Result<()> {
        for folder in [self.data(), self.runtime()] {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(self.configuration(), configuration)?)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Has `ip` do something in the namespace.
    pub(crate) async fn ip(&self, line: &str) -> Result<()> {
        let words: Vec<_> = ["-n", &self.name]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        ip(&words).await
    }

    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: std::env::temp_dir().join(name),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn runtime(&self) -> PathBuf {
        self.folder.join("run")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("daemon.json")
    }

    pub(crate) fn namespace(&self) -> PathBuf {
        Path::new(NAMESPACES).join(&self.name)
    }

    /// An address on an interface of its own and a default route: what farmctl takes for the machine's address.
    async fn make_network(&self) -> Result<()> {
        let network = format!("{}/24", SecondEngine::ADDRESS);
        ip(&["netns", "add", &self.name]).await?;
        for line in [
            "link set lo up".to_owned(),
            "link add lan0 type veth peer name lan1".to_owned(),
            format!("addr add {network} dev lan0"),
            "link set lan1 up".to_owned(),
            "link set lan0 up".to_owned(),
            "route add default via 10.213.7.254 dev lan0".to_owned(),
        ] {
            self.ip(&line).await?;
        }
        Ok(())
    }

    async fn remove_network(&self) {
        let _gone_already = ip(&["netns", "delete", &self.name]).await;
    }

    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Ends the daemon, its helpers and its containers, and takes away what they had mounted.
    fn kill_everything(&self) -> Result<()> {
        const ATTEMPTS: u32 = 200;
        for _attempt in 0..ATTEMPTS {
            let processes = self.everything();
            if processes.is_empty() {
                self.unmount();
                fs::remove_dir_all(self.runtime())?;
                let _no_socket = fs::remove_file(self.socket());
                fs::create_dir_all(self.runtime())?;
                return Ok(());
            }
            for process in processes {
                let _gone_already = kill_process(process, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("processes of {} survive being killed", self.name)
    }

    /// The engine's own programs name its folder in their command lines; containers are found by their control groups.
    fn everything(&self) -> Vec<Pid> {
        let containers: Vec<String> = fs::read_dir(self.data().join("containers"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        Self::processes(|process| {
            let is_engine = PROGRAMS.iter().any(|name| process.is_called(name));
            is_engine && process.names(&self.folder)
                || containers.iter().any(|id| process.groups.contains(id))
        })
    }

    fn processes(wanted: impl Fn(&Process) -> bool) -> Vec<Pid> {
        fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| *pid != std::process::id() && wanted(&Process::read(*pid)))
            .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
            .collect()
    }

    fn unmount(&self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let below: Vec<_> = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(4))
            .filter(|target| Path::new(target).starts_with(&self.folder))
            .collect();
        // The last one mounted may lie on the others.
        for target in below.into_iter().rev() {
            let lazily = rustix::mount::UnmountFlags::DETACH;
            let _gone_already = rustix::mount::unmount(target, lazily);
        }
    }

    pub(crate) fn remove(&self) {
        let _tried = self.kill_everything();
        let _gone_already = std::process::Command::new("ip")
            .args(["netns", "delete", &self.name])
            .stderr(Stdio::null())
            .status();
        let _gone_already = fs::remove_dir_all(&self.folder);
    }

    /// Removes what runs that were killed left behind.
    pub(crate) fn sweep_dead_runs() {
        for entry in fs::read_dir(NAMESPACES).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if RunId::parse_prefix(&name).is_some_and(|run| run.is_dead()) {
                Self::named(&name).remove();
            }
        }
    }
}

/// What an engine consists of, besides its containers.
const PROGRAMS: [&str; 7] = [
    "docker-registry",
    "nsenter",
    "dockerd",
    "containerd",
    "containerd-shim-runc-v2",
    "docker-proxy",
    "fuse-overlayfs",
];

/// What the kernel tells of a process.
struct Process {
    command: Vec<String>,
    groups: String,
}

impl Process {
    fn read(pid: u32) -> Self {
        let read = |file: &str| {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self {
            command: read("cmdline").split('\0').map(str::to_owned).collect(),
            groups: read("cgroup"),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        let program = self.command.first().map(Path::new);
        program
            .and_then(Path::file_name)
            .is_some_and(|file| file == name)
    }

    fn names(&self, folder: &Path) -> bool {
        let folder = folder.to_string_lossy();
        self.command.iter().any(|word| word.contains(&*folder))
    }
}

pub(crate) async fn ip(arguments: &[&str]) -> Result<()> {
    ask_ip(arguments).await.map(drop)
}

/// What `ip` prints.
pub(crate) async fn ask_ip(arguments: &[&str]) -> Result<String> {
    let done = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .context("cannot start ip (package iproute2)")?;
    ensure!(
        done.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8(done.stdout)?)
}
