//! Layers made earlier, in the user's cache.
//!
//! A layer is found by its key, the digest of everything it is made from, and kept under the digest of its archive:
//! recipes with the same outcome share one file. As with downloads, names appear by rename, last the key's.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::archive;
use crate::image::digest::{Hashing, Sha256};
use crate::image::disk::DiskError;
use crate::image::package::{Needs, Tree};

/// The folder of finished layers.
#[derive(Debug, Clone)]
pub(in crate::image) struct LayerStore {
    folder: PathBuf,
}

/// A layer of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) struct StoredLayer {
    pub(in crate::image) path: PathBuf,
    pub(in crate::image) diff_id: Sha256,
    pub(in crate::image) bytes: u64,
    /// What its programs need from other layers.
    pub(in crate::image) needs: Needs,
}

/// What the store remembers of a key.
#[derive(Serialize, Deserialize)]
struct Record {
    diff_id: Sha256,
    bytes: u64,
    needs: Needs,
}

impl LayerStore {
    pub(in crate::image) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The layer with this key. Whatever is damaged counts as not there.
    pub(in crate::image) fn find(&self, key: &Sha256) -> Option<StoredLayer> {
        let record: Record = serde_json::from_slice(&fs::read(self.record(key)).ok()?).ok()?;
        let path = self.archive(&record.diff_id);
        let complete = fs::metadata(&path).is_ok_and(|found| found.len() == record.bytes);
        complete.then_some(StoredLayer {
            path,
            diff_id: record.diff_id,
            bytes: record.bytes,
            needs: record.needs,
        })
    }

    /// Writes the layer of `tree` under this key.
    pub(in crate::image) fn put(
        &self,
        key: &Sha256,
        tree: &Tree,
        needs: Needs,
    ) -> Result<StoredLayer, DiskError> {
        self.write(key, tree, needs)
            .map_err(|source| DiskError::new(&self.folder, source))
    }

    fn write(&self, key: &Sha256, tree: &Tree, needs: Needs) -> io::Result<StoredLayer> {
        fs::create_dir_all(&self.folder)?;
        let file = NamedTempFile::new_in(&self.folder)?;
        let mut out = Hashing::new(BufWriter::with_capacity(1 << 20, file));
        archive::write(tree, &mut out)?;
        let (diff_id, bytes) = (out.digest(), out.bytes());
        let file = out
            .into_inner()
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let path = self.archive(&diff_id);
        publish(file, &path)?;

        let mut record = NamedTempFile::new_in(&self.folder)?;
        serde_json::to_writer(
            &mut record,
            &Record {
                diff_id,
                bytes,
                needs: needs.clone(),
            },
        )?;
        record.flush()?;
        publish(record, &self.record(key))?;
        Ok(StoredLayer {
            path,
            diff_id,
            bytes,
            needs,
        })
    }

    fn record(&self, key: &Sha256) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    fn archive(&self, diff_id: &Sha256) -> PathBuf {
        self.folder.join(format!("{diff_id}.tar"))
    }
}

fn publish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::image::package::{ImagePath, Node};

    fn tree(content: &'static [u8]) -> Tree {
        let mut tree = Tree::default();
        let path = ImagePath::from_absolute("/usr/bin/cc1").unwrap();
        tree.insert(
            path,
            Node::File {
                content: Bytes::from_static(content),
                executable: true,
            },
        );
        tree
    }

    #[test]
    fn finds_what_it_put() {
        let folder = tempfile::tempdir().unwrap();
        let store = LayerStore::new(folder.path().join("layers"));
        let key = Sha256::of(b"key");
        assert_eq!(store.find(&key), None);
        let needs = Needs::from(["libc.so.6".to_owned()]);
        let stored = store.put(&key, &tree(b"cc1"), needs).unwrap();
        assert_eq!(store.find(&key), Some(stored));
    }

    #[test]
    fn different_keys_with_the_same_content_share_one_archive() {
        let folder = tempfile::tempdir().unwrap();
        let store = LayerStore::new(folder.path().to_owned());
        let first = store
            .put(&Sha256::of(b"1"), &tree(b"cc1"), Needs::new())
            .unwrap();
        let second = store
            .put(&Sha256::of(b"2"), &tree(b"cc1"), Needs::new())
            .unwrap();
        assert_eq!(first.path, second.path);
        let other = store
            .put(&Sha256::of(b"3"), &tree(b"cc2"), Needs::new())
            .unwrap();
        assert_ne!(first.path, other.path);
    }

    #[test]
    fn a_damaged_layer_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = LayerStore::new(folder.path().to_owned());
        let key = Sha256::of(b"key");
        let stored = store.put(&key, &tree(b"cc1"), Needs::new()).unwrap();
        fs::write(&stored.path, b"cut").unwrap();
        assert_eq!(store.find(&key), None);
        store.put(&key, &tree(b"cc1"), Needs::new()).unwrap();
        assert!(store.find(&key).is_some());
        fs::write(store.record(&key), b"{").unwrap();
        assert_eq!(store.find(&key), None);
    }
}
