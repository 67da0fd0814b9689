//! Toolchains that come as one archive, such as Arch Linux ARM's x-tools or what crosstool-NG makes.
//!
//! The archive is in the cache under its SHA-256 before anything here reads it. It is read once, as a stream, and
//! nothing is written: `stream` decompresses within bounds, `member` names what is in it and refuses what has no place
//! in a toolchain, `keep` picks what might be needed, `select` what is: the drivers, the compilers proper, their
//! assembler, and those of its own shared libraries that these load. What they load besides, packages bring.

mod error;
mod keep;
mod member;
mod select;
mod source;
mod stream;

use std::path::Path;

use super::package::{ImagePath, Needs, Tree};
use crate::farm::Architecture;
use error::at;

pub use error::{TarballError, TarballFault};
pub use source::{ArchiveSource, ArchiveSourceError};

/// What an archive may cost, whatever it claims to be.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Of the whole archive, decompressed.
    unpacked_bytes: u64,
    /// Of everything that is kept in memory until it is known what is needed.
    kept_bytes: u64,
    members: u64,
}

/// Ten times what the largest toolchains in use need.
const LIMITS: Limits = Limits {
    unpacked_bytes: 16 << 30,
    kept_bytes: 2 << 30,
    members: 1_000_000,
};

/// What a toolchain wants of its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) major: u32,
    pub(super) gcc: ImagePath,
    pub(super) gxx: ImagePath,
    /// The hosts that all of it must run on.
    pub(super) host: Architecture,
}

/// The files of a compiler's layer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub(super) tree: Tree,
    /// What these need from elsewhere.
    pub(super) needs: Needs,
}

/// Takes the archive at `path`, whose sum was checked, apart.
pub(super) fn unpack(
    source: &ArchiveSource,
    path: &Path,
    wanted: &Wanted,
) -> Result<Unpacked, TarballError> {
    unpack_within(source, path, wanted, &LIMITS).map_err(at(source))
}

fn unpack_within(
    source: &ArchiveSource,
    path: &Path,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Unpacked, TarballFault> {
    let data = stream::open(path, limits.unpacked_bytes)?;
    let candidates = keep::candidates(data, source, wanted, limits)?;
    select::select(&candidates, source.installed(), wanted)
}

#[cfg(test)]
mod tests;
