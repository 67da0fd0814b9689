//! Reads files whole, within bounds.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::problem::{MAX_BYTES, Problem};
use super::source::Source;

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<Arc<Source>, Problem> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&name, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::TooLong { path: name });
    }
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(not_utf8(name, &bytes, error.valid_up_to())),
    }
}

/// What an error while reading `name` means.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Problem {
    let path = name.to_owned();
    match error.kind() {
        ErrorKind::NotFound => Problem::Missing { path },
        ErrorKind::IsADirectory => Problem::Directory { path },
        _ => Problem::Unreadable {
            path,
            reason: error.to_string(),
        },
    }
}

fn not_utf8(path: String, bytes: &[u8], valid: usize) -> Problem {
    Problem::NotUtf8 {
        path,
        line: String::from_utf8_lossy(&bytes[..valid])
            .matches('\n')
            .count()
            + 1,
        byte: bytes.get(valid).copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("farm.yaml");
        let name = path.display().to_string();

        assert_eq!(
            read(&path).unwrap_err(),
            Problem::Missing { path: name.clone() }
        );
        assert!(matches!(read(dir.path()), Err(Problem::Directory { .. })));

        std::fs::write(&path, b"farm: attic\n# caf\xe9\n").unwrap();
        assert_eq!(
            read(&path).unwrap_err(),
            Problem::NotUtf8 {
                path: name.clone(),
                line: 2,
                byte: 0xe9
            }
        );

        let longest = usize::try_from(MAX_BYTES).unwrap();
        std::fs::write(&path, "#".repeat(longest)).unwrap();
        assert_eq!(read(&path).unwrap().text().len(), longest);
        std::fs::write(&path, "#".repeat(longest + 1)).unwrap();
        assert_eq!(read(&path).unwrap_err(), Problem::TooLong { path: name });
    }
}
