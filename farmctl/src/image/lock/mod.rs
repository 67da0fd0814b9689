//! The lock: exactly which packages a toolchain is made of.
//!
//! Written beside the manifest, like Cargo.lock beside Cargo.toml: the same lock gives the same image on every machine.
//! It names no host, so every mirror will do, and holds everything needed to fetch and check the packages, so a
//! complete lock makes the archive's index unnecessary.

mod changes;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::archive::{Offered, Version};
use super::digest::Sha256;
use super::request::{CompilerSource, ImageRequest};
use super::tarball::ArchiveSource;
use crate::farm::Architecture;

pub use changes::{PackageChange, Presence, ToolchainChange};
pub use text::LockError;

/// A pinned package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A host's, or `all`.
    pub architecture: String,
    /// The file, below the archive's root.
    pub path: String,
    /// The file's size in bytes.
    pub size: u64,
    /// The file's digest.
    pub sha256: Sha256,
}

impl LockedPackage {
    pub(super) fn new(offered: Offered) -> Self {
        Self {
            name: offered.name,
            version: offered.version,
            architecture: offered.architecture,
            path: offered.path,
            size: offered.bytes,
            sha256: offered.sha256,
        }
    }

    /// Name and version, and behind the name the kind of machine where it is not the usual one: `libc6:arm64=2.41-12`.
    fn reference(&self) -> String {
        let Self { name, version, .. } = self;
        match self.architecture.as_str() {
            "all" | USUAL_HOST => format!("{name}={version}"),
            architecture => format!("{name}:{architecture}={version}"),
        }
    }
}

/// The hosts' architecture where a lock names none.
const USUAL_HOST: &str = "amd64";

/// Pinned packages for any number of toolchains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    toolchains: BTreeMap<ToolchainId, LockedToolchain>,
}

/// For which target and which hosts, which version, and what was asked for when it was resolved: hosts may differ in that,
/// for example in whether they have headers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ToolchainId {
    target: String,
    gcc: u32,
    host: Architecture,
    request: Sha256,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct LockedToolchain {
    suite: String,
    /// The archive that holds the compilers, where no package does.
    archive: Option<Sha256>,
    /// By name, each name once.
    packages: Vec<LockedPackage>,
}

impl Lock {
    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.toolchains.is_empty()
    }

    /// Whether every toolchain of `images` is pinned: then assembling asks the mirror for packages at most.
    pub fn covers(&self, images: &[ImageRequest]) -> bool {
        images.iter().all(|image| {
            let mut sources = image.sources.iter();
            sources.all(|source| self.pins(image, source))
        })
    }

    /// This lock without what it pins for `targets`.
    #[must_use]
    pub fn without(&self, targets: &[&str]) -> Self {
        let others = self.toolchains.iter();
        let others = others.filter(|(id, _toolchain)| !targets.contains(&id.target.as_str()));
        Self {
            toolchains: others
                .map(|(id, toolchain)| (id.clone(), toolchain.clone()))
                .collect(),
        }
    }

    /// Everything that has to be downloaded for it: packages and archives of toolchains.
    pub fn downloads(&self) -> impl Iterator<Item = Sha256> {
        self.toolchains.values().flat_map(|toolchain| {
            let packages = toolchain.packages.iter().map(|package| package.sha256);
            packages.chain(toolchain.archive)
        })
    }

    /// The packages of an image. Where several GCC versions bring the same package the newest wins: libraries and
    /// the assembler are backward compatible, and a compiler's own packages carry its version in their names.
    ///
    /// # Errors
    ///
    /// It lacks a toolchain of the image.
    pub fn packages_of(&self, image: &ImageRequest) -> Result<Vec<&LockedPackage>, LockError> {
        let mut newest: BTreeMap<&str, &LockedPackage> = BTreeMap::new();
        for source in &image.sources {
            let toolchain = self
                .pinned(image, source)
                .ok_or_else(|| LockError::NotPinned {
                    target: image.toolchain.target.clone(),
                    gcc: source.major,
                    host: image.architecture,
                })?;
            for package in &toolchain.packages {
                let known = newest.entry(&package.name).or_insert(package);
                if Version::new(&package.version) > Version::new(&known.version) {
                    *known = package;
                }
            }
        }
        Ok(newest.into_values().collect())
    }

    /// Those toolchains of this lock that `images` ask for, unchanged.
    pub(super) fn restricted_to(&self, images: &[ImageRequest]) -> Self {
        let mut kept = Self::default();
        for image in images {
            for source in &image.sources {
                if let Some(toolchain) = self.pinned(image, source) {
                    kept.toolchains.insert(id(image, source), toolchain.clone());
                }
            }
        }
        kept
    }

    /// Whether this very source is pinned for an image.
    pub(super) fn pins(&self, image: &ImageRequest, source: &CompilerSource) -> bool {
        self.pinned(image, source).is_some()
    }

    /// Pins what a source was resolved to.
    pub(super) fn pin(
        &mut self,
        image: &ImageRequest,
        source: &CompilerSource,
        resolved: Vec<Offered>,
    ) {
        let mut packages: Vec<_> = resolved.into_iter().map(LockedPackage::new).collect();
        packages.sort_by(|left, right| left.name.cmp(&right.name));
        let toolchain = LockedToolchain {
            suite: source.suite.clone(),
            archive: source.archive.as_ref().map(ArchiveSource::sha256),
            packages,
        };
        self.toolchains.insert(id(image, source), toolchain);
    }

    /// One version of a package for one kind of machine is one file, whichever toolchain it was resolved for.
    pub(super) fn check(&self) -> Result<(), LockError> {
        let mut known: BTreeMap<String, Sha256> = BTreeMap::new();
        for package in self
            .toolchains
            .values()
            .flat_map(|toolchain| &toolchain.packages)
        {
            let reference = package.reference();
            let sha256 = known.entry(reference.clone()).or_insert(package.sha256);
            if *sha256 != package.sha256 {
                return Err(LockError::Conflict { package: reference });
            }
        }
        Ok(())
    }

    fn pinned(&self, image: &ImageRequest, source: &CompilerSource) -> Option<&LockedToolchain> {
        self.toolchains.get(&id(image, source))
    }
}

fn id(image: &ImageRequest, source: &CompilerSource) -> ToolchainId {
    ToolchainId {
        target: image.toolchain.target.clone(),
        gcc: source.major,
        host: image.architecture,
        request: source.digest(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use volunteer_toolchain::{Class, Compiler, Machine, ObjectFacts, Toolchain};

    use super::*;

    pub(in crate::image) fn source(suite: &str) -> CompilerSource {
        CompilerSource {
            major: 14,
            suite: suite.to_owned(),
            packages: vec!["g++-14".to_owned()],
            leave_out: vec!["*-dev".to_owned()],
            headers: vec![],
            archive: None,
        }
    }

    pub(in crate::image) fn image(target: &str, sources: Vec<CompilerSource>) -> ImageRequest {
        let compilers = sources.iter().map(|source| Compiler {
            major: source.major,
            gcc: format!("/usr/bin/gcc-{}", source.major).into(),
            gxx: format!("/usr/bin/g++-{}", source.major).into(),
        });
        let toolchain = Toolchain {
            target: target.to_owned(),
            triples: vec![],
            object: ObjectFacts {
                class: Class::Elf64,
                machine: Machine::X86_64,
                attributes: BTreeMap::new(),
            },
            defaults: vec![],
            compilers: compilers.collect(),
            headers: false,
        };
        ImageRequest {
            architecture: Architecture::Amd64,
            toolchain,
            sources,
        }
    }

    pub(in crate::image) fn offered(name: &str, version: &str) -> Offered {
        Offered {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: "amd64".to_owned(),
            path: format!("pool/{name}"),
            bytes: 1,
            sha256: Sha256::of(format!("{name}{version}").as_bytes()),
        }
    }

    /// Two targets that share a library.
    pub(in crate::image) fn lock() -> Lock {
        let mut lock = Lock::default();
        lock.pin(
            &image("armv7h", vec![]),
            &source("stable"),
            vec![offered("libc6", "1"), offered("g++-14", "2")],
        );
        let armv5 = image("armv5", vec![]);
        lock.pin(&armv5, &source("stable"), vec![offered("libc6", "1")]);
        lock
    }

    #[test]
    fn the_newest_package_wins_where_gcc_versions_meet() {
        let (old, new) = (
            source("stable"),
            CompilerSource {
                major: 16,
                ..source("testing")
            },
        );
        let mut lock = Lock::default();
        lock.pin(
            &image("armv7h", vec![]),
            &old,
            vec![offered("libc6", "2.9"), offered("g++-14", "14")],
        );
        lock.pin(
            &image("armv7h", vec![]),
            &new,
            vec![offered("libc6", "2.10"), offered("g++-16", "16")],
        );
        let image = image("armv7h", vec![new, old]);
        let packages: Vec<_> = lock
            .packages_of(&image)
            .unwrap()
            .iter()
            .map(|p| format!("{}={}", p.name, p.version))
            .collect();
        assert_eq!(packages, ["g++-14=14", "g++-16=16", "libc6=2.10"]);
    }

    #[test]
    fn refuses_two_files_of_one_version() {
        let mut lock = lock();
        lock.check().unwrap();
        let other = Offered {
            sha256: Sha256::of(b"other"),
            ..offered("libc6", "1")
        };
        lock.pin(&image("aarch64", vec![]), &source("stable"), vec![other]);
        let error = lock.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the archive has another libc6=1 than the lock file pins"
        );
    }

    /// Hosts of a farm may ask for different things of the same compiler.
    #[test]
    fn two_requests_for_one_compiler_are_both_pinned() {
        let plain = source("stable");
        let with_headers = CompilerSource {
            headers: vec!["libc6-dev".to_owned()],
            ..source("stable")
        };
        let image = image("armv7h", vec![]);
        let mut lock = Lock::default();
        lock.pin(&image, &plain, vec![offered("libc6", "1")]);
        let packages = vec![offered("libc6", "1"), offered("libc6-dev", "1")];
        lock.pin(&image, &with_headers, packages);
        assert!(lock.pins(&image, &plain) && lock.pins(&image, &with_headers));
        let text = lock.to_string();
        assert_eq!(text.parse::<Lock>().unwrap(), lock);
    }

    #[test]
    fn keeps_only_toolchains_that_are_asked_for() {
        let kept = lock().restricted_to(&[image("armv5", vec![source("stable")])]);
        assert!(kept.pins(&image("armv5", vec![]), &source("stable")));
        assert!(!kept.pins(&image("armv7h", vec![]), &source("stable")));
    }

    #[test]
    fn covers_images_only_when_every_version_is_pinned() {
        let more = CompilerSource {
            major: 16,
            ..source("testing")
        };
        assert!(lock().covers(&[image("armv5", vec![source("stable")])]));
        assert!(!lock().covers(&[image("armv5", vec![source("stable"), more.clone()])]));
        let error = lock().packages_of(&image("armv5", vec![more])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the lock file does not pin gcc 16 for armv5 on amd64 hosts"
        );
    }
}
