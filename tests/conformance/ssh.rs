//! Hosts that are reached through ssh.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::circumstances::{eventually, same, small};
use crate::server::{Kind, program};
use crate::stage::{Stage, Trouble};

const SSHD: &str = "/usr/sbin/sshd";

/// Where sshd goes before it knows who logs in; packages make it only when the service starts.
const EMPTY_DIRECTORY: &str = "/run/sshd";

/// The client starts a program in the place of ssh, which gives it a socket at standard input.
pub(crate) fn by_program(stage: &Stage) -> Result<(), Trouble> {
    let (folder, local) = small(stage)?;
    for kind in Kind::BOTH {
        let daemon = program(kind, stage.path())?;
        let script = folder.join("ssh");
        // What follows the host and the command's name are the daemon's options.
        let text = format!("#!/bin/sh\nshift 2\nexec {} \"$@\"\n", daemon.display());
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        let environment = vec![("DISTCC_SSH", script.display().to_string())];
        for hosts in ["@somewhere", "@somewhere,lzo"] {
            same(&folder, &local, kind, hosts, environment.clone())?;
        }
    }
    Ok(())
}

/// The client starts ssh, which logs in to this machine.
pub(crate) fn by_sshd(stage: &Stage) -> Result<(), Trouble> {
    for program in [SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen"] {
        if !Path::new(program).exists() {
            return Err(Trouble::Missing(format!(
                "{program} is not installed (openssh-server, openssh-client)"
            )));
        }
    }
    let (folder, local) = small(stage)?;
    let sshd = Sshd::start(&folder)?;
    let environment = vec![(
        "DISTCC_SSH",
        format!("ssh -F {}", sshd.client_configuration),
    )];
    for kind in Kind::BOTH {
        let daemon = program(kind, stage.path())?;
        let hosts = format!("@here:{}", daemon.display());
        same(&folder, &local, kind, &hosts, environment.clone())?;
        same(
            &folder,
            &local,
            kind,
            &format!("{hosts},lzo"),
            environment.clone(),
        )?;
    }
    Ok(())
}

/// An ssh server of our own: its keys, its configuration, its port.
struct Sshd {
    child: Child,
    client_configuration: String,
}

impl Sshd {
    fn start(folder: &Path) -> Result<Self, Trouble> {
        let path = |name: &str| folder.join(name).display().to_string();
        for key in ["host-key", "user-key"] {
            let mut keygen = Command::new("/usr/bin/ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]);
            if !keygen.status()?.success() {
                return Err(Trouble::Wrong("ssh-keygen fails".to_owned()));
            }
        }
        if rustix::process::geteuid().is_root() {
            fs::create_dir_all(EMPTY_DIRECTORY)?;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let server = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n",
            path("host-key"),
            path("user-key.pub"),
        );
        fs::write(folder.join("sshd_config"), server)?;
        let client = format!(
            "Host here\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {}\n  IdentitiesOnly yes\n\
             \x20 StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n",
            path("user-key"),
        );
        fs::write(folder.join("ssh_config"), client)?;
        let child = Command::new(SSHD)
            .args(["-D", "-f", &path("sshd_config"), "-E", &path("sshd.log")])
            .stdin(Stdio::null())
            .spawn()?;
        let sshd = Self {
            child,
            client_configuration: path("ssh_config"),
        };
        if !eventually(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()) {
            let log = fs::read_to_string(folder.join("sshd.log")).unwrap_or_default();
            return Err(Trouble::Wrong(format!("sshd does not listen: {log}")));
        }
        Ok(sshd)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let told = kill_process(Pid::from_child(&self.child), Signal::TERM);
        drop(told.map(|()| self.child.wait()));
    }
}
