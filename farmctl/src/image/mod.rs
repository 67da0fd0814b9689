//! Images from Debian packages, without a base image, a registry or a Dockerfile.
//!
//! [`Assembler::resolve`] pins packages in a [`Lock`] (the archive's signed index → dependency closure);
//! [`Assembler::fingerprint`] says from the lock alone what an image would be called; [`Assembler::assemble`] makes it
//! (packages → files that compiling needs → layers); [`load_stream`] turns images into what `docker load` reads.
//!
//! ```text
//! mirror ─ archive ─ lock ─ recipe ─ make ─────────────── image ─ load
//!             │                       ├ fetch ─ package     │
//!             └ release, index,       └ layer (store)       └ program, toolchain.json
//!               dependencies
//! ```
//!
//! An image has these layers, lowest first: the libraries that compilers need (the same bytes for every target), the
//! packages' assembler, one layer for each GCC version, the daemon, its `toolchain.json`. Only the last differs between targets
//! that share a compiler. Where an image mixes suites, the newest version of each package wins ([`Lock`]).
//!
//! A GCC version may also come from an archive of a whole toolchain (`tarball`): then packages bring only the libraries
//! that it needs, and it has an assembler of its own.
//!
//! Who wants whole packages, or sources, and no images asks [`DebianArchive`]: index, closure, downloads and cache are
//! the same.
//!
//! Hosts of two architectures may meet in one lock: each entry says for which it is, and no package, layer or image is
//! taken for one of the other.
//!
//! Nothing here reads the environment, prints, or talks to an engine.

mod archive;
mod assembler;
mod blocking;
mod debian;
mod digest;
mod disk;
mod error;
mod fetch;
mod fingerprint;
mod folders;
#[expect(
    clippy::module_inception,
    reason = "an image is what this module is about"
)]
mod image;
mod layer;
mod load;
mod lock;
mod make;
mod mirror;
mod package;
mod program;
mod progress;
mod recipe;
mod request;
mod restore;
mod tarball;
mod upkeep;

pub use archive::{Expiry, IndexError, Keyring, KeyringError, ReleaseError, ResolveError};
pub use assembler::{Assembler, IMAGE_LABEL, Settings, reference};
pub use debian::DebianArchive;
pub(crate) use digest::Hashing;
pub use digest::{DigestError, Sha256};
pub use disk::DiskError;
pub use error::Error;
pub use fetch::FetchError;
pub use fingerprint::Fingerprint;
pub use folders::write_folders;
pub use image::Image;
pub use layer::{Layer, LayerContent};
pub use load::{load_bytes, load_stream};
pub use lock::{Lock, LockError, LockedPackage, PackageChange, Presence, ToolchainChange};
pub use make::Fetched;
pub use mirror::{APT_DIRECTORY, Mirror, MirrorError, Origin};
pub use package::{ElfError, LibraryError, PathError, UnpackError, UnpackFault, with_data};
pub use program::{Program, ProgramError, Programs};
pub use progress::{Event, Progress, Silent, Work};
pub use request::{CompilerSource, ImageRequest};
pub use restore::{RestoreError, restore};
pub use tarball::{ArchiveSource, ArchiveSourceError, TarballError, TarballFault};
pub use upkeep::{
    Busy, CacheFile, CacheFileKind, KnownLock, KnownLocks, Lease, Needed, remove, unused,
};
