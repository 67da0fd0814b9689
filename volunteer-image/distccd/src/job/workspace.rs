//! A job's own directory: made for it, known to nobody else, gone when it is dropped.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::TempDir;

use super::argv::{OUTPUT_NAME, SOURCE_DIRECTORY};

/// What the names of all job directories begin with.
const PREFIX: &str = "distccd-";

/// The file, inside a job's directory, that a compiler writes dependencies to.
pub(super) const DEPENDENCIES_NAME: &str = "dependencies.d";

/// A directory that only this daemon's user may enter.
#[derive(Debug)]
pub(crate) struct Workspace {
    directory: TempDir,
    kept: bool,
    /// The source, once there is one.
    source: Option<PathBuf>,
}

impl Workspace {
    /// Makes a new one in `root`, which stays there if it is to be kept.
    pub(crate) fn create(root: &Path, kept: bool) -> io::Result<Self> {
        let private = Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(private)
            .disable_cleanup(kept)
            .tempdir_in(root)?;
        Ok(Self {
            directory,
            kept,
            source: None,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes the file that the source is written to, in a directory of its own. `name` is a file name without any directory.
    pub(crate) fn create_source(&mut self, name: &OsStr) -> io::Result<File> {
        let directory = self.path().join(SOURCE_DIRECTORY);
        DirBuilder::new().mode(0o700).create(&directory)?;
        let source = directory.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&source);
        self.source = Some(source);
        file
    }

    /// Opens what the compiler made, never through a link; `None` if it made nothing.
    pub(crate) fn open_output(&self) -> io::Result<Option<File>> {
        self.open(OUTPUT_NAME)
    }

    /// Opens the dependencies that the compiler wrote, in the same way.
    pub(crate) fn open_dependencies(&self) -> io::Result<Option<File>> {
        self.open(DEPENDENCIES_NAME)
    }

    fn open(&self, name: &str) -> io::Result<Option<File>> {
        let no_follow = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags =
            i32::try_from(no_follow.bits()).expect("open flags fit the type that open takes");
        match OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(self.path().join(name))
        {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Removes what most jobs have and nothing else, by name: half of the calls of a search for whatever there is, which
/// [`TempDir`] does when something remains.
impl Drop for Workspace {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let removed = self.source.as_deref().is_some_and(|source| {
            // The compiler may have made no output, or left more; the last call tells.
            drop(fs::remove_file(source));
            drop(source.parent().map(fs::remove_dir));
            drop(fs::remove_file(self.path().join(OUTPUT_NAME)));
            fs::remove_dir(self.path()).is_ok()
        });
        self.directory.disable_cleanup(removed);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn is_private_and_gone_after_use() {
        let root = tempfile::tempdir().unwrap();
        let mut workspace = Workspace::create(root.path(), false).unwrap();
        assert_eq!(
            workspace.path().metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );
        workspace
            .create_source(OsStr::new("a.c"))
            .unwrap()
            .write_all(b";")
            .unwrap();
        fs::create_dir(workspace.path().join("left")).unwrap();
        drop(workspace);
        assert_eq!(root.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn is_gone_after_an_ordinary_job() {
        let root = tempfile::tempdir().unwrap();
        let mut workspace = Workspace::create(root.path(), false).unwrap();
        drop(workspace.create_source(OsStr::new("a.c")).unwrap());
        fs::write(workspace.path().join(OUTPUT_NAME), "object").unwrap();
        drop(workspace);
        assert_eq!(root.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn stays_if_it_is_kept() {
        let root = tempfile::tempdir().unwrap();
        drop(Workspace::create(root.path(), true).unwrap());
        assert_eq!(root.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn output_is_read_only_from_a_file_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(root.path(), false).unwrap();
        assert!(workspace.open_output().unwrap().is_none());
        std::os::unix::fs::symlink("/etc/passwd", workspace.path().join(OUTPUT_NAME)).unwrap();
        assert!(workspace.open_output().is_err());
    }
}
