//! What can be wrong with a bundle.

use std::io;
use std::path::{Path, PathBuf};

use super::index::FORMAT;
use crate::image::RestoreError;

/// Why a bundle cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something that was not written by `bundle save`.
    #[error("{} is no bundle of farmctl", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Something that cannot be read twice.
    #[error("{} is no file: a bundle is read twice, first to check it", path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// Written by another version of this program.
    #[error("the bundle has format {found}, this program reads format {FORMAT}")]
    Format {
        /// Its format.
        found: u64,
    },
    /// The end is missing.
    #[error("{} is cut off", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// It does not hold what its index says.
    #[error("the bundle is damaged: {member} {reason}")]
    Damaged {
        /// The part.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The parts of an image do not fit together.
    #[error("the bundle's image {reference} is not one of farmctl's: {reason}")]
    Image {
        /// Its name.
        reference: String,
        /// What is wrong with it.
        reason: RestoreError,
    },
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// There is no room for it.
    #[error("disk full while writing {}", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// A file of this name is something else.
    #[error("{} is there and is no bundle", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// What is to be packed cannot be read.
    #[error("cannot pack {what}: {reason}")]
    Content {
        /// A layer or file.
        what: String,
        /// Why.
        reason: io::Error,
    },
    /// Whoever watched said so.
    #[error("stopped")]
    Stopped,
}

impl BundleError {
    pub(super) fn damaged(member: &str, reason: impl Into<String>) -> Self {
        Self::Damaged {
            member: member.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn read(path: &Path, reason: io::Error) -> Self {
        let path = path.to_owned();
        Self::Read { path, reason }
    }

    pub(super) fn write(path: &Path, reason: io::Error) -> Self {
        let path = path.to_owned();
        match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Write { path, reason },
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Foreign { .. } => "farmctl bundle save FILE writes one",
            Self::NoFile { .. } => "copy it to this machine's disk first",
            Self::Format { .. } => {
                "take the farmctl that wrote it out of it (tar xf FILE farmctl) and let that load it"
            }
            Self::Truncated { .. } | Self::Damaged { .. } => {
                "copy it once more, and compare the SHA-256 with what bundle save printed"
            }
            Self::Image { .. } => {
                "take the farmctl that wrote the bundle out of it (tar xf FILE farmctl) and let that load it"
            }
            Self::Full { .. } => "free some space, or write it to another disk",
            Self::InTheWay { .. } => "name another file, or remove that one",
            Self::Read { .. } | Self::Write { .. } | Self::Content { .. } | Self::Stopped => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}
