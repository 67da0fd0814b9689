//! The same farm for people who run containers by other means: compose, Swarm, Kubernetes, Quadlet, systemd.
//!
//! [`export`] is pure: a host of a farm becomes files. What farmctl would ask an engine for is decided by the same code
//! (`converge::desired`), for an engine that is assumed, because none is asked. From then on each target is one
//! container that owns its port itself: none of these ways replaces a container while its successor is there already,
//! so a door would serve nobody. Nothing marks the containers as farmctl's: it leaves them alone.

mod compose;
mod kubernetes;
mod options;
mod quadlet;
mod swarm;
mod systemd;
mod units;
mod volunteer;
mod yaml;

use std::collections::BTreeMap;

use crate::converge::DesiredError;
use crate::farm::{Farm, Host, ImageTag, Memory, Registry, TargetName};

/// How the containers will be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A compose file, for docker-compose 1.29 and Compose 2.
    Compose,
    /// A stack file for `docker stack deploy`.
    Swarm,
    /// Manifests for `kubectl apply`.
    Kubernetes,
    /// Units of Podman's generator.
    Quadlet,
    /// systemd's units that run the containers through docker.
    Systemd,
}

/// What the images are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageNames {
    /// `farmctl/armv7h:latest` and so on, whatever they hold; or of these names in a registry.
    Stable(Option<Registry>),
    /// These, which a lock gives.
    Pinned(BTreeMap<TargetName, ImageTag>),
}

/// What is exported, and how.
#[derive(Debug, Clone)]
pub struct Export<'a> {
    /// The farm.
    pub farm: &'a Farm,
    /// One of its hosts.
    pub host: &'a Host,
    /// What the images are called.
    pub images: &'a ImageNames,
    /// The folder with the Dockerfile, for what can build images.
    pub build: Option<&'a str>,
    /// The command that asked for it, as it stands in the files.
    pub command: &'a str,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its usual name.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// What cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// A container is not decided.
    #[error(transparent)]
    Undecided(#[from] DesiredError),
    /// A setting that a format has no word for.
    #[error("{format} cannot express `{key}` of target {target}")]
    Inexpressible {
        /// The format.
        format: &'static str,
        /// The manifest's key with its value.
        key: &'static str,
        /// Whose.
        target: TargetName,
    },
}

impl ExportError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Undecided(_) => None,
            Self::Inexpressible { .. } => {
                Some("leave it out of the manifest that is exported".to_owned())
            }
        }
    }
}

/// Memory of a volunteer for which the manifest names none: no engine is asked how much there is.
pub const ASSUMED_MEMORY: Memory = Memory::from_bytes(6 << 30);

/// The files of an export.
pub fn export(format: Format, what: &Export<'_>) -> Result<Vec<ExportedFile>, ExportError> {
    let volunteers = volunteer::exported(what)?;
    let volunteers = volunteers.as_slice();
    Ok(match format {
        Format::Compose => vec![compose::file(what, volunteers)],
        Format::Swarm => vec![swarm::file(what, volunteers)?],
        Format::Kubernetes => vec![kubernetes::file(what, volunteers)?],
        Format::Quadlet => quadlet::files(what, volunteers),
        Format::Systemd => systemd::files(what, volunteers),
    })
}
