//! The limit on jobs at once where each job is a process of its own: a file for each slot, locked while it is taken.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;

/// How often a process without a slot looks for one. A compile takes much longer.
const PAUSE: Duration = Duration::from_millis(20);

/// A slot of this machine, given back when it is dropped or the process ends, however it does.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held for its lock")] File);

impl Turn {
    /// Waits for one of `jobs` slots, which all processes of this user share that make their directories in `root`.
    ///
    /// # Errors
    /// The files cannot be used, or somebody else has made them.
    pub(crate) fn wait(root: &Path, jobs: NonZeroUsize) -> io::Result<Self> {
        let directory = directory(root)?;
        loop {
            for slot in 0..jobs.get() {
                if let Some(turn) = Self::take(&directory.join(slot.to_string()))? {
                    return Ok(turn);
                }
            }
            thread::sleep(PAUSE);
        }
    }

    fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A directory that only this user may write to: in one of somebody else's, all slots could be held for ever.
fn directory(root: &Path) -> io::Result<PathBuf> {
    let user = geteuid().as_raw();
    let path = root.join(format!("distccd-slots-{user}"));
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&path)?;
    if found.is_dir() && found.uid() == user {
        return Ok(path);
    }
    let message = format!("{} belongs to somebody else", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn there_are_as_many_turns_as_jobs() {
        let root = tempfile::tempdir().unwrap();
        let jobs = NonZeroUsize::new(2).unwrap();
        let first = Turn::wait(root.path(), jobs).unwrap();
        let second = Turn::wait(root.path(), jobs).unwrap();
        let slots = directory(root.path()).unwrap();
        for slot in ["0", "1"] {
            assert!(Turn::take(&slots.join(slot)).unwrap().is_none());
        }
        let (send, receive) = mpsc::channel();
        let path = root.path().to_owned();
        let waiting = thread::spawn(move || {
            let turn = Turn::wait(&path, jobs).unwrap();
            send.send(()).unwrap();
            drop(turn);
        });
        assert!(receive.try_recv().is_err());
        drop(first);
        receive.recv().unwrap();
        waiting.join().unwrap();
        drop(second);
    }

    #[test]
    fn slots_of_somebody_else_are_not_used() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let user = geteuid().as_raw();
        let path = root.path().join(format!("distccd-slots-{user}"));
        std::os::unix::fs::symlink(elsewhere.path(), path).unwrap();
        assert!(Turn::wait(root.path(), NonZeroUsize::MIN).is_err());
    }
}
