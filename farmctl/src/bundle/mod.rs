//! Bundles: a farm's images, its lock and farmctl itself in one file, for machines without any network.
//!
//! A bundle is a tar archive, so that `tar xf FILE farmctl` takes the program out on a machine that has nothing yet:
//!
//! | member | what |
//! |---|---|
//! | `bundle.json` | the [`Index`]: every member that follows, in this order, with size and SHA-256; the images |
//! | `farm.lock`, `farm.yaml`, `toolchains/….yaml` | what describes the farm |
//! | `farmctl` | the static program that the images hold and that wrote the bundle |
//! | `farmctl-arm64`, `farmctl-amd64` | the same for hosts of another kind, if there are images for them |
//! | `layers/SHA256.tar.gz` | each layer once, compressed; size and digest are those of the archive inside |
//! | `bundle.sha256` | the digest of all bytes before it |
//!
//! The same contents give the same bytes. The index determines every header, so a reader knows each of them before it
//! comes to it: links, other paths, further or repeated members are not judged one by one, they are simply not what must
//! stand there. [`Bundle::open`] checks that much, and that the file is whole; [`Bundle::verify`] all contents. What is
//! read afterwards is checked once more while it passes, so that a file that changes meanwhile is noticed.
//!
//! Nothing here knows engines or manifests.

mod error;
mod gzip;
mod header;
mod index;
mod layer;
mod open;
mod save;
mod section;

use std::ops::ControlFlow;

pub use error::BundleError;
pub use index::is_description;
pub use index::{FileEntry, ImageEntry, Index, LayerEntry, ProgramEntry, StackedLayer};
pub use open::Bundle;
pub use save::{Contents, NamedFile, Saved, save};

/// The name of the program's member.
pub const PROGRAM: &str = "farmctl";
/// The name of the lock's member.
pub const LOCK: &str = "farm.lock";
/// The name of the manifest's member.
pub const MANIFEST: &str = "farm.yaml";

/// Told how many bytes have passed since it was told last; says whether to go on.
pub type Watch<'a> = &'a (dyn Fn(u64) -> ControlFlow<()> + Sync);

/// Asks `watch`; to stop is an error.
fn pass(watch: Watch<'_>, bytes: u64) -> Result<(), BundleError> {
    match watch(bytes) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(BundleError::Stopped),
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
