//! Which files of the cache nobody needs.
//!
//! Only files whose names this program gives are looked at; whatever else lies in the cache is somebody else's.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::known::notes;
use super::{KnownLock, KnownLocks};
use crate::image::digest::Sha256;
use crate::image::disk::DiskError;
use crate::image::layer::LayerStore;

/// What must stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needed {
    /// Packages and archives; `None` where not every lock can be read, so that all of them stay.
    pub downloads: Option<BTreeSet<Sha256>>,
    /// Keys of layers.
    pub layers: BTreeSet<Sha256>,
    /// Files that were touched within this time.
    pub younger_than: Duration,
}

/// A file that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: CacheFileKind,
    /// The room it takes.
    pub bytes: u64,
}

/// What a file of the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheFileKind {
    /// A package, an archive or an index.
    Download,
    /// A download that never ended.
    Partial,
    /// A layer, or the note of what it is made from.
    Layer,
    /// A note about a program or a lock that is gone.
    Note,
}

impl CacheFileKind {
    /// A word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Partial => "partial download",
            Self::Layer => "layer",
            Self::Note => "note",
        }
    }
}

/// The files of `cache` that are not needed `now`, by kind and path.
///
/// # Errors
///
/// The cache cannot be read.
pub fn unused(cache: &Path, needed: &Needed, now: SystemTime) -> Result<Vec<CacheFile>, DiskError> {
    let collected = || -> io::Result<Vec<CacheFile>> {
        let mut files = Vec::new();
        for entry in entries(&cache.join("archive"))? {
            let is_needed = |digest| match &needed.downloads {
                Some(downloads) => downloads.contains(&digest),
                None => true,
            };
            if digest(&entry, "").is_some_and(|digest| !is_needed(digest)) {
                files.push((entry, CacheFileKind::Download));
            }
        }
        for entry in entries(&cache.join("partial"))? {
            if digest(&entry, "").is_some() && !is_being_written(&entry)? {
                files.push((entry, CacheFileKind::Partial));
            }
        }
        files.extend(layers(&cache.join("layers"), &needed.layers)?);
        for entry in entries(&cache.join("programs"))? {
            if digest(&entry, "").is_some() {
                files.push((entry, CacheFileKind::Note));
            }
        }
        let old = |(path, kind)| aged(path, kind, needed.younger_than, now).transpose();
        files.into_iter().filter_map(old).collect()
    };
    let mut files = collected().map_err(|source| DiskError::new(cache, source))?;
    files.extend(vanished(cache)?);
    files.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
    Ok(files)
}

/// Removes `files`; one that is gone already is as wished.
///
/// # Errors
///
/// One of them cannot be removed.
pub fn remove(files: &[CacheFile]) -> Result<(), DiskError> {
    for file in files {
        match fs::remove_file(&file.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(|source| DiskError::new(&file.path, source))?,
        }
    }
    Ok(())
}

/// Layers that no key in use leads to, the keys that lead to them, and files that were never finished.
fn layers(folder: &Path, needed: &BTreeSet<Sha256>) -> io::Result<Vec<(PathBuf, CacheFileKind)>> {
    let store = LayerStore::new(folder.to_owned());
    let archives: BTreeSet<PathBuf> = needed
        .iter()
        .filter_map(|key| store.find(key))
        .map(|layer| layer.path)
        .collect();
    let is_unused = |path: &PathBuf| {
        let unfinished = name(path).starts_with(".tmp");
        let unwanted_key = digest(path, ".json").is_some_and(|key| !needed.contains(&key));
        let unwanted_archive = digest(path, ".tar").is_some() && !archives.contains(path);
        unfinished || unwanted_key || unwanted_archive
    };
    let unused = entries(folder)?.into_iter().filter(is_unused);
    Ok(unused.map(|path| (path, CacheFileKind::Layer)).collect())
}

/// Notes about locks that are gone.
fn vanished(cache: &Path) -> Result<Vec<CacheFile>, DiskError> {
    let folder = cache.join("locks");
    let failed = |source| DiskError::new(&folder, source);
    let known = KnownLocks::new(cache);
    let kept: BTreeSet<PathBuf> = known
        .all()?
        .iter()
        .map(|note: &KnownLock| known.path(note))
        .collect();
    let mut files = Vec::new();
    for path in notes(&folder).map_err(failed)? {
        if !kept.contains(&path) {
            let bytes = fs::metadata(&path).map_err(failed)?.len();
            files.push(CacheFile {
                path,
                kind: CacheFileKind::Note,
                bytes,
            });
        }
    }
    Ok(files)
}

/// `None` for a file that somebody touched a moment ago, or that is gone.
fn aged(
    path: PathBuf,
    kind: CacheFileKind,
    younger_than: Duration,
    now: SystemTime,
) -> io::Result<Option<CacheFile>> {
    let found = match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    // A file of the future is as young as can be.
    let age = now.duration_since(found.modified()?).unwrap_or_default();
    Ok((age >= younger_than).then_some(CacheFile {
        path,
        kind,
        bytes: found.len(),
    }))
}

/// Whoever downloads holds the file's lock.
fn is_being_written(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Ok(file) => Ok(file.try_lock().is_err()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn digest(path: &Path, end: &str) -> Option<Sha256> {
    name(path).strip_suffix(end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::package::{ImagePath, Needs, Node, Tree};

    const HOUR: Duration = Duration::from_hours(1);

    struct Cache {
        folder: tempfile::TempDir,
    }

    impl Cache {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
            }
        }

        fn root(&self) -> &Path {
            self.folder.path()
        }

        fn file(&self, name: &str) -> PathBuf {
            let path = self.root().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "12345").unwrap();
            path
        }

        fn layer(&self, key: &[u8], content: &'static [u8]) -> (PathBuf, PathBuf) {
            let store = LayerStore::new(self.root().join("layers"));
            let mut tree = Tree::default();
            tree.insert(
                ImagePath::from_absolute("/x").unwrap(),
                Node::File {
                    content: content.into(),
                    executable: false,
                },
            );
            let key = Sha256::of(key);
            let stored = store.put(&key, &tree, Needs::new()).unwrap();
            let record = self.root().join(format!("layers/{key}.json"));
            (stored.path, record)
        }

        fn unused(&self, needed: &Needed, now: SystemTime) -> Vec<PathBuf> {
            let files = unused(self.root(), needed, now).unwrap();
            files.into_iter().map(|file| file.path).collect()
        }
    }

    fn digest_of(text: &str) -> Sha256 {
        Sha256::of(text.as_bytes())
    }

    fn nothing() -> Needed {
        Needed {
            downloads: Some(BTreeSet::new()),
            layers: BTreeSet::new(),
            younger_than: HOUR,
        }
    }

    fn later() -> SystemTime {
        SystemTime::now() + 2 * HOUR
    }

    #[test]
    fn what_is_needed_stays_and_the_rest_goes() {
        let cache = Cache::new();
        let old = cache.file(&format!("archive/{}", digest_of("old")));
        cache.file(&format!("archive/{}", digest_of("needed")));
        let partial = cache.file(&format!("partial/{}", digest_of("cut")));
        let note = cache.file(&format!("programs/{}", digest_of("program")));
        let (archive, key) = cache.layer(b"old", b"old layer");
        cache.layer(b"needed", b"needed layer");
        let unfinished = cache.file("layers/.tmpAb12");
        let needed = Needed {
            downloads: Some(BTreeSet::from([digest_of("needed")])),
            layers: BTreeSet::from([digest_of("needed")]),
            younger_than: HOUR,
        };
        let found: BTreeSet<_> = cache.unused(&needed, later()).into_iter().collect();
        let expected = BTreeSet::from([old, partial, note, archive, key, unfinished]);
        assert_eq!(found, expected);

        let files = unused(cache.root(), &needed, later()).unwrap();
        remove(&files).unwrap();
        remove(&files).unwrap();
        assert_eq!(cache.unused(&needed, later()), Vec::<PathBuf>::new());
        assert!(expected.iter().all(|path| !path.exists()));
        let store = LayerStore::new(cache.root().join("layers"));
        assert!(store.find(&digest_of("needed")).is_some());
    }

    #[test]
    fn what_somebody_touched_a_moment_ago_stays() {
        let cache = Cache::new();
        cache.file(&format!("archive/{}", digest_of("young")));
        cache.layer(b"young", b"young layer");
        assert_eq!(
            cache.unused(&nothing(), SystemTime::now()),
            Vec::<PathBuf>::new()
        );
        let yesterday = SystemTime::now() - 24 * HOUR;
        assert_eq!(cache.unused(&nothing(), yesterday), Vec::<PathBuf>::new());
        assert_eq!(cache.unused(&nothing(), later()).len(), 3);
    }

    #[test]
    fn a_download_that_goes_on_stays() {
        let cache = Cache::new();
        let path = cache.file(&format!("partial/{}", digest_of("going on")));
        let writer = File::options().append(true).open(&path).unwrap();
        writer.lock().unwrap();
        assert_eq!(cache.unused(&nothing(), later()), Vec::<PathBuf>::new());
        drop(writer);
        assert_eq!(cache.unused(&nothing(), later()), [path]);
    }

    #[test]
    fn an_archive_that_a_key_in_use_shares_stays() {
        let cache = Cache::new();
        let (archive, _key) = cache.layer(b"old", b"same");
        let (shared, _key) = cache.layer(b"needed", b"same");
        assert_eq!(archive, shared);
        let needed = Needed {
            layers: BTreeSet::from([digest_of("needed")]),
            ..nothing()
        };
        let found = cache.unused(&needed, later());
        assert_eq!(
            found,
            [cache
                .root()
                .join(format!("layers/{}.json", digest_of("old")))]
        );
    }

    #[test]
    fn downloads_stay_where_a_lock_cannot_be_read() {
        let cache = Cache::new();
        cache.file(&format!("archive/{}", digest_of("perhaps")));
        let needed = Needed {
            downloads: None,
            ..nothing()
        };
        assert_eq!(cache.unused(&needed, later()), Vec::<PathBuf>::new());
    }

    #[test]
    fn strangers_files_stay() {
        let cache = Cache::new();
        for name in ["archive/notes.txt", "layers/mine", "other/file", "lease"] {
            cache.file(name);
        }
        assert_eq!(cache.unused(&nothing(), later()), Vec::<PathBuf>::new());
        let nowhere = Path::new("/nonexistent/cache");
        assert_eq!(unused(nowhere, &nothing(), later()).unwrap(), []);
    }

    #[test]
    fn notes_of_locks_that_are_gone_go() {
        let cache = Cache::new();
        let known = KnownLocks::new(cache.root());
        let lock = cache.file("elsewhere/farm.lock");
        let note = KnownLock::new("attic", lock.clone(), BTreeSet::new(), BTreeSet::new());
        known.remember(&note).unwrap();
        assert_eq!(cache.unused(&nothing(), later()), Vec::<PathBuf>::new());
        fs::remove_file(&lock).unwrap();
        assert_eq!(cache.unused(&nothing(), later()), [known.path(&note)]);
    }
}
