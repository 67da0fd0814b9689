//! A suite's package index, 60 MB of stanzas: read once, borrowing, and only the fields that matter.

use std::collections::HashMap;

use deb822_fast::borrowed::{BorrowedParagraph, iter_paragraphs_borrowed};

use super::dependency::parse_provides;

/// A package of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Package<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) architecture: &'a str,
    pub(super) depends: &'a str,
    pub(super) pre_depends: &'a str,
    /// Below the archive's root.
    pub(super) path: &'a str,
    pub(super) bytes: &'a str,
    pub(super) sha256: &'a str,
}

/// A package that provides a virtual one, and in which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Provider<'a> {
    pub(super) package: &'a str,
    pub(super) version: Option<&'a str>,
}

/// The packages of a suite by name.
#[derive(Debug)]
pub(super) struct Packages<'a> {
    by_name: HashMap<&'a str, Vec<Package<'a>>>,
    providers: HashMap<&'a str, Vec<Provider<'a>>>,
}

impl<'a> Packages<'a> {
    pub(super) fn parse(text: &'a str, suite: &str) -> Result<Self, IndexError> {
        let mut packages = Self {
            by_name: HashMap::new(),
            providers: HashMap::new(),
        };
        for stanza in iter_paragraphs_borrowed(text) {
            let stanza = stanza.map_err(|source| IndexError::Malformed {
                suite: suite.to_owned(),
                what: source.to_string(),
            })?;
            packages.add(&stanza).ok_or_else(|| IndexError::Malformed {
                suite: suite.to_owned(),
                what: format!(
                    "package '{}' lacks a field",
                    stanza.get_single("Package").unwrap_or("?")
                ),
            })?;
        }
        Ok(packages)
    }

    /// Every version of a package.
    pub(super) fn named(&self, name: &str) -> &[Package<'a>] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every package that provides a virtual one, in the index's order.
    pub(super) fn providers(&self, name: &str) -> &[Provider<'a>] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }

    /// Names that look like `name`, for a suggestion.
    pub(super) fn similar(&self, name: &str) -> Option<&'a str> {
        self.by_name
            .keys()
            .map(|known| (strsim::jaro_winkler(name, known), *known))
            .filter(|(likeness, _known)| *likeness > 0.9)
            .max_by(|left, right| left.0.total_cmp(&right.0).then_with(|| right.1.cmp(left.1)))
            .map(|(_likeness, known)| known)
    }

    fn add(&mut self, stanza: &BorrowedParagraph<'a>) -> Option<()> {
        let mut fields = Fields::default();
        for field in stanza.iter() {
            fields.take(field.name(), field.as_single_line());
        }
        let package = fields.package()?;
        if let Some(provides) = fields.provides {
            for (name, version) in parse_provides(provides) {
                let provider = Provider {
                    package: package.name,
                    version,
                };
                self.providers.entry(name).or_default().push(provider);
            }
        }
        self.by_name.entry(package.name).or_default().push(package);
        Some(())
    }
}

/// One pass over a stanza's fields instead of one search for each: there are 70 000 stanzas.
#[derive(Default)]
struct Fields<'a> {
    name: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    depends: Option<&'a str>,
    pre_depends: Option<&'a str>,
    provides: Option<&'a str>,
    path: Option<&'a str>,
    bytes: Option<&'a str>,
    sha256: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, name: &str, value: Option<&'a str>) {
        match name {
            "Package" => self.name = value,
            "Version" => self.version = value,
            "Architecture" => self.architecture = value,
            "Depends" => self.depends = value,
            "Pre-Depends" => self.pre_depends = value,
            "Provides" => self.provides = value,
            "Filename" => self.path = value,
            "Size" => self.bytes = value,
            "SHA256" => self.sha256 = value,
            _ => {}
        }
    }

    fn package(&self) -> Option<Package<'a>> {
        Some(Package {
            name: self.name?,
            version: self.version?,
            architecture: self.architecture?,
            depends: self.depends.unwrap_or_default(),
            pre_depends: self.pre_depends.unwrap_or_default(),
            path: self.path?,
            bytes: self.bytes?,
            sha256: self.sha256?,
        })
    }
}

/// Why a package index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file does not decompress, or not to text.
    #[error("the package index of suite {suite} does not decompress: {source}")]
    Compression {
        /// The suite.
        suite: String,
        /// What the decoder says.
        source: std::io::Error,
    },
    /// The text is no package index.
    #[error("the package index of suite {suite} is malformed: {what}")]
    Malformed {
        /// The suite.
        suite: String,
        /// What is wrong with it.
        what: String,
    },
}

impl IndexError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            "the mirror signed this file: name another mirror with `mirror:` or FARMCTL_MIRROR"
                .to_owned(),
        )
    }
}
