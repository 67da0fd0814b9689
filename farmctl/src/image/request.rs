//! What an image is asked to hold.

use volunteer_toolchain::Toolchain;

use crate::farm::Architecture;

use super::digest::{FieldHash, Sha256};
use super::tarball::ArchiveSource;

/// The image of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRequest {
    /// The hosts that it runs on.
    pub architecture: Architecture,
    /// What the daemon inside is told: the target, its compilers' paths, what its objects must be.
    pub toolchain: Toolchain,
    /// Where the compilers come from: one source for each of the toolchain's compilers.
    pub sources: Vec<CompilerSource>,
}

/// Where one GCC version comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerSource {
    /// The major version, such as `14`.
    pub major: u32,
    /// The archive's suite, such as `stable`.
    pub suite: String,
    /// The packages that install the C and the C++ compiler; of an archive, the libraries that it needs.
    pub packages: Vec<String>,
    /// Name patterns (`*` stands for any text) of dependencies that compiling does without.
    pub leave_out: Vec<String>,
    /// The packages that bring the library's headers, without what they depend on; none for an image without headers.
    pub headers: Vec<String>,
    /// The archive that holds the compilers, where no package does.
    pub archive: Option<ArchiveSource>,
}

impl CompilerSource {
    /// Identifies what has to be resolved: a locked toolchain with another digest is out of date.
    pub(super) fn digest(&self) -> Sha256 {
        let mut hash = FieldHash::new("request").field(&self.suite);
        for package in &self.packages {
            hash = hash.field("package").field(package);
        }
        for pattern in &self.leave_out {
            hash = hash.field("without").field(pattern);
        }
        for package in &self.headers {
            hash = hash.field("headers").field(package);
        }
        if let Some(archive) = &self.archive {
            hash = archive.identify(hash.field("archive"));
        }
        hash.finish()
    }
}
