//! Where an engine of the tests' own is: its folders, its network namespace, and everything that runs there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::SecondEngine;
use super::process::{PROGRAMS, Process};
use crate::ip::ip;
use crate::run::RunId;

/// Where one second engine keeps everything; the name says which run it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    name: String,
    pub(super) folder: PathBuf,
}

/// Where `ip netns` keeps namespaces, ip-netns(8).
pub(crate) const NAMESPACES: &str = "/run/netns";

impl Place {
    pub(super) async fn create(name: &str) -> Result<Self> {
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

    pub(super) fn runtime(&self) -> PathBuf {
        self.folder.join("run")
    }

    pub(super) fn socket(&self) -> PathBuf {
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
    pub(super) async fn make_network(&self) -> Result<()> {
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

    pub(super) async fn remove_network(&self) {
        let _gone_already = ip(&["netns", "delete", &self.name]).await;
    }

    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// Ends the daemon, its helpers and its containers, and takes away what they had mounted.
    pub(super) fn kill_everything(&self) -> Result<()> {
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
    pub(super) fn everything(&self) -> Vec<Pid> {
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

    pub(super) fn processes(wanted: impl Fn(&Process) -> bool) -> Vec<Pid> {
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
