//! Dialling an engine, with the failures a person can act on told apart.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};

use super::super::{ClientEnvironment, EngineError, EngineErrorKind};
use super::DockerEngine;
use super::failure::Operation;
use crate::farm::DockerEndpoint;

/// What an endpoint means for this user, in the words of `DOCKER_HOST`.
pub(super) fn address(endpoint: &DockerEndpoint, client: &ClientEnvironment) -> String {
    match endpoint {
        DockerEndpoint::Local => client
            .host
            .clone()
            .unwrap_or_else(|| DockerEngine::DEFAULT_ENDPOINT.to_owned()),
        other => other.to_string(),
    }
}

/// An engine that does not answer within this is as good as down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) async fn connect(endpoint: &str) -> Result<Docker, EngineError> {
    let doing = Operation {
        endpoint,
        operation: "connect to the Docker engine".to_owned(),
    };
    let client = if let Some(socket) = endpoint.strip_prefix("unix://") {
        check_socket(Path::new(socket))
            .await
            .map_err(|kind| doing.failed_by(kind))?;
        Docker::connect_with_unix(endpoint, CONNECT_TIMEOUT.as_secs(), API_DEFAULT_VERSION)
    } else if endpoint.starts_with("tcp://") || endpoint.starts_with("http://") {
        Docker::connect_with_http(endpoint, CONNECT_TIMEOUT.as_secs(), API_DEFAULT_VERSION)
    } else {
        let endpoint = endpoint.to_owned();
        return Err(doing.failed_by(EngineErrorKind::BadEndpoint { endpoint }));
    };
    let client = client.map_err(|error| doing.unreachable(&error))?;
    client
        .negotiate_version()
        .await
        .map_err(|error| doing.unreachable(&error))
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
