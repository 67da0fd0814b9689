//! Where a toolchain's archive is, and where its files go.

use std::path::Path;

use reqwest::Url;

use crate::image::digest::{DigestError, FieldHash, Sha256};
use crate::image::package::{ImagePath, PathError};

/// An archive of a whole toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSource {
    url: Url,
    sha256: Sha256,
    directory: Vec<String>,
    installed: ImagePath,
}

impl ArchiveSource {
    /// An archive at `url` (`http:` or `file:`) whose folder `directory`, the one that holds `bin/`, becomes the
    /// image's absolute path `installed`.
    ///
    /// # Errors
    ///
    /// One of them is not what it should be.
    pub fn new(
        url: &str,
        sha256: &str,
        directory: &Path,
        installed: &Path,
    ) -> Result<Self, ArchiveSourceError> {
        Ok(Self {
            url: parse_url(url)?,
            sha256: sha256.parse()?,
            directory: segments(&directory.to_string_lossy())?,
            installed: ImagePath::from_absolute(&installed.to_string_lossy())?,
        })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Its SHA-256.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// Its file name, which tells nobody where it is.
    pub fn name(&self) -> &str {
        let mut segments = self.url.path().rsplit('/');
        segments.find(|name| !name.is_empty()).unwrap_or("archive")
    }

    /// The folder inside the archive.
    pub fn directory(&self) -> String {
        self.directory.join("/")
    }

    /// Adds what its files in an image depend on: not where it is fetched from.
    pub(in crate::image) fn identify(&self, hash: FieldHash) -> FieldHash {
        hash.digest(&self.sha256)
            .field(self.directory())
            .field(self.installed.as_str())
    }

    pub(in crate::image) fn location(&self) -> &Url {
        &self.url
    }

    pub(in crate::image) fn installed(&self) -> &ImagePath {
        &self.installed
    }

    /// Where something inside the archive is, seen from the toolchain's folder.
    pub(super) fn relative<'a>(&self, path: &'a [String]) -> Option<&'a [String]> {
        path.strip_prefix(self.directory.as_slice())
            .filter(|rest| !rest.is_empty())
    }

    /// Where the image has a file of the toolchain's folder.
    pub(super) fn place(&self, relative: &[String]) -> Result<ImagePath, PathError> {
        let path = format!("{}/{}", self.installed, relative.join("/"));
        ImagePath::from_absolute(&path)
    }
}

fn parse_url(text: &str) -> Result<Url, ArchiveSourceError> {
    let url = Url::parse(text).map_err(|source| ArchiveSourceError::NoUrl {
        text: text.to_owned(),
        reason: source.to_string(),
    })?;
    match url.scheme() {
        "http" => Ok(url),
        "file" if url.to_file_path().is_ok() => Ok(url),
        "https" => Err(ArchiveSourceError::Https(text.to_owned())),
        _ => Err(ArchiveSourceError::Scheme(text.to_owned())),
    }
}

fn segments(directory: &str) -> Result<Vec<String>, ArchiveSourceError> {
    let segments = directory
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "."));
    let segments: Vec<_> = segments.map(str::to_owned).collect();
    if directory.starts_with('/') || segments.iter().any(|segment| segment == "..") {
        return Err(ArchiveSourceError::Directory(directory.to_owned()));
    }
    Ok(segments)
}

/// Why a toolchain's archive cannot be used as it is described.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveSourceError {
    /// No URL.
    #[error("'{text}' is not the address of an archive: {reason}")]
    NoUrl {
        /// What was written.
        text: String,
        /// Why.
        reason: String,
    },
    /// Encrypted transport.
    #[error("the archive '{0}' is behind https, which this program does not speak")]
    Https(String),
    /// Something else.
    #[error("the archive's address '{0}' is neither http: nor file: with an absolute path")]
    Scheme(String),
    /// No checksum.
    #[error(transparent)]
    Sum(#[from] DigestError),
    /// A folder outside the archive.
    #[error("'{0}' is no folder inside an archive")]
    Directory(String),
    /// Where the image should have it.
    #[error("the archive's place in the image: {0}")]
    Installed(#[from] PathError),
}

impl ArchiveSourceError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Https(_) => {
                "write http:// where its server answers that too, or file:///… of a copy: the sum is checked all the same"
            }
            Self::NoUrl { .. } | Self::Scheme(_) => {
                "write http://… or file:///… as `url` of the target's toolchain file"
            }
            Self::Sum(_) => {
                "`sha256` of the target's toolchain file is what sha256sum prints for the archive"
            }
            Self::Directory(_) => "write it as `tar -t` lists it, such as x-tools8/aarch64-unknown-linux-gnu",
            Self::Installed(_) => "write an absolute path such as /opt/x-tools8",
        }
        .to_owned()
    }
}
