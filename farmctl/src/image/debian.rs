//! A Debian archive for those who want its packages whole, or its sources.

use std::path::PathBuf;
use std::sync::Arc;

use super::archive::{self, Expiry, Keyring, Stock, Trust, Wanted};
use super::fetch::{Cache, Fetcher, Length, RemoteFile};
use super::lock::LockedPackage;
use super::mirror::Mirror;
use super::progress::{Progress, Work};
use super::{Error, Sha256};
use crate::farm::Architecture;

/// An archive, and the cache in which its files are kept.
pub struct DebianArchive {
    mirror: Mirror,
    keyring: Keyring,
    expiry: Expiry,
    fetcher: Fetcher,
}

impl DebianArchive {
    /// Sets up the archive at `mirror` with the cache directory `cache`, reporting to
    /// `listener`. Touches neither network nor disk.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be set up.
    pub fn new(
        mirror: Mirror,
        cache: PathBuf,
        keyring: Keyring,
        expiry: Expiry,
        listener: &Arc<dyn Progress>,
    ) -> Result<Self, Error> {
        let fetcher = Fetcher::new(Cache::new(cache), listener)?;
        Ok(Self {
            mirror,
            keyring,
            expiry,
            fetcher,
        })
    }

    /// Packages of a suite for this machine and what they depend on, by name, without what a pattern of `leave_out` matches.
    ///
    /// # Errors
    ///
    /// The archive is out of reach or not to be believed, or lacks a package.
    pub async fn close(
        &self,
        suite: &str,
        packages: &[&str],
        leave_out: &[&str],
    ) -> Result<Vec<LockedPackage>, Error> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = Wanted {
            packages: owned(packages),
            leave_out: owned(leave_out),
            alone: vec![],
        };
        let stock = Stock {
            suite: suite.to_owned(),
            architecture: Architecture::own(),
        };
        let trust = self.trust();
        let closed =
            archive::resolve(&self.fetcher, &self.mirror, &stock, &trust, vec![wanted]).await?;
        let packages = closed.into_iter().flatten();
        Ok(packages.map(LockedPackage::new).collect())
    }

    /// A file that the signed list of a suite names by its path below the suite's folder, such as `main/source/Sources.xz`.
    ///
    /// # Errors
    ///
    /// The archive is out of reach or not to be believed, or the suite has no such file.
    pub async fn listed(&self, suite: &str, path: &str) -> Result<PathBuf, Error> {
        let trust = self.trust();
        archive::listed_file(&self.fetcher, &self.mirror, suite, &trust, path).await
    }

    /// A file of the archive by its path below the archive's root, whose size in bytes and digest are known.
    ///
    /// # Errors
    ///
    /// It cannot be fetched, or is another one.
    pub async fn file(&self, path: &str, bytes: u64, sha256: Sha256) -> Result<PathBuf, Error> {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let file = RemoteFile {
            url: self.mirror.url(path),
            sha256,
            length: Length::Exactly(bytes),
            work: Work::Package { name },
        };
        Ok(self.fetcher.file(&file).await?)
    }

    fn trust(&self) -> Trust<'_> {
        Trust {
            keyring: &self.keyring,
            expiry: self.expiry,
        }
    }
}

impl std::fmt::Debug for DebianArchive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DebianArchive")
            .field("mirror", &self.mirror)
            .finish_non_exhaustive()
    }
}
