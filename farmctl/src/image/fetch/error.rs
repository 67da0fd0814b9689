//! What can go wrong between the mirror and the cache.

use std::error::Error;
use std::path::PathBuf;

use crate::image::digest::Sha256;
use crate::image::disk::DiskError;

/// The status of a mirror that wants to be asked later (RFC 6585, 4).
const TOO_MANY_REQUESTS: u16 = 429;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The HTTP client could not be set up.
    #[error("cannot set up the HTTP client: {reason}")]
    Client {
        /// The cause, in words.
        reason: String,
    },
    /// No connection to the mirror.
    #[error("mirror unreachable: {reason} ({url})")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// The cause, in words.
        reason: String,
    },
    /// The connection was lost again and again.
    #[error("download cut after {received_bytes} bytes: {reason} ({url})")]
    Cut {
        /// What was asked for.
        url: String,
        /// How far it came.
        received_bytes: u64,
        /// The cause, in words.
        reason: String,
    },
    /// The server sends, but next to nothing.
    #[error(
        "download too slow after {received_bytes} bytes: less than 60 KiB came in a minute ({url})"
    )]
    TooSlow {
        /// What was asked for.
        url: String,
        /// How far it came.
        received_bytes: u64,
    },
    /// A file of this machine that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The mirror does not have the file.
    #[error("the mirror does not have {url}")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// The mirror answered with another failure.
    #[error("the mirror answered {status} to {url}")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: u16,
    },
    /// The file came whole, but it is not the one that was asked for.
    #[error("wrong checksum: {url} has SHA-256 {actual}, expected {expected}")]
    WrongChecksum {
        /// What was asked for.
        url: String,
        /// What the signed index or the lock says.
        expected: Sha256,
        /// What came.
        actual: Sha256,
    },
    /// The file is larger than it may be.
    #[error("{url} is larger than the {max_bytes} bytes expected")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit.
        max_bytes: u64,
    },
    /// A text that is not UTF-8.
    #[error("{url} is no text")]
    NoText {
        /// What was asked for.
        url: String,
    },
    /// The cache cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl FetchError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { .. } | Self::Cut { .. } | Self::TooSlow { .. } => {
                "check the network, or name another mirror with `mirror:` or FARMCTL_MIRROR; \
                 what was downloaded is kept"
                    .to_owned()
            }
            Self::NotFound { .. } => {
                "the archive has moved on since the lock file was written: run `farmctl update`, \
                 or name a mirror that keeps old versions"
                    .to_owned()
            }
            Self::WrongChecksum { .. } | Self::TooLarge { .. } => {
                "a proxy or the mirror changed the file: try again, or name another mirror"
                    .to_owned()
            }
            Self::Status { .. } | Self::NoText { .. } => {
                "name another mirror with `mirror:` or FARMCTL_MIRROR".to_owned()
            }
            Self::Disk(error) => return error.hint(),
            Self::Unreadable { .. } => {
                "check the `url` in the target's toolchain file, and who may read the file"
                    .to_owned()
            }
            Self::Client { .. } => return None,
        })
    }

    /// Whether asking again may help.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Cut { .. } | Self::TooSlow { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == TOO_MANY_REQUESTS,
            _ => false,
        }
    }
}

/// The deepest cause: HTTP errors wrap what matters, such as "connection refused", several times.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    // The resolver's own words are a dump of its query.
    if text.starts_with("no records found") {
        return "the name server does not know its host".to_owned();
    }
    text
}
