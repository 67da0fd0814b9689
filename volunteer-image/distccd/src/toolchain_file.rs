//! Reads the file that says what this volunteer compiles for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use volunteer_toolchain::Toolchain;

use crate::job;

/// A toolchain that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolchainError {
    /// Not inside an image, most likely.
    #[error("no toolchain file at {}", .0.display())]
    Missing(PathBuf),
    /// There, but not to be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// Not what it must be.
    #[error("{}: {source}", path.display())]
    Malformed {
        path: PathBuf,
        source: serde_json::Error,
    },
    /// Nothing to compile with.
    #[error("{} names no compiler", .0.display())]
    Empty(PathBuf),
    /// A compiler that cannot be started.
    #[error("compiler {} is not an executable file with an absolute path", .0.display())]
    NoProgram(PathBuf),
}

impl ToolchainError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => {
                "images made by farmctl contain one; to serve compilers of this machine, write one and give it with --toolchain"
            }
            Self::Unreadable { .. } => {
                "make the file readable for the user that the daemon runs as"
            }
            Self::Malformed { .. } | Self::Empty(_) => {
                "compare it with the file in an image made by farmctl"
            }
            Self::NoProgram(_) => "install it, or correct the toolchain file",
        }
    }
}

/// Reads and checks the file at `path`.
pub(crate) fn load(path: &Path) -> Result<Toolchain, ToolchainError> {
    let text = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ToolchainError::Missing(path.to_owned()),
        _ => ToolchainError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })?;
    let toolchain: Toolchain =
        serde_json::from_slice(&text).map_err(|source| ToolchainError::Malformed {
            path: path.to_owned(),
            source,
        })?;
    if toolchain.compilers.is_empty() {
        return Err(ToolchainError::Empty(path.to_owned()));
    }
    let mut programs = toolchain
        .compilers
        .iter()
        .flat_map(|compiler| [&compiler.gcc, &compiler.gxx]);
    if let Some(program) = programs.find(|program| !is_program(program)) {
        return Err(ToolchainError::NoProgram(program.clone()));
    }
    drop(programs);
    Ok(toolchain)
}

fn is_program(path: &Path) -> bool {
    path.is_absolute() && job::is_program(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::toolchain;

    fn loaded(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("toolchain.json");
        fs::write(&path, text).unwrap();
        let told = load(&path).map_or_else(|error| error.to_string(), |toolchain| toolchain.target);
        told.replace(&format!("{}", path.display()), "FILE")
    }

    fn with_programs(program: &str) -> String {
        let mut toolchain = toolchain();
        toolchain.compilers[0].gcc = program.into();
        toolchain.compilers[0].gxx = program.into();
        serde_json::to_string(&toolchain).unwrap()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_apart() {
        let empty = r#"{"target":"t","triples":[],"object":{"class":"elf64","machine":"arm"},"defaults":[],"compilers":[]}"#;
        let cases = [
            (with_programs("/bin/sh"), "x86_64"),
            (
                with_programs("/nonexistent/gcc"),
                "compiler /nonexistent/gcc is not an executable file with an absolute path",
            ),
            (
                with_programs("gcc"),
                "compiler gcc is not an executable file with an absolute path",
            ),
            (
                with_programs("/etc/passwd"),
                "compiler /etc/passwd is not an executable file with an absolute path",
            ),
            (empty.to_owned(), "FILE names no compiler"),
            (
                "{".to_owned(),
                "FILE: EOF while parsing an object at line 1 column 1",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(loaded(&text), expected);
        }
        let error = load(Path::new("/nonexistent/toolchain.json")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no toolchain file at /nonexistent/toolchain.json"
        );
    }
}
