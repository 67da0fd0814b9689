//! The cache over the years: which locks of this machine still need what, and what may go.
//!
//! Whoever uses a lock leaves a note in the cache that names it ([`KnownLocks`]); whoever is at work holds a [`Lease`].
//! What no known lock names and nobody touched for a while is [`unused`].

mod known;
mod lease;
mod unused;

pub use known::{KnownLock, KnownLocks};
pub use lease::{Busy, Lease};
pub use unused::{CacheFile, CacheFileKind, Needed, remove, unused};
