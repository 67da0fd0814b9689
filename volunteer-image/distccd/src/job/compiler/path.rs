//! The search path, and programs on it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Programs that stand on a search path under a compiler's name and start another one: the client of this very
/// protocol would send the job around, and a compiler cache has no place to keep its files.
const MASQUERADES: [&str; 3] = ["distcc", "ccache", "sccache"];

/// Where programs are looked for, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath(Vec<PathBuf>);

impl SearchPath {
    /// Reads a list as in `PATH`; relative directories mean nothing to a server.
    pub fn parse(list: &OsStr) -> Self {
        let directories = std::env::split_paths(list);
        Self(
            directories
                .filter(|directory| directory.is_absolute())
                .collect(),
        )
    }

    /// The first program of this name.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let candidates = self.0.iter().map(|directory| directory.join(name));
        candidates.into_iter().find(|path| is_compiler(path))
    }

    /// Whether `directory` is on the list.
    pub(super) fn has(&self, directory: &Path) -> bool {
        self.0.iter().any(|known| known == directory)
    }

    pub(super) fn directories(&self) -> &[PathBuf] {
        &self.0
    }
}

/// Whether a program is at `path` that does not only pass the job on.
pub(super) fn is_compiler(path: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_default();
    let masquerade = MASQUERADES
        .iter()
        .any(|name| real.file_name() == Some(OsStr::new(name)));
    is_program(&real) && !masquerade
}

/// Whether an executable file is at `path`.
pub(crate) fn is_program(path: &Path) -> bool {
    let executable =
        |metadata: fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
    path.metadata().is_ok_and(executable)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_first_program_counts_that_does_not_pass_the_job_on() {
        let folder = tempfile::tempdir().unwrap();
        let directory = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (masquerade, plain, program) = (directory("a"), directory("b"), directory("c"));
        fs::copy("/bin/sh", folder.path().join("distcc")).unwrap();
        symlink("../distcc", masquerade.join("gcc")).unwrap();
        fs::write(plain.join("gcc"), "no program").unwrap();
        fs::copy("/bin/sh", program.join("gcc")).unwrap();
        let list =
            std::env::join_paths([Path::new("relative"), &masquerade, &plain, &program]).unwrap();
        let path = SearchPath::parse(&list);
        assert_eq!(path.find("gcc"), Some(program.join("gcc")));
        assert_eq!(path.find("g++"), None);
        assert!(path.has(&plain) && !path.has(Path::new("relative")));
    }
}
