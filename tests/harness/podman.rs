//! Podman as an engine: its service for Docker's clients, with storage of a trial's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::process::{Child, Command};

use crate::eventually;
use crate::run::RunId;
use crate::scenario::Skip;

/// Podman's service. It ends, with all its containers, when this is dropped.
#[derive(Debug)]
pub struct Podman {
    folder: PathBuf,
    service: Option<Child>,
}

/// How long the service may take to answer on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Podman gives every container limits of its own; a machine that may not raise its limits could not start one.
const RUNTIME: &str = r#"#!/bin/sh
for word; do
  case "$previous" in
    --bundle) sed -i "s/1048576/$(ulimit -Hn)/g" "$word/config.json" ;;
    --process) sed -i "s/1048576/$(ulimit -Hn)/g" "$word" ;;
  esac
  previous=$word
done
exec runc "$@"
"#;

impl Podman {
    /// Starts the service.
    ///
    /// # Errors
    /// Podman is not installed, or this user may not use it ([`Skip`]), or it does not come up.
    pub async fn start(run: &RunId, word: &str) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Err(Skip("only root has Podman publish ports".to_owned()).into());
        }
        let version = Command::new("podman").arg("--version").output().await;
        version.map_err(|error| Skip(format!("podman: {error}")))?;
        Self::sweep_dead_runs();
        let mut podman = Self {
            folder: std::env::temp_dir().join(format!("{}{}", PREFIX, run.farm_name(word))),
            service: None,
        };
        fs::create_dir_all(&podman.folder)?;
        podman.write_runtime()?;
        podman.serve()?;
        let answers = async || Ok(podman.docker()?.ping().await.map(drop)?);
        let answered = eventually("podman answers", PATIENCE, answers).await;
        answered.with_context(|| podman.last_words())?;
        Ok(podman)
    }

    /// Where it is, for `DOCKER_HOST`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.folder.join("podman.sock").display())
    }

    /// A client of it.
    ///
    /// # Errors
    /// There is no socket.
    pub fn docker(&self) -> Result<Docker> {
        Ok(Docker::connect_with_unix(
            &self.endpoint(),
            60,
            API_DEFAULT_VERSION,
        )?)
    }

    fn write_runtime(&self) -> Result<()> {
        let path = self.folder.join("runc");
        fs::write(&path, RUNTIME)?;
        Ok(fs::set_permissions(
            &path,
            fs::Permissions::from_mode(0o755),
        )?)
    }

    fn serve(&mut self) -> Result<()> {
        let log = fs::File::create(self.folder.join("log"))?;
        let service = Command::new("podman")
            .args(arguments(&self.folder))
            .args(["system", "service", "--time", "0", &self.endpoint()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start podman")?;
        self.service = Some(service);
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// What it still has: containers, volumes and networks of farms, by name.
    ///
    /// # Errors
    /// Podman does not tell.
    pub async fn leftovers(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for what in [
            &["ps", "--all", "--format", "{{.Names}}"][..],
            &["volume", "ls", "--format", "{{.Name}}"],
            &["network", "ls", "--format", "{{.Name}}"],
        ] {
            let told = Command::new("podman")
                .args(arguments(&self.folder))
                .args(what)
                .output()
                .await?;
            ensure!(told.status.success(), "podman {what:?} fails");
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            let ours = told.lines().filter(|name| name.starts_with("farmctl-"));
            names.extend(ours.map(str::to_owned));
        }
        Ok(names)
    }

    /// Removes what runs that were killed left behind.
    fn sweep_dead_runs() {
        for entry in fs::read_dir(std::env::temp_dir())
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            let run = name.strip_prefix(PREFIX).and_then(RunId::parse_prefix);
            if run.is_some_and(|run| run.is_dead()) {
                remove(&entry.path());
            }
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.service = None;
        remove(&self.folder);
    }
}

const PREFIX: &str = "podman-";

/// Where it keeps everything; everywhere else are its user's own containers.
fn arguments(folder: &Path) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    vec![
        "--root".to_owned(),
        path("data"),
        "--runroot".to_owned(),
        path("run"),
        "--runtime".to_owned(),
        path("runc"),
        "--storage-driver".to_owned(),
        "overlay".to_owned(),
        "--storage-opt".to_owned(),
        "overlay.mount_program=/usr/bin/fuse-overlayfs".to_owned(),
        "--network-config-dir".to_owned(),
        path("networks"),
    ]
}

/// Containers live on without the service, and their file systems are mounted.
fn remove(folder: &Path) {
    for command in [
        &["rm", "--all", "--force", "--time", "0"][..],
        &["network", "prune", "--force"],
        &["volume", "prune", "--force"],
        &["rmi", "--all", "--force"],
    ] {
        let _gone_already = std::process::Command::new("podman")
            .args(arguments(folder))
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
    for mount in mounts_below(folder) {
        let lazily = rustix::mount::UnmountFlags::DETACH;
        let _gone_already = rustix::mount::unmount(mount, lazily);
    }
    let _gone_already = fs::remove_dir_all(folder);
}

/// The last one mounted first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let targets = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(PathBuf::from)
        .filter(|target| target.starts_with(folder));
    let mut targets: Vec<_> = targets.collect();
    targets.reverse();
    targets
}
