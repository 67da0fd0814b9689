//! What a Debian archive says it holds.
//!
//! For each suite: the signed `InRelease` is fetched and verified ([`release`]), the package index it names is fetched
//! and checked against it ([`index`]), and the wanted packages are closed over their dependencies ([`closure`]).

mod closure;
mod dependency;
mod index;
mod keyring;
mod release;
mod version;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lzma_rust2::XzReaderMt;

pub use closure::ResolveError;
pub use index::IndexError;
pub use keyring::{Keyring, KeyringError};
pub use release::{Expiry, ReleaseError};

pub(super) use version::Version;

use super::Error;
use super::blocking::blocking;
use super::digest::Sha256;
use super::fetch::{FetchError, Fetcher, Length, RemoteFile};
use super::mirror::Mirror;
use super::progress::Work;
use crate::farm::Architecture;
use closure::Resolver;
use index::Packages;
use release::Release;

/// The component that holds the compilers.
const COMPONENT: &str = "main";

/// An `InRelease` file is about 150 kB.
const MAX_RELEASE_BYTES: usize = 16 << 20;

/// An index has three blocks or so, which decompress in parallel.
const MAX_WORKERS: u32 = 4;

/// What to resolve in a suite: these packages and what they depend on, but nothing that matches a pattern; and some
/// alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) packages: Vec<String>,
    /// `*` stands for any text.
    pub(super) leave_out: Vec<String>,
    /// Without what they depend on.
    pub(super) alone: Vec<String>,
}

/// A package as the archive offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    /// Below the archive's root.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
}

/// Packages of one suite for one kind of machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stock {
    pub(super) suite: String,
    pub(super) architecture: Architecture,
}

/// Resolves every wish against one stock of `mirror`, in the order of `wishes`.
pub(super) async fn resolve(
    fetcher: &Fetcher,
    mirror: &Mirror,
    stock: &Stock,
    trust: &Trust<'_>,
    wishes: Vec<Wanted>,
) -> Result<Vec<Vec<Offered>>, Error> {
    let Stock {
        suite,
        architecture,
    } = stock.clone();
    let index = format!("{COMPONENT}/binary-{architecture}/Packages.xz");
    let path = listed_file(fetcher, mirror, &suite, trust, &index).await?;
    blocking(move || resolve_in(&path, &suite, &wishes)).await
}

/// The file at `path` below the folder of `suite`, checked against the suite's signed list.
pub(super) async fn listed_file(
    fetcher: &Fetcher,
    mirror: &Mirror,
    suite: &str,
    trust: &Trust<'_>,
    path: &str,
) -> Result<PathBuf, Error> {
    let release = signed_release(fetcher, mirror, suite, trust).await?;
    let listed = release.listed(path)?;
    let file = RemoteFile {
        url: mirror.url(&format!("dists/{suite}/{}", listed.path)),
        sha256: listed.sha256,
        length: Length::Exactly(listed.bytes),
        work: Work::Index {
            suite: suite.to_owned(),
        },
    };
    Ok(fetcher.file(&file).await?)
}

/// Whose signature to believe, and how old it may be.
pub(super) struct Trust<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) expiry: Expiry,
}

async fn signed_release(
    fetcher: &Fetcher,
    mirror: &Mirror,
    suite: &str,
    trust: &Trust<'_>,
) -> Result<Release, Error> {
    let url = mirror.url(&format!("dists/{suite}/InRelease"));
    let text = match fetcher.text(&url, MAX_RELEASE_BYTES).await {
        Err(FetchError::NotFound { url }) => {
            return Err(ReleaseError::NoSuite {
                suite: suite.to_owned(),
                url,
            }
            .into());
        }
        outcome => outcome?,
    };
    let release = Release::verify(&text, suite, trust.keyring, trust.expiry, SystemTime::now())?;
    Ok(release)
}

fn resolve_in(path: &Path, suite: &str, wishes: &[Wanted]) -> Result<Vec<Vec<Offered>>, Error> {
    let text = decompress(path, suite)?;
    let packages = Packages::parse(&text, suite)?;
    let resolver = Resolver::new(&packages, suite);
    let closures: Result<_, ResolveError> =
        wishes.iter().map(|wanted| resolver.close(wanted)).collect();
    Ok(closures?)
}

fn decompress(path: &Path, suite: &str) -> Result<String, IndexError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = u32::try_from(cores).unwrap_or(MAX_WORKERS).min(MAX_WORKERS);
    let broken = |source| IndexError::Compression {
        suite: suite.to_owned(),
        source,
    };
    let file = File::open(path).map_err(broken)?;
    let reader = XzReaderMt::new(file, true, workers).map_err(broken)?;
    std::io::read_to_string(reader).map_err(broken)
}
