//! Downloads of what layers are made from.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use futures_util::future::try_join_all;

use super::LayerMaker;
use crate::image::Error;
use crate::image::digest::Sha256;
use crate::image::disk::DiskError;
use crate::image::fetch::{FetchError, RemoteFile};
use crate::image::lock::LockedPackage;
use crate::image::progress::Event;
use crate::image::recipe::ImageRecipe;
use crate::image::tarball::ArchiveSource;

/// A package or an archive in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The package's name, or the archive's file name.
    pub name: String,
    /// The package's version.
    pub version: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// Whether it was there before.
    pub was_there: bool,
}

impl LayerMaker<'_> {
    /// Downloads everything that `recipes` are made from, also for layers that exist.
    pub(in crate::image) async fn fetch_all(
        &self,
        recipes: &[ImageRecipe],
    ) -> Result<Vec<Fetched>, Error> {
        let packages: BTreeMap<Sha256, &LockedPackage> = recipes
            .iter()
            .flat_map(ImageRecipe::packages)
            .map(|package| (package.sha256, package))
            .collect();
        let archives: BTreeMap<Sha256, &ArchiveSource> = recipes
            .iter()
            .flat_map(|recipe| &recipe.compilers)
            .filter_map(|compiler| compiler.content.archive())
            .map(|archive| (archive.sha256(), archive))
            .collect();
        self.announce_files(packages.values().map(|package| self.remote(package)));
        let packages = packages.values().map(async |package| {
            let was_there = self.has(&self.remote(package));
            self.fetch(package).await?;
            Ok::<_, Error>(Fetched {
                name: package.name.clone(),
                version: Some(package.version.clone()),
                bytes: package.size,
                was_there,
            })
        });
        let archives = archives.values().map(async |archive| {
            let was_there = self.has(&RemoteFile::toolchain(archive));
            let path = self.fetch_archive(archive).await?;
            let found = fs::metadata(&path).map_err(|source| DiskError::new(&path, source))?;
            Ok::<_, Error>(Fetched {
                name: archive.name().to_owned(),
                version: None,
                bytes: found.len(),
                was_there,
            })
        });
        let (mut packages, archives) =
            futures_util::future::try_join(try_join_all(packages), try_join_all(archives)).await?;
        packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        packages.extend(archives);
        Ok(packages)
    }

    pub(super) async fn fetch(&self, package: &LockedPackage) -> Result<PathBuf, Error> {
        Ok(self.fetcher.file(&self.remote(package)).await?)
    }

    pub(super) async fn fetch_archive(&self, archive: &ArchiveSource) -> Result<PathBuf, Error> {
        let fetched = self.fetcher.file(&RemoteFile::toolchain(archive)).await;
        fetched.map_err(|error| match error {
            FetchError::WrongChecksum {
                url,
                expected,
                actual,
            } => Error::Replaced {
                url,
                expected,
                actual,
            },
            FetchError::NotFound { url } => Error::ArchiveGone { url },
            error => error.into(),
        })
    }

    /// Tells how much of `files` will be downloaded.
    pub(super) fn announce_files(&self, files: impl Iterator<Item = RemoteFile>) {
        let files: Vec<_> = files.collect();
        let missing = self.fetcher.missing(&files);
        if !missing.is_empty() {
            let bytes = missing.iter().map(|file| file.length.max()).sum();
            self.listener.report(Event::Planned {
                files: missing.len(),
                bytes,
            });
        }
    }

    fn has(&self, file: &RemoteFile) -> bool {
        self.fetcher.missing([file]).is_empty()
    }
}
