//! Files from the archive, into the user's cache.
//!
//! Every file is known by its SHA-256 before it is fetched; only the signed index itself is not. Downloads run in
//! parallel, survive cut connections by asking for the rest, and become visible in the cache only when their digest
//! is right.

mod cache;
mod download;
mod error;
mod file;
mod pace;
mod partial;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use tokio::sync::Semaphore;

pub(super) use cache::Cache;
pub use error::FetchError;

use super::digest::Sha256;
use super::progress::{Listener, Span, Work};
use super::tarball::ArchiveSource;

/// Enough to hide latency, few enough for a volunteer-run mirror.
const PARALLEL_DOWNLOADS: usize = 6;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection that is silent for so long counts as cut.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Fetches files.
pub(super) struct Fetcher {
    client: Client,
    cache: Cache,
    listener: Listener,
    permits: Semaphore,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemoteFile {
    pub(super) url: Url,
    pub(super) sha256: Sha256,
    pub(super) length: Length,
    /// What to call it in reports.
    pub(super) work: Work,
}

/// How many bytes a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// So many.
    Exactly(u64),
    /// Nobody said; more than so many are refused.
    AtMost(u64),
}

impl Length {
    /// No more than these are taken.
    pub(super) fn max(self) -> u64 {
        match self {
            Self::Exactly(bytes) | Self::AtMost(bytes) => bytes,
        }
    }

    /// The number, where it is known.
    fn known(self) -> Option<u64> {
        match self {
            Self::Exactly(bytes) => Some(bytes),
            Self::AtMost(_) => None,
        }
    }
}

/// The largest archive of a toolchain: they have some 150 MB.
const MAX_ARCHIVE_BYTES: u64 = 2 << 30;

impl RemoteFile {
    /// A toolchain's archive.
    pub(super) fn toolchain(archive: &ArchiveSource) -> Self {
        Self {
            url: archive.location().clone(),
            sha256: archive.sha256(),
            length: Length::AtMost(MAX_ARCHIVE_BYTES),
            work: Work::Archive {
                name: archive.name().to_owned(),
            },
        }
    }
}

impl Fetcher {
    pub(super) fn new(cache: Cache, listener: &Listener) -> Result<Self, FetchError> {
        let client = Client::builder()
            .user_agent(concat!("farmctl/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .build()
            .map_err(|source| FetchError::Client {
                reason: error::root_cause(&source),
            })?;
        let permits = Semaphore::new(PARALLEL_DOWNLOADS);
        Ok(Self {
            client,
            cache,
            listener: Arc::clone(listener),
            permits,
        })
    }

    /// Fetches a text whose digest nobody knows beforehand, of at most `max_bytes`.
    pub(super) async fn text(&self, url: &Url, max_bytes: usize) -> Result<String, FetchError> {
        download::text(&self.client, url, max_bytes).await
    }

    /// The path of `file` in the cache, fetching it if it is not there.
    pub(super) async fn file(&self, file: &RemoteFile) -> Result<PathBuf, FetchError> {
        if let Some(path) = self.cache.find(&file.sha256, file.length) {
            return Ok(path);
        }
        let _permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let span = Span::start(&self.listener, file.work.clone(), file.length.known());
        download::into_cache(&self.client, &self.cache, file, &span).await
    }

    /// Those of `files` that the cache does not hold.
    pub(super) fn missing<'a>(
        &self,
        files: impl IntoIterator<Item = &'a RemoteFile>,
    ) -> Vec<&'a RemoteFile> {
        files
            .into_iter()
            .filter(|file| self.cache.find(&file.sha256, file.length).is_none())
            .collect()
    }
}
