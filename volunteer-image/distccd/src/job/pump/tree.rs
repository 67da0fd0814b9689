//! The tree of a client's files in a job's directory: what the client calls `/` is a directory here.
//!
//! Everything is made step by step from the tree's own directory on, and no step goes through a link. So whatever the
//! client sends, nothing is written outside. The links themselves are relative and hold no way out either: they go up to
//! the tree's root and down from there. Those to the compiler's own directories are the exception, and only made for
//! directories that the compiler here searches anyway.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, readlinkat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::link::{self, Link};
use super::path::{BadPath, TreePath};
use super::{Layout, Translation};
use crate::job::argv::Shown;

/// The tree's name in the job's directory.
const NAME: &str = "tree";

/// GCC takes `x.h.gch` beside `x.h` for a memory image of itself, made from that header. One from outside would be code.
const PRECOMPILED: &[u8] = b".gch";

/// How many directories a compiler may search by itself. Real ones search a dozen for each language.
const SYSTEM_DIRECTORIES: usize = 256;

/// How many directories are made for the sake of search options that name them.
const FURNISHED_DIRECTORIES: usize = 4096;

/// The files of one job.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    layout: Layout,
    /// The directories that the client's compiler searches by itself, as far as the client has named them.
    system: Vec<TreePath>,
    /// The directory written to last: files of one directory come together.
    last: Option<(TreePath, OwnedFd)>,
}

/// Where the contents of a file go.
#[derive(Debug)]
pub(super) enum Place {
    /// Into the tree.
    File(File),
    /// Nowhere: the compiler must not see it.
    Nowhere,
}

/// Why something cannot be put into a tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    /// The client's fault.
    #[error(transparent)]
    Entry(#[from] BadEntry),
    /// Ours: no room, say.
    #[error("cannot store the files: {0}")]
    Io(#[from] io::Error),
}

/// A file or link that no honest client sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEntry {
    /// By its name.
    #[error("the path {0} {1}")]
    Path(Shown, BadPath),
    /// By where a link leads.
    #[error("the link {0} leads to {1}, which {2}")]
    Target(Shown, Shown, BadPath),
    /// Something on the way is a link or a file.
    #[error("the path {0} goes through a link or a file")]
    Through(Shown),
    /// More of the compiler's own directories than any compiler has.
    #[error("the link {0} is to one directory of the compiler too many")]
    TooManySystemDirectories(Shown),
    /// Two entries of the same name that are not the same.
    #[error("{0} is sent twice")]
    Twice(Shown),
}

impl From<Errno> for TreeError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl Tree {
    /// Makes an empty tree in `workspace`, for a compiler that runs in the client's `directory`.
    pub(super) fn create(workspace: &Path, directory: &TreePath) -> Result<Self, TreeError> {
        // As the compiler will find it when it asks the kernel where it is.
        let workspace = workspace.canonicalize()?;
        let path = workspace.join(NAME);
        DirBuilder::new().mode(0o700).create(&path)?;
        let root = openat(CWD, &path, DIRECTORY, Mode::empty())?;
        let layout = Layout::new(&workspace, &path, directory.clone());
        let mut tree = Self {
            root,
            layout,
            system: Vec::new(),
            last: None,
        };
        tree.enter(directory)?;
        Ok(tree)
    }

    /// How names of the client become names here.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How names here become names of the client, which calls the result `output`.
    pub(crate) fn translation(&self, output: &OsStr) -> Translation {
        let output = output.as_encoded_bytes().to_vec();
        Translation::new(self.layout.clone(), output, self.system.clone())
    }

    /// The directories that the client's compiler searches by itself.
    pub(crate) fn system(&self) -> &[TreePath] {
        &self.system
    }

    /// Opens a new file, and makes the directories that it is in.
    pub(super) fn file(&mut self, name: &[u8]) -> Result<Place, TreeError> {
        let path = entry(name)?;
        if self.is_hidden(&path) {
            return Ok(Place::Nowhere);
        }
        let (directory, name) = path.split().ok_or_else(|| through(&path))?;
        let directory = self.enter(&directory)?;
        let new =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || openat(directory, name, new, Mode::RUSR | Mode::WUSR);
        let file = match open() {
            Err(Errno::EXIST) if is_file(directory, name)? => {
                unlinkat(directory, name, AtFlags::empty())?;
                open()?
            }
            Err(Errno::EXIST) => return Err(BadEntry::Twice(shown(&path)).into()),
            opened => opened?,
        };
        Ok(Place::File(file.into()))
    }

    /// Makes a link; one to a directory of the compiler's own is only remembered.
    pub(super) fn link(&mut self, name: &[u8], target: &[u8]) -> Result<(), TreeError> {
        let path = entry(name)?;
        let bad = |bad| BadEntry::Target(Shown::new(name), Shown::new(target), bad);
        match link::judge(&path, target).map_err(bad)? {
            Link::System if self.system.contains(&path) => Ok(()),
            Link::System if self.system.len() >= SYSTEM_DIRECTORIES => {
                Err(BadEntry::TooManySystemDirectories(shown(&path)).into())
            }
            Link::System => {
                self.system.push(path);
                Ok(())
            }
            Link::Project(_) if self.is_hidden(&path) => Ok(()),
            Link::Project(target) => {
                let directory = path.split().map(|(directory, _name)| directory);
                let text = target.seen_from(&directory.unwrap_or_default());
                self.place_link(&path, &text)
            }
        }
    }

    /// Makes every directory on the way along each of `paths`, seen from the working directory, as far as that goes.
    ///
    /// Compilers warn of search directories that are not there. Clients do not send those in which nothing is found.
    pub(super) fn furnish<'a>(
        &mut self,
        paths: impl Iterator<Item = &'a OsStr>,
    ) -> Result<(), TreeError> {
        let mut left = FURNISHED_DIRECTORIES;
        for path in paths {
            self.furnish_along(path.as_encoded_bytes(), &mut left)?;
        }
        Ok(())
    }

    fn furnish_along(&mut self, path: &[u8], left: &mut usize) -> Result<(), TreeError> {
        let working_directory = self.layout.directory().clone();
        for directory in working_directory.visited(path).take(*left) {
            *left -= 1;
            if self.is_hidden(&directory) {
                return Ok(());
            }
            match self.enter(&directory) {
                // There is something else, or no honest client has it: the compiler may say so.
                Err(TreeError::Entry(_)) => return Ok(()),
                entered => entered.map(drop)?,
            }
        }
        Ok(())
    }

    /// Makes links to those of the compiler's own directories that the client named and that are in `served`.
    pub(crate) fn link_system(&mut self, served: &[TreePath]) -> io::Result<()> {
        let mut wanted: Vec<_> = self
            .system
            .iter()
            .filter(|path| served.contains(path))
            .cloned()
            .collect();
        // What is within a linked directory is there already, so the outer ones go first.
        wanted.sort();
        let mut linked: Vec<TreePath> = Vec::new();
        for path in wanted {
            if linked.iter().any(|outer| path.is_within(outer)) {
                continue;
            }
            match self.place_link(&path, &path.to_bytes()) {
                // The client's own files are in its way.
                Err(TreeError::Entry(_)) => {}
                Err(TreeError::Io(error)) => return Err(error),
                Ok(()) => linked.push(path),
            }
        }
        Ok(())
    }

    fn place_link(&mut self, path: &TreePath, text: &[u8]) -> Result<(), TreeError> {
        let (directory, name) = path.split().ok_or_else(|| through(path))?;
        let directory = self.enter(&directory)?;
        match symlinkat(text, directory, name) {
            Err(Errno::EXIST) => match readlinkat(directory, name, Vec::new()) {
                Ok(other) if other.as_bytes() == text => Ok(()),
                _ => Err(BadEntry::Twice(shown(path)).into()),
            },
            placed => Ok(placed?),
        }
    }

    /// Opens a directory of the tree, and makes what is missing of it.
    fn enter(&mut self, directory: &TreePath) -> Result<&OwnedFd, TreeError> {
        if self.last.as_ref().is_none_or(|(last, _)| last != directory) {
            let mut opened = openat(&self.root, ".", DIRECTORY, Mode::empty())?;
            for name in directory.names() {
                opened = match openat(&opened, name, DIRECTORY, Mode::empty()) {
                    Err(Errno::NOENT) => {
                        mkdirat(&opened, name, Mode::RWXU)?;
                        openat(&opened, name, DIRECTORY, Mode::empty())?
                    }
                    Err(Errno::NOTDIR | Errno::LOOP) => return Err(through(directory).into()),
                    opened => opened?,
                };
            }
            self.last = Some((directory.clone(), opened));
        }
        let last = self.last.as_ref().map(|(_path, opened)| opened);
        Ok(last.unwrap_or(&self.root))
    }

    /// Whether `path` is one that only the volunteer's own files may have, or none at all.
    fn is_hidden(&self, path: &TreePath) -> bool {
        let system = self.system.iter().any(|system| path.is_within(system));
        system || path.names().any(|name| name.ends_with(PRECOMPILED))
    }
}

/// How directories of the tree are opened: never through a link, and only to name what is in them.
const DIRECTORY: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

fn entry(name: &[u8]) -> Result<TreePath, BadEntry> {
    TreePath::parse_entry(name).map_err(|bad| BadEntry::Path(Shown::new(name), bad))
}

fn is_file(directory: &OwnedFd, name: &[u8]) -> Result<bool, TreeError> {
    let status = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(status.st_mode) == FileType::RegularFile)
}

fn through(path: &TreePath) -> BadEntry {
    BadEntry::Through(shown(path))
}

fn shown(path: &TreePath) -> Shown {
    Shown::new(&path.to_bytes())
}

#[cfg(test)]
mod tests;
