//! Everything that can go wrong between a request and a loaded image.

use super::archive::{IndexError, KeyringError, ReleaseError, ResolveError};
use super::digest::Sha256;
use super::disk::DiskError;
use super::fetch::FetchError;
use super::lock::LockError;
use super::mirror::MirrorError;
use super::package::{ElfError, LibraryError, PathError, UnpackError};
use super::program::ProgramError;
use super::tarball::{ArchiveSourceError, TarballError};
use crate::farm::Architecture;

/// Why an image cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mirror's name.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The keyring file.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A download.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The archive's signed index.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The archive's list of packages.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The dependencies.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The lock file.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A package's content.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// A program or library.
    #[error(transparent)]
    Elf(#[from] ElfError),
    /// A toolchain's archive.
    #[error(transparent)]
    Tarball(#[from] TarballError),
    /// How a toolchain's archive is described.
    #[error(transparent)]
    ArchiveSource(#[from] ArchiveSourceError),
    /// Nothing is at an archive's address.
    #[error("there is no toolchain archive at {url}")]
    ArchiveGone {
        /// The address.
        url: String,
    },
    /// What is behind an archive's address is not what it was.
    #[error(
        "upstream replaced this archive: {url} has SHA-256 {actual}, the toolchain file says {expected}"
    )]
    Replaced {
        /// The archive.
        url: String,
        /// What the toolchain file says.
        expected: Sha256,
        /// What came.
        actual: Sha256,
    },
    /// The libraries that programs need.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// A program that should become the daemon.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// No program that could become the daemon on hosts of a kind.
    #[error("this farmctl has no program for {host} hosts")]
    NoDaemon {
        /// The hosts.
        host: Architecture,
    },
    /// The cache directory.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A compiler's path in the toolchain.
    #[error("the driver of gcc {gcc} cannot be in an image: {source}")]
    Driver {
        /// The major version.
        gcc: u32,
        /// What is wrong with its path.
        source: PathError,
    },
    /// The packages do not hold what the toolchain names.
    #[error("the packages of gcc {gcc} do not hold {program}")]
    NoProgram {
        /// The major version.
        gcc: u32,
        /// What is missing.
        program: String,
    },
    /// The packages hold no assembler.
    #[error("the packages of {target} hold no assembler")]
    NoAssembler {
        /// The target.
        target: String,
    },
    /// The packages hold no headers.
    #[error("the packages of {target} hold no headers")]
    NoHeaders {
        /// The target.
        target: String,
    },
    /// A layer or a configuration cannot be written down.
    #[error("an image cannot be put together: {source}")]
    Layer {
        /// Why.
        source: std::io::Error,
    },
    /// The toolchain's description cannot be written.
    #[error("the toolchain cannot be described: {source}")]
    Toolchain {
        /// Why.
        source: serde_json::Error,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Mirror(error) => error.hint(),
            Self::Keyring(error) => error.hint(),
            Self::Fetch(error) => error.hint(),
            Self::Release(error) => error.hint(),
            Self::Index(error) => error.hint(),
            Self::Resolve(error) => error.hint(),
            Self::Lock(error) => error.hint(),
            Self::Disk(error) => error.hint(),
            Self::Program(error) => error.hint(),
            Self::NoDaemon { host } => Some(format!(
                "put farmctl's {host} build beside this program as farmctl-{host}, or name it by FARMCTL_PROGRAM_{}",
                host.as_str().to_uppercase()
            )),
            Self::Tarball(error) => error.hint(),
            Self::ArchiveSource(error) => Some(error.hint()),
            Self::ArchiveGone { .. } => Some(
                "write another place as `url` into the target's toolchain file, also file:///… of a copy: the sum \
                 decides, not the place"
                    .to_owned(),
            ),
            Self::Replaced { .. } => Some(
                "if the new one is wanted, write its sum as `sha256` into the target's toolchain file; the old one may be \
                 had from somebody who kept it, by a `url` of file:///…"
                    .to_owned(),
            ),
            Self::Driver { .. }
            | Self::NoProgram { .. }
            | Self::NoAssembler { .. }
            | Self::NoHeaders { .. } => {
                Some("check the packages and paths in the target's toolchain file".to_owned())
            }
            Self::Library(LibraryError::Missing { .. }) => Some(
                "a `leave_out` pattern of the target's toolchain file may be too wide".to_owned(),
            ),
            Self::Unpack(_)
            | Self::Elf(_)
            | Self::Library(LibraryError::Elf(_))
            | Self::Toolchain { .. }
            | Self::Layer { .. } => None,
        }
    }
}
