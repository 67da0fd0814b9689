//! A daemon on a port of this machine.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stage::Trouble;

/// Whose daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Stock,
    Ours,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Stock, Self::Ours];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stock => "the stock daemon",
            Self::Ours => "our daemon",
        })
    }
}

const NAME: &str = "distccd";

/// Long enough for any step on a busy machine; reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Whether this process was started as the daemon.
pub(crate) fn is_called_distccd() -> bool {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name() == Some(OsStr::new(NAME))
}

/// A link to this program under the daemon's name, made in `folder` if need be.
pub(crate) fn program(kind: Kind, folder: &Path) -> Result<PathBuf, Trouble> {
    match kind {
        Kind::Stock => Ok("/usr/bin/distccd".into()),
        Kind::Ours => {
            let link = folder.join(NAME);
            if !link.exists() {
                symlink(std::env::current_exe()?, &link)?;
            }
            Ok(link)
        }
    }
}

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Server {
    child: Mutex<Child>,
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
}

impl Server {
    /// Starts a daemon for `address`, with a directory for jobs in `folder`, and waits until it accepts.
    pub(crate) fn start(kind: Kind, folder: &Path, address: &str) -> Result<Self, Trouble> {
        let port = free_port(address)?;
        let work = folder.join(format!("work-{port}"));
        fs::create_dir(&work)?;
        fs::set_permissions(&work, fs::Permissions::from_mode(0o1777))?;
        let child = Command::new(program(kind, folder)?)
            .args([
                "--daemon",
                "--no-detach",
                "--listen",
                address,
                "--allow",
                address,
            ])
            .args([
                "--jobs",
                "8",
                "--log-file",
                "/dev/null",
                "--port",
                &port.to_string(),
            ])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            // Quotes in messages are in the server's locale.
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", &work)
            .stdin(Stdio::null())
            .spawn()?;
        let server = Self {
            pid: child.id(),
            child: Mutex::new(child),
            address: SocketAddr::new(
                address.parse().map_err(|_no_address| wrong("no address"))?,
                port,
            ),
        };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(server.address).is_err() {
            if Instant::now() > end {
                return Err(wrong(&format!("{kind} does not listen")));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// How clients name it.
    pub(crate) fn host(&self) -> String {
        host(self.address)
    }

    /// Ends it, if it runs.
    pub(crate) fn end(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(child.try_wait(), Ok(None)) {
            let told = kill_process(Pid::from_child(&child), Signal::TERM);
            drop(told.map(|()| child.wait()));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// How clients name the server at `address`.
pub(crate) fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.to_string(),
        SocketAddr::V6(address) => format!("[{}]:{}", address.ip(), address.port()),
    }
}

pub(crate) fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn free_port(address: &str) -> Result<u16, Trouble> {
    Ok(TcpListener::bind((address, 0))?.local_addr()?.port())
}

fn wrong(text: &str) -> Trouble {
    Trouble::Wrong(text.to_owned())
}
