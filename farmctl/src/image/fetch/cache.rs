//! The user's cache directory: files named by their SHA-256.
//!
//! A file gets its name by a rename after its digest was checked and its bytes were synced, so a name that exists is
//! trusted: an interrupted run leaves nothing but a partial file under another folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::Length;
use super::partial::Partial;
use crate::image::digest::Sha256;
use crate::image::disk::DiskError;

/// The cache directory.
#[derive(Debug, Clone)]
pub(in crate::image) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(in crate::image) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// A folder of the cache for things that are not downloads.
    pub(in crate::image) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The file with this digest, if the cache holds it.
    pub(super) fn find(&self, sha256: &Sha256, length: Length) -> Option<PathBuf> {
        let path = self.file(sha256);
        let complete = fs::metadata(&path).is_ok_and(|found| {
            found.is_file() && length.known().is_none_or(|bytes| bytes == found.len())
        });
        complete.then_some(path)
    }

    /// Opens the partial file of this digest, waiting while another process works on it.
    pub(super) fn partial(&self, sha256: &Sha256) -> Result<Partial, DiskError> {
        let path = self.folder("partial").join(sha256.to_string());
        create_parent(&path)?;
        Partial::open(path)
    }

    /// Gives a file that was received completely the name of its digest.
    pub(super) fn adopt(&self, received: Partial) -> Result<PathBuf, DiskError> {
        let path = self.file(&received.digest());
        create_parent(&path)?;
        received.persist(&path)?;
        sync_parent(&path)?;
        Ok(path)
    }

    fn file(&self, sha256: &Sha256) -> PathBuf {
        self.root.join("archive").join(sha256.to_string())
    }
}

fn create_parent(path: &Path) -> Result<(), DiskError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(parent).map_err(|source| DiskError::new(parent, source))
}

fn sync_parent(path: &Path) -> Result<(), DiskError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    File::open(parent)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| DiskError::new(parent, source))
}
