//! The connection to a real Docker engine.

use std::time::Duration;

use anyhow::{Context, Result};
use bollard::{API_DEFAULT_VERSION, Docker};

/// Loading the master's image takes the longest.
const CALL_TIMEOUT: Duration = Duration::from_mins(20);

const DEFAULT_ENDPOINT: &str = "unix:///var/run/docker.sock";

/// Connects to the engine that `farmctl` would use: `DOCKER_HOST`, else the default socket.
///
/// # Errors
/// Why there is none.
pub async fn connect() -> Result<Docker> {
    let endpoint =
        std::env::var("DOCKER_HOST").unwrap_or_else(|_unset| DEFAULT_ENDPOINT.to_owned());
    connect_to(&endpoint)
        .await
        .with_context(|| format!("no Docker engine answers at {endpoint}"))
}

async fn connect_to(endpoint: &str) -> Result<Docker> {
    let seconds = CALL_TIMEOUT.as_secs();
    let docker = if endpoint.starts_with("unix://") {
        Docker::connect_with_unix(endpoint, seconds, API_DEFAULT_VERSION)?
    } else {
        Docker::connect_with_http(endpoint, seconds, API_DEFAULT_VERSION)?
    };
    let docker = docker.negotiate_version().await?;
    docker.ping().await?;
    Ok(docker)
}
