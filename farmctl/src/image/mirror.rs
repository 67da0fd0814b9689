//! Which Debian archive packages come from.
//!
//! The first of these that says something wins: the manifest, the environment, the machine's own apt sources (its
//! administrator chose a near mirror there), Debian's main alias.

mod apt;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use reqwest::Url;

/// Where apt keeps its sources.
pub const APT_DIRECTORY: &str = "/etc/apt";

/// Serves every suite, from wherever is near.
const DEFAULT_MIRROR: &str = "http://ftp.debian.org/debian/";

/// A Debian archive: the folder that holds `dists/` and `pool/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    root: Url,
    origin: Origin,
}

/// Who named a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The user did, in the manifest or the environment.
    User,
    /// The machine's apt sources, in this file.
    Apt(PathBuf),
    /// Nobody: the built-in default.
    BuiltIn,
}

impl Mirror {
    /// Chooses the mirror.
    ///
    /// `manifest` and `environment` are what the user wrote, if anything; `apt` is the folder of apt's sources,
    /// usually [`APT_DIRECTORY`].
    ///
    /// # Errors
    ///
    /// What the user wrote is no plain HTTP URL. Unusable apt sources are passed over.
    pub fn choose(
        manifest: Option<&str>,
        environment: Option<&str>,
        apt: &Path,
    ) -> Result<Self, MirrorError> {
        match manifest.or(environment.filter(|text| !text.is_empty())) {
            Some(text) => text.parse(),
            None => Ok(apt::debian_mirror(apt).unwrap_or_else(Self::built_in)),
        }
    }

    /// Who named this mirror.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The URL of `path`, which is relative to the archive's root.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{path}", self.root.path()));
        url
    }

    fn built_in() -> Self {
        let root = Url::parse(DEFAULT_MIRROR).expect("the built-in mirror is a URL");
        Self {
            root,
            origin: Origin::BuiltIn,
        }
    }

    fn parse(text: &str, origin: Origin) -> Result<Self, MirrorError> {
        let mut root = Url::parse(text).map_err(|source| MirrorError::NoUrl {
            text: text.to_owned(),
            reason: source.to_string(),
        })?;
        match root.scheme() {
            "http" => {}
            "https" => {
                return Err(MirrorError::Https {
                    text: text.to_owned(),
                });
            }
            scheme => {
                let scheme = scheme.to_owned();
                return Err(MirrorError::Scheme {
                    text: text.to_owned(),
                    scheme,
                });
            }
        }
        if !root.path().ends_with('/') {
            root.set_path(&format!("{}/", root.path()));
        }
        Ok(Self { root, origin })
    }
}

impl FromStr for Mirror {
    type Err = MirrorError;

    /// Parses a mirror that the user named.
    fn from_str(text: &str) -> Result<Self, MirrorError> {
        Self::parse(text, Origin::User)
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.as_str())
    }
}

/// Why a text is no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// The text is no URL.
    #[error("mirror '{text}' is no URL: {reason}")]
    NoUrl {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no TLS in this program.
    #[error("mirror '{text}' uses https, which is not supported")]
    Https {
        /// What was written.
        text: String,
    },
    /// Neither `http` nor `https`.
    #[error("mirror '{text}' uses {scheme}, which is not supported")]
    Scheme {
        /// What was written.
        text: String,
        /// The scheme.
        scheme: String,
    },
}

impl MirrorError {
    /// What to write instead.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Https { text } => format!(
                "write {}: the index is signed by Debian and every package is checked against it",
                text.replacen("https:", "http:", 1)
            ),
            Self::NoUrl { .. } | Self::Scheme { .. } => {
                format!("write the archive's root, such as {DEFAULT_MIRROR}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_wins_over_the_environment_and_both_over_apt() {
        let nowhere = Path::new("/nonexistent");
        let cases = [
            (
                Some("http://a/debian"),
                Some("http://b/debian"),
                "http://a/debian/",
            ),
            (None, Some("http://b/debian/"), "http://b/debian/"),
            (None, Some(""), DEFAULT_MIRROR),
            (None, None, DEFAULT_MIRROR),
        ];
        for (manifest, environment, expected) in cases {
            let mirror = Mirror::choose(manifest, environment, nowhere).unwrap();
            assert_eq!(mirror.to_string(), expected, "{manifest:?} {environment:?}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read_and_says_what_to_write() {
        let cases = [
            (
                "https://a/debian",
                "mirror 'https://a/debian' uses https, which is not supported",
                "write http://a/debian:",
            ),
            (
                "ftp://a/debian",
                "mirror 'ftp://a/debian' uses ftp, which is not supported",
                "write the archive's root",
            ),
            (
                "a/debian",
                "mirror 'a/debian' is no URL: relative URL without a base",
                "write the archive's root",
            ),
        ];
        for (text, message, hint) in cases {
            let error = text.parse::<Mirror>().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().unwrap().starts_with(hint), "{error:?}");
        }
    }

    #[test]
    fn keeps_versions_with_plus_and_tilde_in_paths() {
        let mirror: Mirror = "http://a/debian".parse().unwrap();
        assert_eq!(
            mirror.url("pool/main/g/gcc/g++_2%3a1~b.deb").as_str(),
            "http://a/debian/pool/main/g/gcc/g++_2%3a1~b.deb"
        );
    }
}
