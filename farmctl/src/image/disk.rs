//! What can go wrong in the cache directory.

use std::io;
use std::path::{Path, PathBuf};

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// No room left.
    #[error("disk full while writing {}", path.display())]
    Full {
        /// The file or folder.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot use {}: {source}", path.display())]
    Other {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DiskError {
    /// Sorts an error of the operating system.
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Other { path, source },
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Full { .. } => {
                "free some space, or put the cache elsewhere with XDG_CACHE_HOME".to_owned()
            }
            Self::Other { .. } => "the cache can be put elsewhere with XDG_CACHE_HOME".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_full_disk_from_other_trouble() {
        // The device that is always full (`full(4)`).
        let device = Path::new("/dev/full");
        let full = DiskError::new(device, std::fs::write(device, "x").unwrap_err());
        assert_eq!(full.to_string(), "disk full while writing /dev/full");
        assert!(full.hint().unwrap().starts_with("free some space"));

        let nowhere = Path::new("/nonexistent/x");
        let other = DiskError::new(nowhere, std::fs::write(nowhere, "x").unwrap_err());
        assert!(
            other.to_string().starts_with("cannot use /nonexistent/x: "),
            "{other}"
        );
    }
}
