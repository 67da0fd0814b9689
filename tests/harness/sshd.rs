//! A real ssh server of a trial's own, and a user's configuration to reach it with.

use std::fs::{self, Permissions};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::scenario::Skip;
use crate::{eventually, farmctl};

/// An ssh server in a network namespace. It ends when this is dropped.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    child: Child,
    address: IpAddr,
}

const SSHD: &str = "/usr/sbin/sshd";
/// Where sshd goes before it knows who logs in; packages make it only when the service starts.
const EMPTY_DIRECTORY: &str = "/run/sshd";
const PATIENCE: Duration = Duration::from_secs(30);

impl Sshd {
    /// What the user's configuration calls the machine.
    pub const HOST: &'static str = "engine";

    /// Starts a server on `address` in the network namespace at `namespace`.
    ///
    /// # Errors
    /// OpenSSH is not installed ([`Skip`]), or the server does not listen.
    pub async fn start(namespace: &Path, address: IpAddr) -> Result<Self> {
        for program in [SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen"] {
            if !Path::new(program).exists() {
                return Err(Skip(format!("{program} is not installed")).into());
            }
        }
        let folder = tempfile::Builder::new().prefix("farmtest-ssh").tempdir()?;
        let path = folder.path();
        for key in ["host-key", "user-key", "other-key"] {
            let mut keygen = Command::new("/usr/bin/ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
            let made = farmctl::run("ssh-keygen", keygen.arg(path.join(key))).await?;
            made.success()?;
        }
        fs::create_dir_all(EMPTY_DIRECTORY)?;
        fs::write(
            path.join("sshd_config"),
            server_configuration(path, address),
        )?;
        fs::write(path.join("ssh_config"), client_configuration(path, address))?;
        fs::create_dir(path.join("bin"))?;
        let ssh = path.join("bin/ssh");
        // ssh looks for its configuration where the password file says the user lives, not where HOME says.
        let configuration = path.join("ssh_config");
        let script = format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n",
            configuration.display()
        );
        fs::write(&ssh, script)?;
        fs::set_permissions(&ssh, Permissions::from_mode(0o755))?;
        let child = Command::new("nsenter")
            .arg(format!("--net={}", namespace.display()))
            .args(["--", SSHD, "-D", "-f"])
            .arg(path.join("sshd_config"))
            .arg("-E")
            .arg(path.join("log"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start sshd")?;
        let sshd = Self {
            folder,
            child,
            address,
        };
        sshd.know_right_host_key()?;
        sshd.let_in(true)?;
        eventually("sshd listens", PATIENCE, async || {
            let log = fs::read_to_string(sshd.folder.path().join("log"))?;
            ensure!(log.contains("Server listening"), "{log}");
            Ok(())
        })
        .await?;
        Ok(sshd)
    }

    /// The search path on which the trial's `ssh` comes first.
    ///
    /// # Errors
    /// There is none.
    pub fn search_path(&self) -> Result<std::ffi::OsString> {
        let usual = std::env::var_os("PATH").context("there is no PATH")?;
        let own = self.folder.path().join("bin");
        let paths = std::iter::once(own).chain(std::env::split_paths(&usual));
        Ok(std::env::join_paths(paths)?)
    }

    /// The user's list of known hosts says that the machine has its own key.
    ///
    /// # Errors
    /// The disk is full.
    pub fn know_right_host_key(&self) -> Result<()> {
        self.know_host_key("host-key")
    }

    /// The user's list of known hosts says that the machine has another key.
    ///
    /// # Errors
    /// The disk is full.
    pub fn know_wrong_host_key(&self) -> Result<()> {
        self.know_host_key("other-key")
    }

    fn know_host_key(&self, key: &str) -> Result<()> {
        let key = fs::read_to_string(self.file(&format!("{key}.pub")))?;
        Ok(fs::write(
            self.file("known_hosts"),
            format!("{} {key}", self.address),
        )?)
    }

    /// The user's list of known hosts is empty.
    ///
    /// # Errors
    /// The disk is full.
    pub fn forget_host_key(&self) -> Result<()> {
        Ok(fs::write(self.file("known_hosts"), "")?)
    }

    /// Nobody may log in, or the usual user again.
    ///
    /// # Errors
    /// The disk is full.
    pub fn let_in(&self, anybody: bool) -> Result<()> {
        let keys = if anybody {
            fs::read(self.file("user-key.pub"))?
        } else {
            Vec::new()
        };
        Ok(fs::write(self.file("authorized_keys"), keys)?)
    }

    /// Ends the server's sides of all connections; the server itself goes on.
    ///
    /// # Errors
    /// There is none.
    pub fn cut_connections(&self) -> Result<()> {
        let sessions = self.sessions()?;
        ensure!(!sessions.is_empty(), "nobody is connected");
        for session in sessions {
            let _gone_already = kill_process(session, Signal::KILL);
        }
        Ok(())
    }

    /// The server takes connections and says nothing any more, or goes on.
    ///
    /// # Errors
    /// It has ended.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        crate::signal::send(&self.child, signal)
    }

    /// The ssh processes that were started by way of the trial's configuration.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn clients(&self) -> Result<Vec<Pid>> {
        let configuration = self.file("ssh_config").display().to_string();
        processes(|command, _parent| command.contains(&configuration))
    }

    /// What the server's process is called stays after it split for a connection.
    fn sessions(&self) -> Result<Vec<Pid>> {
        let server = self.child.id().context("sshd has ended")?;
        processes(|_command, parent| parent == server)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn processes(wanted: impl Fn(&str, u32) -> bool) -> Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let status = read("status");
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        let parent = parent.and_then(|parent| parent.trim().parse().ok());
        if wanted(
            &read("cmdline").replace('\0', " "),
            parent.unwrap_or_default(),
        ) {
            found.extend(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

fn server_configuration(folder: &Path, address: IpAddr) -> String {
    format!(
        "ListenAddress {}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nBanner {}\n",
        SocketAddr::new(address, 22),
        folder.join("host-key").display(),
        folder.join("authorized_keys").display(),
        folder.join("host-key.pub").display(),
    )
}

fn client_configuration(folder: &Path, address: IpAddr) -> String {
    format!(
        "Host {}\n  HostName {address}\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n",
        Sshd::HOST,
        folder.join("user-key").display(),
        folder.join("known_hosts").display(),
    )
}
