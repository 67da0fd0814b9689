//! The lock's file and what it held when the command began.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Exit, Failure};
use crate::image::{Error, Lock};

pub(super) struct LockFile {
    path: PathBuf,
    text: Option<String>,
}

impl LockFile {
    /// A file that is not there holds nothing.
    pub(super) fn read(path: PathBuf) -> Result<Self, Failure> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self {
                path,
                text: Some(text),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { path, text: None }),
            Err(error) => Err(unusable(&path, error)),
        }
    }

    /// The lock that it holds.
    pub(super) fn lock(&self) -> Result<Option<Lock>, Failure> {
        Ok(self
            .text
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(Error::from)?)
    }

    /// Where it is, for whoever asks from another folder.
    pub(super) fn absolute_path(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_nowhere| self.path.clone())
    }

    pub(super) fn says(&self, text: &str) -> bool {
        self.text.as_deref() == Some(text)
    }

    /// Writes beside and renames, so that an interrupted command leaves the old lock or the new one. Tells whether
    /// there was anything to write.
    pub(super) fn replace(&self, text: &str) -> Result<bool, Failure> {
        if self.says(text) {
            return Ok(false);
        }
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()).map(|()| file))
            .and_then(|file| file.persist(&self.path).map_err(|error| error.error))
            .map_err(|error| unusable(&self.path, error))?;
        Ok(true)
    }
}

fn unusable(path: &Path, error: io::Error) -> Failure {
    let error =
        anyhow::Error::from(error).context(format!("cannot use the lock {}", path.display()));
    Failure::new(Exit::Failed, error, None)
}
