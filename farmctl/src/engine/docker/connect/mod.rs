//! Dialling an engine, with the failures a person can act on told apart.

mod line;
mod names;
mod tcp;
mod tls;
mod wire;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};

use super::failure::Operation;
use crate::engine::ssh::Tunnel;
use crate::engine::{CONNECTING, EngineError, EngineErrorKind, Route};
use crate::farm::{Certificates, SshEndpoint};
use line::Kind;
pub(super) use line::Line;
pub use names::resolve;
use tls::Certified;
use wire::Far;

/// An engine that does not answer within this is as good as down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The API of engine 20.10, the first with everything that volunteers need.
const OLDEST: ClientVersion = ClientVersion {
    major_version: 1,
    minor_version: 41,
};

/// Dials the engine and agrees on an API version that both sides speak.
pub(super) async fn connect(route: &Route) -> Result<(Docker, Line), EngineError> {
    let endpoint = route.to_string();
    let (line, docker) = match route {
        Route::Socket(socket) => {
            let line = line(&endpoint, Kind::Socket);
            let checked = check_socket(socket).await;
            checked.map_err(|kind| connecting(&line).failed_by(kind))?;
            let seconds = CONNECT_TIMEOUT.as_secs();
            let docker = Docker::connect_with_unix(&endpoint, seconds, API_DEFAULT_VERSION);
            (line, docker)
        }
        Route::Open { host, port } => {
            let far = Far::Open {
                host: host.clone(),
                port: *port,
            };
            (line(&endpoint, Kind::Open), far.docker())
        }
        Route::Tls {
            host,
            port,
            certificates,
        } => {
            let certified = certified(&endpoint, certificates)?;
            let kind = Kind::Tls {
                host: host.clone(),
                certified: Arc::clone(&certified),
            };
            let far = Far::Tls {
                host: host.clone(),
                port: *port,
                certified,
            };
            (line(&endpoint, kind), far.docker())
        }
        Route::Ssh(there) => {
            let tunnel = Arc::new(tunnel(there).await?);
            let line = line(&endpoint, Kind::Ssh(Arc::clone(&tunnel)));
            (line, Far::Tunnel(tunnel).docker())
        }
    };
    let docker = docker.map_err(|error| connecting(&line).unreachable(&error))?;
    let docker = agree(docker, &line).await?;
    Ok((docker, line))
}

fn line(endpoint: &str, kind: Kind) -> Line {
    Line {
        endpoint: endpoint.into(),
        kind,
    }
}

fn connecting(line: &Line) -> Operation<'_> {
    Operation {
        line,
        operation: CONNECTING.to_owned(),
    }
}

fn certified(endpoint: &str, files: &Certificates) -> Result<Arc<Certified>, EngineError> {
    let read = Certified::read(files).map_err(|problem| EngineError {
        operation: CONNECTING.to_owned(),
        kind: EngineErrorKind::Tls {
            endpoint: endpoint.to_owned(),
            problem,
        },
    });
    read.map(Arc::new)
}

async fn tunnel(there: &SshEndpoint) -> Result<Tunnel, EngineError> {
    let opened = Tunnel::open(there).await;
    opened.map_err(|problem| EngineError {
        operation: CONNECTING.to_owned(),
        kind: line::ssh(there, problem),
    })
}

/// The newest API that both sides speak.
async fn agree(docker: Docker, line: &Line) -> Result<Docker, EngineError> {
    let doing = connecting(line);
    let docker = match docker.negotiate_version().await {
        Ok(docker) => docker,
        Err(error) => {
            let explained = line.explain_silence(&error).await;
            return Err(match explained {
                Some(kind) => doing.failed_by(kind),
                None => doing.not_understood(error),
            });
        }
    };
    let api = docker.client_version();
    if api < OLDEST {
        let told = docker.version().await.ok();
        return Err(doing.failed_by(EngineErrorKind::TooOld {
            version: told.and_then(|told| told.version).unwrap_or_default(),
            api: api.to_string(),
            needed: OLDEST.to_string(),
        }));
    }
    Ok(docker)
}

/// The client library folds "no such socket" and "permission denied" into one; a person needs to know which.
async fn check_socket(socket: &Path) -> Result<(), EngineErrorKind> {
    let endpoint = || socket.display().to_string();
    match tokio::net::UnixStream::connect(socket).await {
        Ok(_open) => Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(EngineErrorKind::PermissionDenied {
                endpoint: endpoint(),
            })
        }
        Err(error) => Err(EngineErrorKind::Unreachable {
            endpoint: endpoint(),
            reason: error.to_string(),
        }),
    }
}
