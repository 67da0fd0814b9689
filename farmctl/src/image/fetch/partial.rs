//! A file on its way into the cache.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::image::digest::{Hashing, Sha256};
use crate::image::disk::DiskError;

/// What was received so far, on disk and hashed. Locked: two processes never write the same partial file.
pub(super) struct Partial {
    path: PathBuf,
    file: Hashing<File>,
}

impl Partial {
    /// Opens the partial file and hashes what an earlier run left in it. Waits while another process works on it.
    pub(super) fn open(path: PathBuf) -> Result<Self, DiskError> {
        match open_locked(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(DiskError::new(&path, source)),
        }
    }

    /// Bytes received so far.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file
            .write_all(bytes)
            .map_err(|source| DiskError::new(&self.path, source))
    }

    /// Starts over, from nothing. The file stays open and locked.
    pub(super) fn restart(&mut self) -> Result<(), DiskError> {
        self.file.reset();
        self.file
            .inner()
            .set_len(0)
            .map_err(|source| DiskError::new(&self.path, source))
    }

    /// The digest of what was received so far.
    pub(super) fn digest(&self) -> Sha256 {
        self.file.digest()
    }

    /// Syncs the file and renames it to `path`.
    pub(super) fn persist(self, path: &Path) -> Result<(), DiskError> {
        self.file
            .inner()
            .sync_all()
            .map_err(|source| DiskError::new(&self.path, source))?;
        fs::rename(&self.path, path).map_err(|source| DiskError::new(path, source))
    }
}

fn open_locked(path: &Path) -> io::Result<Hashing<File>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        file.lock()?;
        if is_still_at(&file, path) {
            return hash_existing(file);
        }
    }
}

/// Whoever held the lock before us may have renamed the file: then the one we locked is in the cache already.
fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => ours.ino() == theirs.ino() && ours.dev() == theirs.dev(),
        _ => false,
    }
}

fn hash_existing(file: File) -> io::Result<Hashing<File>> {
    let mut hashed = Hashing::new(file.try_clone()?);
    let mut buffer = vec![0; 1 << 16];
    let mut reader = file;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hashed),
            read => hashed.absorb(&buffer[..read]),
        }
    }
}
