//! A daemon as a process of its own, ours or the stock one, both started alike.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::compilers::Compilers;
use crate::door::Door;

/// How daemons are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The command that is our daemon.
    pub ours: Vec<OsString>,
    /// The stock one.
    pub stock: PathBuf,
    /// Compilers at once.
    pub jobs: usize,
    /// Where the folders of both are made, on a file system in memory if there is one.
    pub folder: PathBuf,
}

/// Which daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one of the distribution.
    Stock,
    /// Ours, its sandbox included.
    Ours,
    /// The same behind a door.
    BehindDoor,
}

/// A running daemon, killed when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    address: SocketAddr,
    door: Option<Door>,
    folder: TempDir,
}

/// Longest time that a daemon may take to listen.
const START: Duration = Duration::from_secs(20);

impl Daemon {
    /// Starts one with these compilers and waits until it listens.
    ///
    /// # Errors
    /// It is not there, or ends at once.
    pub fn start(setup: &Setup, kind: Kind, compilers: &Compilers) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("farm-bench-")
            .tempdir_in(&setup.folder)?;
        let address = free_address()?;
        let mut command = match kind {
            Kind::Stock => stock(setup, folder.path(), compilers)?,
            Kind::Ours | Kind::BehindDoor => ours(setup, folder.path(), compilers)?,
        };
        let workspace = folder.path().join("tmp");
        fs::create_dir(&workspace)?;
        for shared in [folder.path(), &workspace] {
            // The stock daemon gives up being root.
            fs::set_permissions(shared, fs::Permissions::from_mode(0o1777))?;
        }
        let door = match kind {
            Kind::BehindDoor => Some(Door::keep(&setup.ours, folder.path(), free_address()?)?),
            Kind::Stock | Kind::Ours => None,
        };
        if let Some(door) = &door {
            command.arg("--door").arg(&door.directory);
        }
        command
            .args([
                "--daemon",
                "--no-detach",
                "--listen",
                "127.0.0.1",
                "--allow",
                "127.0.0.1",
            ])
            .args([
                "--port",
                &address.port().to_string(),
                "--jobs",
                &setup.jobs.to_string(),
            ])
            .args(["--nice", "0", "--log-file"])
            .arg(folder.path().join("log"))
            .env("PATH", "/usr/bin:/bin")
            .env("TMPDIR", &workspace)
            .stdin(Stdio::null())
            .process_group(0);
        let child = command.spawn();
        let child =
            child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut daemon = Self {
            child,
            address,
            door,
            folder,
        };
        daemon.wait_until_it_listens()?;
        if let Some(door) = &daemon.door {
            Door::wait_until_served(&daemon.folder.path().join("log"))?;
            daemon.address = door.address;
        }
        Ok(daemon)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let end = Instant::now() + START;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("the daemon ended at once with {status}: {log}");
            }
            if Instant::now() > end {
                bail!("the daemon does not listen");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Where jobs are sent.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps the files of jobs.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// Tells it to end and waits until it has.
    ///
    /// # Errors
    /// It ended before.
    pub fn end(mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .context("the daemon has ended by itself")?;
        let status = self.child.wait()?;
        self.door.take().map_or(Ok(()), Door::end)?;
        Ok(status)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail if it was told to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn stock(setup: &Setup, folder: &Path, compilers: &Compilers) -> Result<Command> {
    let list = folder.join("compilers");
    fs::write(&list, compilers.command_list())?;
    let mut command = Command::new(&setup.stock);
    command.env_clear().env("DISTCC_CMDLIST", list);
    Ok(command)
}

fn ours(setup: &Setup, folder: &Path, compilers: &Compilers) -> Result<Command> {
    let file = folder.join("toolchain.json");
    fs::write(&file, serde_json::to_vec(&compilers.toolchain())?)?;
    let (program, words) = setup.ours.split_first().context("our daemon has no name")?;
    let mut command = Command::new(program);
    command.args(words).env_clear();
    command.arg("--toolchain").arg(file);
    Ok(command)
}

/// The stock daemon does not choose a port by itself.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
