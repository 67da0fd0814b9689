//! What Docker's own command goes by, so that farmctl reaches the same engines.

/// The settings of this user's `docker` command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientEnvironment {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// Where its settings are: what `DOCKER_CONFIG` names, else `~/.docker`.
    pub settings: Option<std::path::PathBuf>,
}
