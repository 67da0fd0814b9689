//! The lock as text: JSON, one key per line, sorted, so that a change of one package is a change of a few lines.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Lock, LockedPackage, LockedToolchain, ToolchainId, USUAL_HOST};
use crate::farm::{Architecture, UnknownArchitecture};
use crate::image::digest::Sha256;

/// The only layout so far.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    toolchains: Vec<ToolchainEntry>,
    packages: Vec<LockedPackage>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolchainEntry {
    target: String,
    gcc: u32,
    /// The architecture of the hosts that it runs on, where it is not the usual one.
    #[serde(default = "usual_host", skip_serializing_if = "is_usual")]
    host: String,
    suite: String,
    request: Sha256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archive: Option<Sha256>,
    /// `name=version` of entries in the document's list of packages.
    packages: Vec<String>,
}

fn usual_host() -> String {
    USUAL_HOST.to_owned()
}

fn is_usual(host: &str) -> bool {
    host == USUAL_HOST
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut packages = BTreeMap::new();
        for package in self
            .toolchains
            .values()
            .flat_map(|toolchain| &toolchain.packages)
        {
            packages.insert(package.reference(), package.clone());
        }
        let toolchains = self
            .toolchains
            .iter()
            .map(|(id, toolchain)| ToolchainEntry {
                target: id.target.clone(),
                gcc: id.gcc,
                host: id.host.to_string(),
                suite: toolchain.suite.clone(),
                request: id.request,
                archive: toolchain.archive,
                packages: toolchain
                    .packages
                    .iter()
                    .map(LockedPackage::reference)
                    .collect(),
            });
        let document = Document {
            format: FORMAT,
            toolchains: toolchains.collect(),
            packages: packages.into_values().collect(),
        };
        let text = serde_json::to_string_pretty(&document).map_err(|_unwritable| fmt::Error)?;
        writeln!(f, "{text}")
    }
}

impl FromStr for Lock {
    type Err = LockError;

    fn from_str(text: &str) -> Result<Self, LockError> {
        let document: Document = serde_json::from_str(text)?;
        if document.format != FORMAT {
            return Err(LockError::Format {
                found: document.format,
            });
        }
        let mut packages = BTreeMap::new();
        for package in document.packages {
            check(&package)?;
            let reference = package.reference();
            if packages.insert(reference.clone(), package).is_some() {
                return Err(LockError::Repeated { entry: reference });
            }
        }
        let mut toolchains = BTreeMap::new();
        for entry in document.toolchains {
            let (id, toolchain) = look_up(entry, &packages)?;
            let name = format!("{} gcc {} for {} hosts", id.target, id.gcc, id.host);
            if toolchains.insert(id, toolchain).is_some() {
                return Err(LockError::Repeated { entry: name });
            }
        }
        Ok(Self { toolchains })
    }
}

fn look_up(
    entry: ToolchainEntry,
    packages: &BTreeMap<String, LockedPackage>,
) -> Result<(ToolchainId, LockedToolchain), LockError> {
    let found = entry.packages.into_iter().map(|reference| {
        packages
            .get(&reference)
            .cloned()
            .ok_or(LockError::Dangling { reference })
    });
    let packages = found.collect::<Result<_, _>>()?;
    let toolchain = LockedToolchain {
        suite: entry.suite,
        archive: entry.archive,
        packages,
    };
    Ok((
        ToolchainId {
            target: entry.target,
            gcc: entry.gcc,
            host: entry.host.parse()?,
            request: entry.request,
        },
        toolchain,
    ))
}

/// A lock comes from a repository, not from the archive: its paths must not lead anywhere else.
fn check(package: &LockedPackage) -> Result<(), LockError> {
    let plain = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
    if package.path.split('/').all(plain) && !package.path.contains(['\\', '?', '#']) {
        return Ok(());
    }
    Err(LockError::Path {
        package: package.name.clone(),
        path: package.path.clone(),
    })
}

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Not the JSON a lock is.
    #[error("the lock file is malformed: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Written by another version of this program.
    #[error("the lock file has format {found}, this program reads format {FORMAT}")]
    Format {
        /// The file's format.
        found: u32,
    },
    /// An entry is there twice.
    #[error("the lock file lists {entry} twice")]
    Repeated {
        /// The entry.
        entry: String,
    },
    /// A toolchain names a package that is not listed.
    #[error("the lock file does not list {reference}, which one of its toolchains needs")]
    Dangling {
        /// The package's name and version.
        reference: String,
    },
    /// A path that may lead outside the archive.
    #[error(
        "the lock file gives package {package} the path '{path}', which is no path below an archive"
    )]
    Path {
        /// The package.
        package: String,
        /// Its path.
        path: String,
    },
    /// What was resolved now does not go with what was resolved before.
    #[error("the archive has another {package} than the lock file pins")]
    Conflict {
        /// The package's name and version.
        package: String,
    },
    /// A kind of machine that this program does not know.
    #[error("the lock file is malformed: {0}")]
    Host(#[from] UnknownArchitecture),
    /// The lock lacks a toolchain.
    #[error("the lock file does not pin gcc {gcc} for {target} on {host} hosts")]
    NotPinned {
        /// The target.
        target: String,
        /// The major version.
        gcc: u32,
        /// The hosts.
        host: Architecture,
    },
}

impl LockError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some("run `farmctl update` to write the lock file anew".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{image, lock, source};
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let lock = lock();
        let text = lock.to_string();
        assert_eq!(text.parse::<Lock>().unwrap(), lock);
        assert_eq!(text.parse::<Lock>().unwrap().to_string(), text);
    }

    #[test]
    fn lists_a_package_of_several_toolchains_once() {
        let text = lock().to_string();
        assert_eq!(text.matches("\"name\": \"libc6\"").count(), 1, "{text}");
    }

    #[test]
    fn names_no_host() {
        assert!(!lock().to_string().contains("://"));
    }

    #[test]
    fn refuses_damaged_locks() {
        let good = lock().to_string();
        let cases = [
            ("", "", "the lock file is malformed: EOF while parsing"),
            (
                "\"format\": 1",
                "\"format\": 2",
                "the lock file has format 2, this program reads format 1",
            ),
            (
                "\"format\": 1",
                "\"form\": 1",
                "the lock file is malformed: unknown field `form`",
            ),
            (
                "\"name\": \"libc6\"",
                "\"name\": \"libc7\"",
                "the lock file does not list libc6=1, which",
            ),
            (
                "\"path\": \"pool/libc6\"",
                "\"path\": \"../libc6\"",
                "the lock file gives package libc6 the path '../libc6'",
            ),
            (
                "\"path\": \"pool/libc6\"",
                "\"path\": \"/etc/libc6\"",
                "the lock file gives package libc6 the path '/etc/libc6'",
            ),
            (
                "\"target\": \"armv5\"",
                "\"target\": \"armv7h\"",
                "the lock file lists armv7h gcc 14 for amd64 hosts twice",
            ),
            (
                "\"sha256\": \"",
                "\"sha256\": \"x",
                "the lock file is malformed: 'x",
            ),
        ];
        for (from, to, message) in cases {
            let damaged = if from.is_empty() {
                String::new()
            } else {
                good.replacen(from, to, 1)
            };
            assert_ne!(damaged, good, "{from}");
            let error = damaged.parse::<Lock>().unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn a_changed_request_is_not_pinned() {
        let lock: Lock = lock().to_string().parse().unwrap();
        let mut changed = source("stable");
        assert!(lock.pins(&image("armv7h", vec![]), &changed));
        changed.leave_out.push("libfoo".to_owned());
        assert!(!lock.pins(&image("armv7h", vec![]), &changed));
        assert!(!lock.pins(&image("armv7h", vec![]), &source("testing")));
    }
}
