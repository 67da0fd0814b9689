//! A door in front of our daemon, as a process of its own.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// A door that is kept, until it is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where daemons find it.
    pub(crate) directory: PathBuf,
}

/// Longest time until a daemon has proved itself and serves.
const START: Duration = Duration::from_mins(1);

impl Door {
    /// Starts one that `ours` keeps at `address`, with its files in `folder`.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn keep(ours: &[OsString], folder: &Path, address: SocketAddr) -> Result<Self> {
        let directory = folder.join("door");
        fs::create_dir(&directory)?;
        // It gives up being root, as daemons do.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777))?;
        let (program, words) = ours.split_first().context("our daemon has no name")?;
        let child = Command::new(program)
            .args(words)
            .env_clear()
            .args(["--no-detach", "--listen", "127.0.0.1"])
            .args(["--port", &address.port().to_string()])
            .arg("--log-file")
            .arg(folder.join("log-of-door"))
            .arg("--keep-door")
            .arg(&directory)
            .stdin(Stdio::null())
            .spawn()
            .context("cannot keep a door")?;
        Ok(Self {
            child,
            address,
            directory,
        })
    }

    /// Waits until the daemon whose log this is serves it.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn wait_until_served(log: &Path) -> Result<()> {
        let end = Instant::now() + START;
        loop {
            let told = fs::read_to_string(log).unwrap_or_default();
            if told.contains("serving the door") {
                return Ok(());
            }
            ensure!(Instant::now() < end, "the door is not served: {told}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Tells it to end and waits until it has.
    ///
    /// # Errors
    /// It ended before, or badly.
    pub(crate) fn end(mut self) -> Result<()> {
        let told = kill_process(Pid::from_child(&self.child), Signal::TERM);
        told.context("the door has ended by itself")?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the door ended with {status}");
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Both fail if it was told to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
