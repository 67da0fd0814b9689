//! How names of the client become names here.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::path::TreePath;
use crate::job::argv::OUTPUT_NAME;
use crate::job::workspace::DEPENDENCIES_NAME;

/// Where a pump job's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The job's directory, as the kernel names it.
    workspace: Vec<u8>,
    /// What the client calls `/`, as the kernel names it.
    root: Vec<u8>,
    /// The client's working directory.
    directory: TreePath,
}

impl Layout {
    pub(super) fn new(workspace: &Path, root: &Path, directory: TreePath) -> Self {
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        Self {
            workspace: bytes(workspace),
            root: bytes(root),
            directory,
        }
    }

    /// The client's working directory, as the client names it.
    pub(super) fn directory(&self) -> &TreePath {
        &self.directory
    }

    /// The job's directory.
    pub(super) fn workspace(&self) -> &[u8] {
        &self.workspace
    }

    /// What the client calls `/`.
    pub(super) fn root(&self) -> &[u8] {
        &self.root
    }

    /// Where the compiler runs.
    pub(crate) fn working_directory(&self) -> PathBuf {
        PathBuf::from(self.below_root(&self.directory.to_bytes()))
    }

    /// What the compiler is given for a path in the client's command.
    ///
    /// Relative ones stay as they are, because they show in messages and in objects; unless they go up beyond the root,
    /// where the client's would stop.
    pub(crate) fn place(&self, path: &OsStr) -> OsString {
        let path = path.as_bytes();
        if self.directory.is_left_by(path) {
            self.below_root(&self.directory.resolve(path).to_bytes())
        } else if path.starts_with(b"/") {
            self.below_root(path)
        } else {
            OsString::from_vec(path.to_vec())
        }
    }

    /// What the beginning of a path in the client's command is here.
    pub(crate) fn place_prefix(&self, prefix: &OsStr) -> OsString {
        if prefix.as_bytes().starts_with(b"/") {
            self.below_root(prefix.as_bytes())
        } else {
            prefix.to_owned()
        }
    }

    /// Where the compiler writes its result.
    pub(crate) fn output(&self) -> OsString {
        self.in_workspace(OUTPUT_NAME)
    }

    /// Where the compiler writes what its result depends on.
    pub(crate) fn dependencies(&self) -> OsString {
        self.in_workspace(DEPENDENCIES_NAME)
    }

    /// Options that make the compiler write the client's paths into objects, instead of the ones here.
    ///
    /// Of several that fit GCC takes the last. The first one is for the root itself, when it is the working directory: GNU
    /// `as` takes a mere `/` for no directory, and puts the one that it runs in there.
    pub(crate) fn prefix_maps(&self) -> [OsString; 2] {
        [("", "/."), ("/", "/")].map(|(old, new)| {
            let mut option = OsString::from("-ffile-prefix-map=");
            option.push(self.below_root(old.as_bytes()));
            option.push("=");
            option.push(new);
            option
        })
    }

    /// Options that make every path in intermediate code absolute: GCC writes its working directory beside relative ones
    /// there, and no map applies to that.
    ///
    /// For any other option to win these go first: one for paths that begin with anything, and one for absolute ones.
    pub(crate) fn intermediate_code_maps(&self) -> [OsString; 2] {
        let mut relative = OsString::from("-fdebug-prefix-map==");
        relative.push(OsString::from_vec(self.directory.to_bytes()));
        if *self.directory() != TreePath::default() {
            relative.push("/");
        }
        [relative, "-fdebug-prefix-map=/=/".into()]
    }

    fn below_root(&self, path: &[u8]) -> OsString {
        OsString::from_vec([&self.root, path].concat())
    }

    fn in_workspace(&self, name: &str) -> OsString {
        OsString::from_vec([&self.workspace, b"/".as_slice(), name.as_bytes()].concat())
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl Layout {
    /// A layout for tests that need no directory.
    pub(crate) fn sample(directory: &str) -> Self {
        let directory = TreePath::parse(directory.as_bytes()).expect("a plain path");
        Self::new(Path::new("/tmp/job"), Path::new("/tmp/job/tree"), directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_command_lie_in_the_tree() {
        let cases = [
            ("inc", "inc"),
            ("../inc", "../inc"),
            (".", "."),
            ("../../../inc", "/tmp/job/tree/inc"),
            ("../../..", "/tmp/job/tree/"),
            ("/etc/passwd", "/tmp/job/tree/etc/passwd"),
            ("/a//b/", "/tmp/job/tree/a//b/"),
            ("/a/../b", "/tmp/job/tree/a/../b"),
            ("/a/../../../etc/passwd", "/tmp/job/tree/etc/passwd"),
            ("/", "/tmp/job/tree/"),
        ];
        for (path, expected) in cases {
            assert_eq!(
                Layout::sample("/w/p").place(OsStr::new(path)),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn the_compiler_runs_where_the_client_does() {
        assert_eq!(
            Layout::sample("/w/p").working_directory(),
            Path::new("/tmp/job/tree/w/p")
        );
        assert_eq!(
            Layout::sample("/").working_directory(),
            Path::new("/tmp/job/tree/")
        );
    }
}
