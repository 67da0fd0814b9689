//! Layers: deterministic tar archives, named by their digest.

mod archive;
mod store;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

pub(super) use store::{LayerStore, StoredLayer};

use super::digest::{Hashing, Sha256};
use super::package::Tree;

/// A finished layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What it holds, in words.
    pub name: String,
    /// Digest of the uncompressed archive, by which engines know it.
    pub diff_id: Sha256,
    /// Size of the archive.
    pub bytes: u64,
    blob: Blob,
}

/// Where somebody else keeps a layer's archive.
pub trait LayerContent: std::fmt::Debug + Send + Sync {
    /// The uncompressed archive's bytes from the first to the last.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

#[derive(Debug, Clone)]
enum Blob {
    File(PathBuf),
    Memory(Bytes),
    Elsewhere(Arc<dyn LayerContent>),
}

impl Layer {
    /// A small layer that is cheaper to make than to keep.
    pub(super) fn in_memory(name: &str, tree: &Tree) -> io::Result<Self> {
        let mut archive = Hashing::new(Vec::new());
        archive::write(tree, &mut archive)?;
        let (diff_id, bytes) = (archive.digest(), archive.bytes());
        let blob = Blob::Memory(archive.into_inner().into());
        Ok(Self {
            name: name.to_owned(),
            diff_id,
            bytes,
            blob,
        })
    }

    /// A layer of the store.
    pub(super) fn stored(name: &str, layer: &StoredLayer) -> Self {
        let blob = Blob::File(layer.path.clone());
        Self {
            name: name.to_owned(),
            diff_id: layer.diff_id,
            bytes: layer.bytes,
            blob,
        }
    }

    /// A layer that somebody else keeps.
    pub fn elsewhere(
        name: &str,
        diff_id: Sha256,
        bytes: u64,
        content: Arc<dyn LayerContent>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            diff_id,
            bytes,
            blob: Blob::Elsewhere(content),
        }
    }

    /// The archive's bytes.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.blob {
            Blob::Elsewhere(content) => content.open()?,
            Blob::File(path) => Box::new(File::open(path)?),
            Blob::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
        })
    }
}
