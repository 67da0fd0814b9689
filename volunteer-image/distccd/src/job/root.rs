//! The directory of this process in which all its jobs have theirs.
//!
//! It holds a file that the process has locked. The kernel takes the lock away with the process, however that ends, so a
//! directory whose file can be locked is one that a killed daemon left behind. Numbers of processes would not tell:
//! in containers every daemon is number 1.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::geteuid;
use tempfile::TempDir;

/// What the names of these directories begin with.
const PREFIX: &str = "distccd-";
/// The locked file. A directory without one is not ours to remove, whatever its name.
const LOCK: &str = ".locked-while-in-use";

/// The directory of this process, gone when it is dropped.
#[derive(Debug)]
pub(crate) struct JobRoot {
    directory: TempDir,
    #[expect(dead_code, reason = "held for its lock")]
    lock: File,
}

impl JobRoot {
    /// Makes a new one in `temporary`.
    pub(crate) fn create(temporary: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(temporary)?;
        // Locked under another name, so that nobody ever sees the file unlocked.
        let new = directory.path().join("new");
        let lock = File::create_new(&new)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        fs::rename(&new, directory.path().join(LOCK))?;
        Ok(Self { directory, lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Removes from `temporary` what processes of this user have left that were killed. Returns how many directories.
pub(crate) fn sweep(temporary: &Path) -> usize {
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name();
        name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
    });
    named
        .filter(|entry| is_abandoned(&entry.path()) && fs::remove_dir_all(entry.path()).is_ok())
        .count()
}

fn is_abandoned(directory: &Path) -> bool {
    let own = |metadata: fs::Metadata| metadata.is_dir() && metadata.uid() == geteuid().as_raw();
    if !fs::symlink_metadata(directory).is_ok_and(own) {
        return false;
    }
    let no_follow = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits());
    let lock = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow.unwrap_or_default())
        .open(directory.join(LOCK));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = folder.read_dir().unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn only_what_is_certainly_left_behind_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let living = JobRoot::create(folder.path()).unwrap();
        fs::create_dir(living.path().join("job")).unwrap();
        for (name, lock) in [
            ("distccd-killed", true),
            ("distccd-3.4", false),
            ("other", true),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.join("job/sub")).unwrap();
            fs::write(path.join("job/sub/source.c"), "").unwrap();
            if lock {
                fs::write(path.join(LOCK), "").unwrap();
            }
        }
        std::os::unix::fs::symlink("other", folder.path().join("distccd-link")).unwrap();
        let before = names(folder.path());
        assert_eq!(sweep(folder.path()), 1);
        let gone: Vec<_> = before.difference(&names(folder.path())).cloned().collect();
        assert_eq!(gone, ["distccd-killed"]);
        assert!(living.path().join("job").exists());
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
    }
}
