//! Files on their way into a container or out of one.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use anyhow::{Context, Result};

/// Regular files by their path relative to some folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or replaces the one of this path.
    pub fn insert(&mut self, path: impl Into<String>, contents: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), contents.into());
    }

    /// The file at `path`.
    ///
    /// # Errors
    /// There is none.
    pub fn read(&self, path: &str) -> Result<&[u8]> {
        let contents = self
            .0
            .get(path)
            .with_context(|| format!("there is no file {path}"))?;
        Ok(contents)
    }

    /// Paths and contents, ordered by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(path, contents)| (path.as_str(), contents.as_slice()))
    }

    /// All paths, in order.
    pub fn paths(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those whose path ends with `suffix`, by the path without it.
    pub fn with_suffix(&self, suffix: &str) -> BTreeMap<&str, &[u8]> {
        self.iter()
            .filter_map(|(path, contents)| Some((path.strip_suffix(suffix)?, contents)))
            .collect()
    }

    /// As a tar archive; everybody may read and execute every file.
    pub(crate) fn to_tar(&self) -> Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, contents) in self.iter() {
            let mut header = tar::Header::new_gnu();
            header.set_size(contents.len() as u64);
            header.set_mode(0o755);
            archive.append_data(&mut header, path, contents)?;
        }
        Ok(archive.into_inner()?)
    }

    /// The regular files of a tar archive whose paths begin with the folder `root`, relative to it.
    pub(crate) fn from_tar(archive: &[u8], root: &str) -> Result<Self> {
        let mut files = Self::new();
        for entry in tar::Archive::new(Cursor::new(archive)).entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = String::from_utf8(entry.path_bytes().into_owned())?;
            let Some(relative) = path.strip_prefix(root) else {
                continue;
            };
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents)?;
            files.insert(relative.trim_start_matches('/'), contents);
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_survive_a_tar_archive() {
        let mut files = Files::new();
        files.insert("out/a.o", *b"a");
        files.insert("out/deep/b.o", *b"");
        let back = Files::from_tar(&files.to_tar().unwrap(), "out").unwrap();
        assert_eq!(back.read("a.o").unwrap(), b"a");
        assert_eq!(back.read("deep/b.o").unwrap(), b"");
        assert_eq!(back.len(), 2);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Files::new().read("a.o").unwrap_err();
        assert_eq!(error.to_string(), "there is no file a.o");
    }
}
