//! The index: what a bundle holds, and the rules that this must keep.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{BundleError, LOCK, PROGRAM};
use crate::farm::Architecture;
use crate::image::Sha256;

/// The only layout so far.
pub(super) const FORMAT: u64 = 1;

/// The member that the index is.
pub(super) const NAME: &str = "bundle.json";

/// The last member: the digest of all bytes before it, so that none of them can change unnoticed, not even where it
/// would do no harm.
pub(super) const SEAL: &str = "bundle.sha256";

/// What the last member says.
pub(super) fn seal_text(sha256: Sha256) -> String {
    format!("{sha256}\n")
}

/// More than the index of any farm takes; it is read into memory.
pub(super) const LONGEST: u64 = 4 << 20;

/// A description of a farm is a text that a person wrote; it is read into memory as well.
const LONGEST_FILE: u64 = 4 << 20;

/// More than any layer of compilers takes; what is refused here cannot fill an engine's disk.
const LARGEST_LAYER: u64 = 4 << 30;

/// What a bundle holds, in the order of its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The layout.
    pub farmctl_bundle: u64,
    /// The farm's name.
    pub farm: String,
    /// The version that wrote it.
    pub farmctl: String,
    /// What describes the farm.
    pub files: Vec<FileEntry>,
    /// The programs that the images hold, first the one that wrote it.
    pub programs: Vec<ProgramEntry>,
    /// The images, in the manifest's order.
    pub images: Vec<ImageEntry>,
    /// Every layer of the images, once.
    pub layers: Vec<LayerEntry>,
}

/// A member that is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name, which is also its path beside the manifest.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramEntry {
    /// The hosts that it runs on: `amd64` or `arm64`.
    pub host: String,
    /// The file.
    pub file: FileEntry,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// What it compiles for.
    pub target: String,
    /// The hosts that it runs on: `amd64` or `arm64`.
    pub host: String,
    /// Name and tag.
    pub reference: String,
    /// Its configuration, the very text that its id is the digest of.
    pub config: String,
    /// Its layers, lowest first.
    pub layers: Vec<StackedLayer>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackedLayer {
    /// What it holds, in words.
    pub holds: String,
    /// Which one.
    pub sha256: Sha256,
}

/// A member that is a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerEntry {
    /// The digest of its archive, by which engines know it.
    pub sha256: Sha256,
    /// The archive's size.
    pub bytes: u64,
}

impl LayerEntry {
    /// The member's name.
    pub(super) fn path(&self) -> String {
        format!("layers/{}.tar.gz", self.sha256)
    }
}

/// The part of every index that says how to read the rest.
#[derive(Deserialize)]
struct Layout {
    farmctl_bundle: u64,
}

impl Index {
    /// Reads and judges the text of an index.
    pub(super) fn read(text: &[u8]) -> Result<Self, BundleError> {
        let malformed = |error: serde_json::Error| BundleError::damaged(NAME, error.to_string());
        let Layout { farmctl_bundle } = serde_json::from_slice(text).map_err(malformed)?;
        if farmctl_bundle != FORMAT {
            return Err(BundleError::Format {
                found: farmctl_bundle,
            });
        }
        let index: Self = serde_json::from_slice(text).map_err(malformed)?;
        index.check()?;
        Ok(index)
    }

    /// The uncompressed size of everything.
    pub fn bytes(&self) -> u64 {
        let programs = self.programs.iter().map(|program| &program.file);
        let files = self.files.iter().chain(programs).map(|file| file.bytes);
        let sizes = files.chain(self.layers.iter().map(|layer| layer.bytes));
        sizes.fold(0, u64::saturating_add)
    }

    /// What a reader relies on: names lead nowhere else and are there once, and nothing is missing or superfluous.
    fn check(&self) -> Result<(), BundleError> {
        let wrong = |reason: String| Err(BundleError::damaged(NAME, reason));
        let mut names = BTreeSet::new();
        for file in &self.files {
            if !is_description(&file.path) {
                return wrong(format!("names a file {:?}", file.path));
            }
            if file.bytes > LONGEST_FILE {
                return wrong(format!("says that {} has {} bytes", file.path, file.bytes));
            }
            if !names.insert(&file.path) {
                return wrong(format!("names {} twice", file.path));
            }
        }
        if !names.contains(&LOCK.to_owned()) {
            return wrong(format!("names no {LOCK}"));
        }
        let mut hosts = BTreeSet::new();
        for (number, ProgramEntry { host, file }) in self.programs.iter().enumerate() {
            let known = host.parse::<Architecture>();
            let known = known.is_ok_and(|known| file.path == program_path(known, number == 0));
            if !known || !hosts.insert(host) {
                return wrong(format!("names a program {:?} for {host}", file.path));
            }
        }
        let mut images = self.images.iter();
        if let Some(image) = images.find(|image| !hosts.contains(&image.host)) {
            return wrong(format!("names no program for {} hosts", image.host));
        }
        if let Some(layer) = self.layers.iter().find(|one| one.bytes > LARGEST_LAYER) {
            return wrong(format!("says that a layer has {} bytes", layer.bytes));
        }
        let layers: BTreeSet<_> = self.layers.iter().map(|layer| layer.sha256).collect();
        if layers.len() != self.layers.len() {
            return wrong("names a layer twice".to_owned());
        }
        let stacked = self.images.iter().flat_map(|image| &image.layers);
        if stacked.map(|layer| layer.sha256).collect::<BTreeSet<_>>() != layers {
            return wrong("has other layers than its images".to_owned());
        }
        let images: BTreeSet<_> = self.images.iter().map(|image| &image.reference).collect();
        if images.len() != self.images.len() {
            return wrong("names an image twice".to_owned());
        }
        Ok(())
    }
}

/// The name of a program's member: of others than the first it is the one that it is looked for by beside the first.
pub(super) fn program_path(host: Architecture, is_first: bool) -> String {
    if is_first {
        PROGRAM.to_owned()
    } else {
        format!("{PROGRAM}-{host}")
    }
}

/// Whether a path is one that a farm is described at: the lock, or a YAML file below the manifest's folder.
pub fn is_description(path: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(|c: char| c.is_control() || c == '\\')
    };
    let yaml = || [".yaml", ".yml"].iter().any(|end| path.ends_with(end));
    path == LOCK || (path.len() <= 90 && yaml() && path.split('/').all(is_plain))
}
