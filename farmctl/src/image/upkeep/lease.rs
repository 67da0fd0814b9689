//! Who is at work with a cache, so that nothing is taken away under anybody's hands.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::image::disk::DiskError;

const NAME: &str = "lease";

/// Held as long as somebody counts on what the cache holds, or on an image that no container uses yet.
#[derive(Debug)]
pub struct Lease {
    _locked: File,
}

/// Somebody else is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another farmctl is at work with this cache")]
pub struct Busy;

impl Busy {
    /// What to do about it.
    pub fn hint(self) -> String {
        "wait until it is done, then try again".to_owned()
    }
}

impl Lease {
    /// One of any number that work at the same time. Waits for who clears up.
    ///
    /// # Errors
    ///
    /// The cache cannot be written.
    pub fn shared(cache: &Path) -> Result<Self, DiskError> {
        let file = open(cache)?;
        let locked = file.lock_shared();
        locked.map_err(|source| DiskError::new(&cache.join(NAME), source))?;
        Ok(Self { _locked: file })
    }

    /// The only one, to clear up.
    ///
    /// # Errors
    ///
    /// The cache cannot be written.
    pub fn exclusive(cache: &Path) -> Result<Result<Self, Busy>, DiskError> {
        let file = open(cache)?;
        match file.try_lock() {
            Ok(()) => Ok(Ok(Self { _locked: file })),
            Err(TryLockError::WouldBlock) => Ok(Err(Busy)),
            Err(TryLockError::Error(source)) => Err(DiskError::new(&cache.join(NAME), source)),
        }
    }
}

fn open(cache: &Path) -> Result<File, DiskError> {
    let path = cache.join(NAME);
    std::fs::create_dir_all(cache)
        .and_then(|()| {
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).write(true).open(&path)
        })
        .map_err(|source| DiskError::new(&path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_clears_up_while_somebody_works() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let one = Lease::shared(&cache).unwrap();
        let other = Lease::shared(&cache).unwrap();
        assert_eq!(Lease::exclusive(&cache).unwrap().unwrap_err(), Busy);
        drop(one);
        assert_eq!(Lease::exclusive(&cache).unwrap().unwrap_err(), Busy);
        drop(other);
        let alone = Lease::exclusive(&cache).unwrap().unwrap();
        assert_eq!(Lease::exclusive(&cache).unwrap().unwrap_err(), Busy);
        drop(alone);
        Lease::shared(&cache).unwrap();
    }
}
