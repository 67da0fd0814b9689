//! The program that becomes the daemon inside: this very binary, or for other hosts the same of their kind.

mod check;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use bytes::Bytes;

use super::Error;
use super::digest::{FieldHash, Hashing, Sha256};
use super::disk::DiskError;
use crate::farm::Architecture;

pub use check::ProgramError;

/// A program for each kind of host that there is one for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    by_host: BTreeMap<Architecture, Program>,
}

impl Programs {
    /// Has `program` become the daemon on hosts of one kind.
    pub fn set(&mut self, host: Architecture, program: Program) {
        self.by_host.insert(host, program);
    }

    /// The program for hosts of one kind.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn of(&self, host: Architecture) -> Result<&Program, Error> {
        self.by_host.get(&host).ok_or(Error::NoDaemon { host })
    }
}

/// A static binary and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    digest: Sha256,
}

impl Program {
    /// Looks at the binary at `path`, which must run on hosts of one kind with nothing else in their images.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no static program for such hosts.
    pub fn for_host(path: &Path, host: Architecture, cache: &Path) -> Result<Self, ProgramError> {
        check::check(path, host)?;
        Ok(Self::at(path, cache)?)
    }

    /// Looks at the binary at `path`.
    ///
    /// Its digest is remembered below `cache` for as long as the file's identity, size and times stay the same, so
    /// that a command that changes nothing need not read it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn at(path: &Path, cache: &Path) -> Result<Self, DiskError> {
        let remembered = cache.join("programs").join(identity(path)?.to_string());
        let known = fs::read_to_string(&remembered)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let digest = if let Some(digest) = known {
            digest
        } else {
            let digest = hash(path)?;
            remember(&remembered, &digest);
            digest
        };
        Ok(Self {
            path: path.to_owned(),
            digest,
        })
    }

    /// A binary at `path` whose digest is known.
    pub fn known(path: &Path, digest: Sha256) -> Self {
        Self {
            path: path.to_owned(),
            digest,
        }
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> &Sha256 {
        &self.digest
    }

    /// The binary's bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is another one by now.
    pub fn content(&self) -> Result<Bytes, DiskError> {
        let content = fs::read(&self.path).map_err(|source| DiskError::new(&self.path, source))?;
        if Sha256::of(&content) != self.digest {
            let changed = io::Error::other("it was replaced meanwhile");
            return Err(DiskError::new(&self.path, changed));
        }
        Ok(content.into())
    }
}

fn identity(path: &Path) -> Result<Sha256, DiskError> {
    let found = fs::metadata(path).map_err(|source| DiskError::new(path, source))?;
    let numbers = [
        i128::from(found.dev()),
        i128::from(found.ino()),
        i128::from(found.size()),
        i128::from(found.mtime()),
        i128::from(found.mtime_nsec()),
        i128::from(found.ctime()),
        i128::from(found.ctime_nsec()),
    ];
    let start = FieldHash::new("program");
    Ok(numbers
        .iter()
        .fold(start, |hash, number| hash.field(number.to_be_bytes()))
        .finish())
}

fn hash(path: &Path) -> Result<Sha256, DiskError> {
    let mut hashing = Hashing::new(io::sink());
    let mut file = fs::File::open(path).map_err(|source| DiskError::new(path, source))?;
    io::copy(&mut file, &mut hashing).map_err(|source| DiskError::new(path, source))?;
    Ok(hashing.digest())
}

/// Best effort: what is not remembered is computed again. A half-written digest does not parse.
fn remember(path: &Path, digest: &Sha256) {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, digest.to_string()));
    if let Err(error) = written {
        tracing::debug!(path = %path.display(), %error, "the program's digest is not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_digest_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, cache) = (folder.path().join("program"), folder.path().join("cache"));
        fs::write(&path, "one").unwrap();
        let first = Program::at(&path, &cache).unwrap();
        assert_eq!(first.digest(), &Sha256::of(b"one"));

        let remembered: Vec<_> = fs::read_dir(cache.join("programs"))
            .unwrap()
            .flatten()
            .collect();
        fs::write(remembered[0].path(), Sha256::of(b"marker").to_string()).unwrap();
        assert_eq!(
            Program::at(&path, &cache).unwrap().digest(),
            &Sha256::of(b"marker"),
            "it is not read again"
        );

        fs::write(&path, "three").unwrap();
        assert_eq!(
            Program::at(&path, &cache).unwrap().digest(),
            &Sha256::of(b"three")
        );
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = Program::at(&folder.path().join("none"), folder.path()).unwrap_err();
        assert!(error.to_string().starts_with("cannot use "), "{error}");
    }
}
