//! Every environment variable that farmctl reads, in one place.

use std::env;
use std::path::PathBuf;

/// The environment, read once at the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// `FARMCTL_MANIFEST`: the manifest.
    pub(super) manifest: Option<PathBuf>,
    /// `FARMCTL_MIRROR`: the Debian mirror, before what the machine's apt sources say.
    pub(super) mirror: Option<String>,
    /// `FARMCTL_KEYRING`: whose signatures on the mirror's index count, for archives that are not Debian's.
    pub(super) keyring: Option<PathBuf>,
    /// `DOCKER_HOST`: the engine.
    pub(super) docker_host: Option<String>,
    /// Where downloads and layers are kept: `XDG_CACHE_HOME`, else `~/.cache`.
    pub(super) cache: Option<PathBuf>,
    /// Where the lock of a farm without a manifest is kept: `XDG_DATA_HOME`, else `~/.local/share`.
    pub(super) data: Option<PathBuf>,
}

impl Environment {
    pub(super) fn read() -> Self {
        let text = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = path("HOME");
        let beneath_home = |folder: &str| Some(home.as_ref()?.join(folder));
        Self {
            manifest: path("FARMCTL_MANIFEST"),
            mirror: text("FARMCTL_MIRROR"),
            keyring: path("FARMCTL_KEYRING"),
            docker_host: text("DOCKER_HOST"),
            cache: path("XDG_CACHE_HOME").or_else(|| beneath_home(".cache")),
            data: path("XDG_DATA_HOME").or_else(|| beneath_home(".local/share")),
        }
    }
}
