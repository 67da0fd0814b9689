//! Engine failures: which operation, on what, and why, in our own types.

mod ssh;
mod tls;

use std::fmt;

pub use ssh::{SshFailure, SshProblem};
pub use tls::TlsProblem;

/// A call to an engine that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {kind}")]
pub struct EngineError {
    /// What was being done, with the resource's name: `create container farmctl-farm-armv7h`.
    pub operation: String,
    /// Why it failed.
    pub kind: EngineErrorKind,
}

/// Why a call to an engine failed.
#[derive(Debug)]
pub enum EngineErrorKind {
    /// Nothing answers at the engine's address.
    Unreachable {
        /// Where the engine was looked for.
        endpoint: String,
        /// The system's words.
        reason: String,
    },
    /// The connection ended in the middle of something.
    Lost {
        /// Where the engine is.
        endpoint: String,
    },
    /// The engine's socket refuses this user.
    PermissionDenied {
        /// The socket.
        endpoint: String,
    },
    /// `DOCKER_HOST` names something that cannot be dialled.
    BadEndpoint {
        /// As given.
        endpoint: String,
    },
    /// The engine is not one of a swarm's managers.
    NotAManager {
        /// The engine.
        endpoint: String,
        /// Addresses of managers of the swarm that it is in; none if it is in none.
        managers: Vec<String>,
    },
    /// Docker has no context of this name.
    NoContext {
        /// As given.
        name: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A context of docker's does not check whom it talks to.
    CarelessContext {
        /// Its name.
        name: String,
    },
    /// Docker's own settings cannot be read.
    Settings {
        /// Which, and why.
        reason: String,
    },
    /// Certificates stand between us and the engine.
    Tls {
        /// Where the engine is.
        endpoint: String,
        /// What is wrong.
        problem: TlsProblem,
    },
    /// ssh stands between us and the engine.
    Ssh(Box<SshFailure>),
    /// The engine is from before what farmctl needs.
    TooOld {
        /// Its version.
        version: String,
        /// The version of its API.
        api: String,
        /// The version that farmctl needs.
        needed: String,
    },
    /// Another container or process has the port.
    PortTaken {
        /// The engine's words.
        message: String,
    },
    /// The engine has no room left for images.
    DiskFull {
        /// The engine's words.
        message: String,
    },
    /// A registry does not know this user.
    LoginNeeded {
        /// The registry's words.
        message: String,
    },
    /// The engine refused, with its status code.
    Refused {
        /// HTTP status.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// The conversation with the engine broke.
    Broken {
        /// What happened.
        reason: String,
    },
}

impl fmt::Display for EngineErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { endpoint, reason } => {
                write!(f, "no Docker engine answers at {endpoint} ({reason})")
            }
            Self::Lost { endpoint } => write!(f, "the connection to {endpoint} was lost"),
            Self::PermissionDenied { endpoint } => {
                write!(f, "permission denied on the Docker socket {endpoint}")
            }
            Self::BadEndpoint { endpoint } => write!(f, "'{endpoint}' is no Docker endpoint"),
            Self::NotAManager { endpoint, managers } if managers.is_empty() => {
                write!(f, "the engine at {endpoint} is in no swarm")
            }
            Self::NotAManager { endpoint, .. } => {
                write!(
                    f,
                    "the engine at {endpoint} is a worker of its swarm, and no manager"
                )
            }
            Self::NoContext { name, .. } => write!(f, "docker has no context '{name}'"),
            Self::CarelessContext { name } => write!(
                f,
                "docker's context '{name}' does not check whom it talks to (SkipTLSVerify)"
            ),
            Self::Ssh(failure) => failure.fmt(f),
            Self::Tls { endpoint, problem } => write!(f, "{endpoint}: {problem}"),
            Self::TooOld {
                version,
                api,
                needed,
            } => write!(
                f,
                "engine {version} speaks API {api}, farmctl needs {needed}"
            ),
            Self::PortTaken { message }
            | Self::DiskFull { message }
            | Self::LoginNeeded { message } => f.write_str(message),
            Self::Refused { status, message } => write!(f, "{message} (status {status})"),
            Self::Settings { reason } | Self::Broken { reason } => f.write_str(reason),
        }
    }
}

impl EngineError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        Some(match &self.kind {
            EngineErrorKind::Unreachable { endpoint, .. } if endpoint.starts_with("tcp://") => {
                "check that the machine is switched on, and that its dockerd listens there (dockerd --host)".to_owned()
            }
            EngineErrorKind::Unreachable { .. } => {
                "start it (sudo systemctl start docker), or say which one to use (DOCKER_HOST, or `docker:` of the host)".to_owned()
            }
            EngineErrorKind::Lost { .. } => {
                "once the network and the engine are back, the same command goes on where it was".to_owned()
            }
            EngineErrorKind::PermissionDenied { .. } => {
                "add yourself to the docker group (sudo usermod -aG docker $USER) and log in again".to_owned()
            }
            EngineErrorKind::BadEndpoint { .. } => {
                "use unix:///var/run/docker.sock, ssh://user@host or tcp://host:port in DOCKER_HOST".to_owned()
            }
            EngineErrorKind::NoContext { known, .. } => {
                format!("there are {} (docker context ls)", known.join(", "))
            }
            EngineErrorKind::CarelessContext { .. } => {
                "give it the engine's ca.pem (docker context update), or name the engine with `tls:` in the manifest".to_owned()
            }
            EngineErrorKind::Settings { .. } => {
                "mend it, or set DOCKER_HOST; `docker context ls` reads the same files".to_owned()
            }
            EngineErrorKind::Tls { problem, .. } => return problem.hint(),
            EngineErrorKind::Ssh(failure) => failure.hint(),
            EngineErrorKind::TooOld { .. } => {
                "install Docker Engine 20.10 or a newer one there".to_owned()
            }
            EngineErrorKind::NotAManager { managers, .. } if managers.is_empty() => {
                "make one of it (docker swarm init), or leave `engine: swarm` out".to_owned()
            }
            EngineErrorKind::NotAManager { managers, .. } => {
                format!("name the engine of a manager with `docker:`; there are some at {}", managers.join(", "))
            }
            EngineErrorKind::DiskFull { .. } => {
                "free space where the engine keeps its images (docker system df, docker image prune)".to_owned()
            }
            EngineErrorKind::LoginNeeded { .. } => {
                "log in as the user who runs farmctl (docker login REGISTRY)".to_owned()
            }
            EngineErrorKind::PortTaken { .. } => {
                "stop what has the port, or give the target another one (targets: { NAME: { port: … } }); where nothing has it, \
                 the machine lost power while it was opened: restart the engine".to_owned()
            }
            EngineErrorKind::Refused { .. } | EngineErrorKind::Broken { .. } => return None,
        })
    }

    /// Whether the engine itself could not be used, so that nothing else on it will work either.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self.kind,
            EngineErrorKind::Unreachable { .. }
                | EngineErrorKind::Lost { .. }
                | EngineErrorKind::PermissionDenied { .. }
                | EngineErrorKind::BadEndpoint { .. }
                | EngineErrorKind::NoContext { .. }
                | EngineErrorKind::CarelessContext { .. }
                | EngineErrorKind::Settings { .. }
                | EngineErrorKind::Tls { .. }
                | EngineErrorKind::Ssh(_)
                | EngineErrorKind::TooOld { .. }
        )
    }
}
