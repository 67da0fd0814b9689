//! What goes wrong between us and a machine that is reached by ssh.

use std::fmt;
use std::path::PathBuf;

use crate::farm::SshEndpoint;

/// A machine that cannot be reached, or not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshFailure {
    /// Which machine.
    pub endpoint: SshEndpoint,
    /// What is wrong.
    pub problem: SshProblem,
}

/// Why an engine behind ssh cannot be talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshProblem {
    /// There is no `ssh` on this machine.
    NotInstalled,
    /// This machine does not let us start it.
    NotStarted {
        /// The system's words.
        reason: String,
    },
    /// The machine shows another key than before.
    HostKeyChanged {
        /// The file and line with the old one, if ssh says so.
        known_at: Option<String>,
        /// The command that forgets it, if ssh says so.
        forget: Option<String>,
    },
    /// Nobody has ever looked at the machine's key.
    HostKeyUnknown,
    /// There is no machine of this name.
    NameUnknown {
        /// ssh's words.
        reason: String,
    },
    /// No ssh server answers.
    NoServer {
        /// ssh's words.
        reason: String,
    },
    /// The machine does not let this user in.
    PermissionDenied {
        /// ssh's words.
        reason: String,
    },
    /// The machine's ssh server does not pass us on to the engine.
    ForwardingRefused,
    /// There is no socket.
    SocketMissing {
        /// Where it should be.
        socket: PathBuf,
    },
    /// The socket is not for this user.
    SocketDenied {
        /// Where it is.
        socket: PathBuf,
    },
    /// Nobody answers at the socket, or the way to it is closed.
    SocketSilent {
        /// Where it is.
        socket: PathBuf,
    },
    /// ssh neither gets through nor gives up.
    Silence {
        /// For how many seconds.
        seconds: u64,
    },
    /// ssh ended before there was a connection.
    Ended {
        /// Its last words.
        reason: String,
    },
    /// ssh ended in the middle of something.
    Lost {
        /// Its last words.
        reason: String,
    },
}

impl fmt::Display for SshFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.problem)
    }
}

impl fmt::Display for SshProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str("there is no ssh on this machine"),
            Self::NotStarted { reason } => write!(f, "ssh cannot be started ({reason})"),
            Self::HostKeyChanged { known_at, .. } => {
                f.write_str("the machine shows another host key than the one that ssh knows")?;
                match known_at {
                    Some(place) => write!(f, " ({place})"),
                    None => Ok(()),
                }
            }
            Self::HostKeyUnknown => f.write_str("ssh does not know the machine's host key"),
            Self::NameUnknown { reason }
            | Self::NoServer { reason }
            | Self::PermissionDenied { reason } => f.write_str(reason),
            Self::ForwardingRefused => {
                f.write_str("the machine's ssh server does not pass us on to the engine")
            }
            Self::SocketMissing { socket } => {
                write!(f, "there is no Docker socket {}", socket.display())
            }
            Self::SocketDenied { socket } => write!(
                f,
                "permission denied on the Docker socket {}",
                socket.display()
            ),
            Self::SocketSilent { socket } => {
                write!(f, "no Docker engine answers at {}", socket.display())
            }
            Self::Silence { seconds } => write!(f, "ssh did not get through in {seconds} s"),
            Self::Ended { reason } => write!(f, "ssh ended: {reason}"),
            Self::Lost { reason } => write!(f, "the ssh connection was lost ({reason})"),
        }
    }
}

impl SshFailure {
    /// What to do about it.
    pub(super) fn hint(&self) -> String {
        let by_hand = by_hand(&self.endpoint);
        let host = &self.endpoint.host;
        match &self.problem {
            SshProblem::NotInstalled => {
                "install OpenSSH's client (package openssh-client or openssh)".to_owned()
            }
            SshProblem::NotStarted { .. } => {
                "check that this user may run ssh and write to the folder for temporary files"
                    .to_owned()
            }
            SshProblem::HostKeyChanged { forget, .. } => format!(
                "if the machine was set up anew, compare the fingerprint (there: ssh-keygen -lf \
                 /etc/ssh/ssh_host_ed25519_key.pub) and forget the old key ({}); if not, something else answers in its \
                 place",
                forget
                    .clone()
                    .unwrap_or_else(|| format!("ssh-keygen -R {}", known_as(&self.endpoint)))
            ),
            SshProblem::HostKeyUnknown => {
                format!("log in once by hand and compare the key's fingerprint: {by_hand}")
            }
            SshProblem::NameUnknown { .. } => {
                format!("check the name; `{by_hand}` must work by itself")
            }
            SshProblem::NoServer { .. } | SshProblem::Silence { .. } => format!(
                "check that {host} is switched on and runs an ssh server; `{by_hand}` must work by itself"
            ),
            SshProblem::PermissionDenied { .. } => format!(
                "farmctl asks for no password: put your key there (ssh-copy-id) or into the agent (ssh-add), until \
                 `{by_hand} true` works without a question"
            ),
            SshProblem::ForwardingRefused => format!(
                "in sshd_config of {host}, allow AllowStreamLocalForwarding and AllowTcpForwarding and do not set \
                 DisableForwarding; the same goes for `restrict` in authorized_keys"
            ),
            SshProblem::SocketMissing { .. } => format!(
                "start the engine on {host} (sudo systemctl start docker), or write the socket behind the host: \
                 ssh://{host}/run/user/1000/docker.sock"
            ),
            SshProblem::SocketDenied { .. } => format!(
                "on {host}, add the user to the docker group (sudo usermod -aG docker USER)"
            ),
            SshProblem::SocketSilent { .. } => format!(
                "start the engine on {host} (sudo systemctl start docker); if it runs, its ssh server may forbid \
                 forwarding (AllowStreamLocalForwarding, AllowTcpForwarding in sshd_config)"
            ),
            SshProblem::Ended { .. } => format!("`{by_hand} true` must work by itself"),
            SshProblem::Lost { .. } => {
                "once the machine and the network are back, the same command goes on where it was"
                    .to_owned()
            }
        }
    }
}

/// What a person types to get there.
fn by_hand(endpoint: &SshEndpoint) -> String {
    let port = endpoint.port.map(|port| format!("-p {port} "));
    let user = endpoint.user.as_ref().map(|user| format!("{user}@"));
    let (port, user) = (port.unwrap_or_default(), user.unwrap_or_default());
    format!("ssh {port}{user}{}", endpoint.host)
}

/// What the machine is called in the list of known keys.
fn known_as(endpoint: &SshEndpoint) -> String {
    match endpoint.port {
        Some(port) if port != 22 => format!("'[{}]:{port}'", endpoint.host),
        _ => endpoint.host.clone(),
    }
}
