//! The locks that were used on this machine, one note for each.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::image::digest::{FieldHash, Sha256};
use crate::image::disk::DiskError;

/// The only layout so far.
const FORMAT: u32 = 1;

/// What a lock stood for when it was used last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownLock {
    format: u32,
    /// The farm whose manifest asked.
    pub farm: String,
    /// The lock's file.
    pub lock: PathBuf,
    /// The images that it named, by tag.
    pub images: BTreeSet<String>,
    /// The keys of the layers that these are made of.
    pub layers: BTreeSet<Sha256>,
}

impl KnownLock {
    /// A note that `farm` used the file `lock`, an absolute path.
    pub fn new(
        farm: &str,
        lock: PathBuf,
        images: BTreeSet<String>,
        layers: BTreeSet<Sha256>,
    ) -> Self {
        Self {
            format: FORMAT,
            farm: farm.to_owned(),
            lock,
            images,
            layers,
        }
    }

    /// Two farms may share a lock: their manifests lie in one folder.
    fn name(&self) -> String {
        let hash = FieldHash::new("lock")
            .field(&self.farm)
            .field(self.lock.as_os_str().as_encoded_bytes());
        format!("{}.json", hash.finish())
    }
}

/// The notes of a cache.
#[derive(Debug, Clone)]
pub struct KnownLocks {
    folder: PathBuf,
}

impl KnownLocks {
    /// Those of the cache directory `cache`.
    pub fn new(cache: &Path) -> Self {
        Self {
            folder: cache.join("locks"),
        }
    }

    /// Notes that a lock is in use. What is noted already is not written again.
    ///
    /// # Errors
    ///
    /// The cache cannot be written.
    pub fn remember(&self, known: &KnownLock) -> Result<(), DiskError> {
        let path = self.path(known);
        let written = || -> io::Result<()> {
            let text = serde_json::to_vec(known)?;
            if fs::read(&path).is_ok_and(|noted| noted == text) {
                return Ok(());
            }
            fs::create_dir_all(&self.folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&text)?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(|source| DiskError::new(&path, source))
    }

    /// Where a note is.
    pub(super) fn path(&self, known: &KnownLock) -> PathBuf {
        self.folder.join(known.name())
    }

    /// Every lock that is still there. Notes about others, and notes that make no sense, are no longer needed.
    ///
    /// # Errors
    ///
    /// The notes cannot be read.
    pub fn all(&self) -> Result<Vec<KnownLock>, DiskError> {
        let failed = |source| DiskError::new(&self.folder, source);
        let mut known = Vec::new();
        for path in notes(&self.folder).map_err(failed)? {
            let text = fs::read(&path).map_err(failed)?;
            let note: Option<KnownLock> = serde_json::from_slice(&text).ok();
            known.extend(note.filter(|note| note.format == FORMAT && is_there(&note.lock)));
        }
        known.sort_by(|a, b| (&a.lock, &a.farm).cmp(&(&b.lock, &b.farm)));
        Ok(known)
    }
}

/// A lock that cannot be looked at may be on a disk that is not mounted now, but one that is gone is gone.
fn is_there(lock: &Path) -> bool {
    match fs::symlink_metadata(lock) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

pub(super) fn notes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    let paths: Vec<_> = paths.collect::<io::Result<_>>()?;
    let is_note = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    Ok(paths.into_iter().filter(is_note).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(farm: &str, lock: &Path, image: &str) -> KnownLock {
        let images = BTreeSet::from([image.to_owned()]);
        KnownLock::new(farm, lock.to_owned(), images, BTreeSet::new())
    }

    #[test]
    fn remembers_each_farm_and_lock_once_as_it_was_used_last() {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownLocks::new(&folder.path().join("cache"));
        assert_eq!(known.all().unwrap(), []);
        let lock = folder.path().join("farm.lock");
        fs::write(&lock, "").unwrap();
        known.remember(&note("attic", &lock, "a:1")).unwrap();
        known.remember(&note("attic", &lock, "a:2")).unwrap();
        known.remember(&note("cellar", &lock, "b:1")).unwrap();
        assert_eq!(
            known.all().unwrap(),
            [note("attic", &lock, "a:2"), note("cellar", &lock, "b:1")]
        );
    }

    #[test]
    fn forgets_locks_that_are_gone_and_notes_that_make_no_sense() {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownLocks::new(folder.path());
        let lock = folder.path().join("farm.lock");
        fs::write(&lock, "").unwrap();
        known.remember(&note("attic", &lock, "a:1")).unwrap();
        fs::write(folder.path().join("locks/x.json"), "{").unwrap();
        assert_eq!(known.all().unwrap().len(), 1);
        fs::remove_file(&lock).unwrap();
        assert_eq!(known.all().unwrap(), []);
    }
}
