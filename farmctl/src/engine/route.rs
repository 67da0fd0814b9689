//! The way to an engine: what an endpoint means for this user.

use std::fmt;
use std::path::PathBuf;

use super::contexts::{self, Contexts};
use super::{ClientEnvironment, EngineError, EngineErrorKind};
use crate::farm::{Certificates, DockerEndpoint, SshEndpoint, TlsEndpoint};

/// The way to an engine, with nothing left to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A socket of this machine.
    Socket(PathBuf),
    /// A port that is open to everybody. Only docker's own settings lead there, never a manifest.
    Open {
        /// A name or an address.
        host: String,
        /// The engine's port.
        port: u16,
    },
    /// A port that asks for certificates.
    Tls {
        /// A name or an address.
        host: String,
        /// The engine's port.
        port: u16,
        /// What both sides prove themselves with.
        certificates: Certificates,
    },
    /// A machine that is reached by ssh.
    Ssh(SshEndpoint),
}

/// The port of engines that are open to everybody.
const OPEN_PORT: u16 = 2375;

impl Route {
    /// The socket that Docker's own command uses where nothing else is said.
    pub const DEFAULT_SOCKET: &'static str = "/var/run/docker.sock";

    /// The way to `endpoint` for the user whose settings are `client`.
    pub fn to(endpoint: &DockerEndpoint, client: &ClientEnvironment) -> Result<Self, EngineError> {
        find(endpoint, client).map_err(|kind| EngineError {
            operation: super::CONNECTING.to_owned(),
            kind,
        })
    }

    /// Whether the engine's machine is this one, so that its files, ports and processes can be looked at.
    pub fn is_of_this_machine(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    pub(super) fn default_socket() -> Self {
        Self::Socket(PathBuf::from(Self::DEFAULT_SOCKET))
    }

    /// What a text in the words of `DOCKER_HOST` means. Without certificates a `tcp` port is an open one.
    pub(super) fn read(text: &str, certificates: Option<Certificates>) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Some(Self::Socket(PathBuf::from(path)));
        }
        let (address, is_tls) = match text.split_once("://")? {
            ("tcp", address) => (address, certificates.is_some()),
            ("http", address) => (address, false),
            ("https", address) => (address, true),
            _ => return of_manifest(text.parse().ok()?),
        };
        // A port that nobody wrote is not the same for both kinds.
        let has_port = address
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.trim_end_matches('/').parse::<u16>().is_ok());
        let DockerEndpoint::Tls(TlsEndpoint { host, port, .. }) =
            format!("tcp://{address}").parse().ok()?
        else {
            return None;
        };
        match certificates {
            Some(certificates) if is_tls => Some(Self::Tls {
                host,
                port,
                certificates,
            }),
            _ if is_tls => None,
            _ => Some(Self::Open {
                host,
                port: if has_port { port } else { OPEN_PORT },
            }),
        }
    }
}

fn find(endpoint: &DockerEndpoint, client: &ClientEnvironment) -> Result<Route, EngineErrorKind> {
    match endpoint {
        DockerEndpoint::Local => local(client),
        DockerEndpoint::Context(name) if name == contexts::DEFAULT => by_host(client),
        DockerEndpoint::Context(name) => Contexts::of(client)?.route(name),
        other => of_manifest(other.clone()).ok_or_else(|| bad(&other.to_string())),
    }
}

/// What Docker's own command would use, in the order in which it looks.
fn local(client: &ClientEnvironment) -> Result<Route, EngineErrorKind> {
    if client.host.is_some() {
        return by_host(client);
    }
    let current = match &client.context {
        Some(name) => Some(name.clone()),
        None => contexts::current(client)?,
    };
    match current.as_deref() {
        None | Some("" | contexts::DEFAULT) => by_host(client),
        Some(name) => Contexts::of(client)?.route(name),
    }
}

fn by_host(client: &ClientEnvironment) -> Result<Route, EngineErrorKind> {
    let Some(host) = &client.host else {
        return Ok(Route::default_socket());
    };
    let folder = client.certificates.as_ref().or(client.settings.as_ref());
    let certificates = folder
        .filter(|_| client.tls_verify)
        .map(|folder| Certificates::in_folder(folder));
    Route::read(host, certificates).ok_or_else(|| bad(host))
}

fn of_manifest(endpoint: DockerEndpoint) -> Option<Route> {
    match endpoint {
        DockerEndpoint::Unix(socket) => Some(Route::Socket(socket)),
        DockerEndpoint::Ssh(ssh) => Some(Route::Ssh(ssh)),
        DockerEndpoint::Tls(TlsEndpoint {
            host,
            port,
            certificates: Some(certificates),
        }) => Some(Route::Tls {
            host,
            port,
            certificates,
        }),
        DockerEndpoint::Local | DockerEndpoint::Context(_) | DockerEndpoint::Tls(_) => None,
    }
}

fn bad(endpoint: &str) -> EngineErrorKind {
    EngineErrorKind::BadEndpoint {
        endpoint: endpoint.to_owned(),
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = match self {
            Self::Socket(path) => return write!(f, "unix://{}", path.display()),
            Self::Ssh(ssh) => return ssh.fmt(f),
            Self::Open { host, port } | Self::Tls { host, port, .. } => (host, port),
        };
        if host.contains(':') {
            write!(f, "tcp://[{host}]:{port}")
        } else {
            write!(f, "tcp://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(host: &str) -> ClientEnvironment {
        ClientEnvironment {
            host: Some(host.to_owned()),
            settings: Some("/home/me/.docker".into()),
            ..ClientEnvironment::default()
        }
    }

    fn local_route(client: &ClientEnvironment) -> String {
        match Route::to(&DockerEndpoint::Local, client) {
            Ok(route) => route.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn local_is_what_the_docker_command_would_use() {
        for (host, route) in [
            (
                "unix:///run/user/1000/docker.sock",
                "unix:///run/user/1000/docker.sock",
            ),
            ("tcp://nas", "tcp://nas:2375"),
            ("tcp://nas:80/", "tcp://nas:80"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("http://nas:2375", "tcp://nas:2375"),
            ("ssh://me@nas", "ssh://me@nas"),
            (
                "fd://",
                "connect to the Docker engine: 'fd://' is no Docker endpoint",
            ),
            (
                "ssh://-oProxyCommand=x",
                "connect to the Docker engine: 'ssh://-oProxyCommand=x' is no Docker endpoint",
            ),
        ] {
            assert_eq!(local_route(&client(host)), route, "{host}");
        }
        let nothing = ClientEnvironment::default();
        assert_eq!(local_route(&nothing), "unix:///var/run/docker.sock");
    }

    #[test]
    fn certificates_come_in_when_docker_is_told_to_verify() {
        let mut client = client("tcp://nas");
        client.tls_verify = true;
        let route = Route::to(&DockerEndpoint::Local, &client).unwrap();
        let expected = |folder: &str| Route::Tls {
            host: "nas".to_owned(),
            port: 2376,
            certificates: Certificates::in_folder(folder.as_ref()),
        };
        assert_eq!(route, expected("/home/me/.docker"));
        client.certificates = Some("/certificates".into());
        let route = Route::to(&DockerEndpoint::Local, &client).unwrap();
        assert_eq!(route, expected("/certificates"));
        assert!(!route.is_of_this_machine());
    }

    #[test]
    fn a_manifest_never_leads_to_an_open_port() {
        let open: DockerEndpoint = "tcp://nas:2375".parse().unwrap();
        assert!(Route::to(&open, &ClientEnvironment::default()).is_err());
    }
}
