//! The fingerprint of an image: everything that went in, without making it.

use std::fmt;

use super::Error;
use super::digest::{FieldHash, Sha256};
use super::lock::Lock;
use super::program::Program;
use super::recipe::LAYOUT;
use super::request::ImageRequest;

/// Changes whenever the same layers would give another image.
const CONFIGURATION: &str = "2";

/// Digits of a fingerprint in an image's tag.
const TAG_DIGITS: usize = 16;

/// Identifies an image by what it is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    pub(super) fn new(image: &ImageRequest, lock: &Lock, program: &Program) -> Result<Self, Error> {
        let toolchain = toolchain_json(image)?;
        let mut hash = FieldHash::new("image")
            .field(LAYOUT)
            .field(CONFIGURATION)
            .field(image.architecture.as_str())
            .field(toolchain)
            .digest(program.digest());
        for package in lock.packages_of(image)? {
            hash = hash
                .field(&package.name)
                .field(&package.version)
                .digest(&package.sha256);
        }
        for archive in image
            .sources
            .iter()
            .filter_map(|source| source.archive.as_ref())
        {
            hash = archive.identify(hash);
        }
        Ok(Self(hash.finish()))
    }
}

/// What the daemon reads, as it stands in the image.
pub(super) fn toolchain_json(image: &ImageRequest) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec_pretty(&image.toolchain)
        .map_err(|source| Error::Toolchain { source })?;
    json.push(b'\n');
    Ok(json)
}

impl fmt::Display for Fingerprint {
    /// As many digits as an image's tag shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string()[..TAG_DIGITS])
    }
}
