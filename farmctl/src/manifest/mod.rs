//! The manifest: `farm.yaml` to [`Farm`].
//!
//! The text becomes a tree of numbered nodes (`yaml`); `reader` walks it key by key into `sections`, judging every
//! value alone; `toolchains` gathers the targets there are; `resolve` puts both together. Whatever is wrong on the way
//! is noted with its place and the walk goes on, so one run shows every mistake.

mod archive_section;
mod error;
mod file;
mod gcc_section;
mod keys;
mod problem;
mod reader;
mod reference;
mod resolve;
mod schema;
mod sections;
mod settings;
mod source;
mod target_file;
mod template;
mod tls_section;
mod toolchains;
mod values;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{Diagnostic, ManifestError, Position};
pub use reference::reference;
pub use schema::schema;
pub use template::{Machine, template};

use crate::farm::Farm;
use error::Findings;
use reader::Reader;
use sections::FarmSection;
use source::Source;
use toolchains::{Catalogue, Directory};

/// What a schema or a reference describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// `farm.yaml`.
    Manifest,
    /// A file of `toolchains/` that describes a target.
    TargetFile,
}

/// Reads the manifest at `path`. Without a file there, the farm has every built-in target on this machine.
pub fn load(path: &Path) -> Result<Farm, ManifestError> {
    match path.try_exists() {
        Ok(false) => farm(None),
        _ => load_existing(path),
    }
}

/// Reads the manifest at `path`, which must exist.
pub fn load_existing(path: &Path) -> Result<Farm, ManifestError> {
    let source = file::read(path).map_err(ManifestError::of_file)?;
    farm(Some((&source, path)))
}

/// The files that describe targets beside the manifest at `path`, or wherever it says.
pub fn companions(path: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    let source = file::read(path).map_err(ManifestError::of_file)?;
    let mut findings = Findings::default();
    let section = section(&source, &mut findings).unwrap_or_default();
    let directory = Directory::beside(path, section.toolchains.as_ref());
    let files = directory.map(|directory| directory.files(&mut findings));
    findings.into_result()?;
    Ok(files.unwrap_or_default())
}

/// Reads a manifest's `text` as if it stood in the file `name`.
pub fn parse(text: &str, name: &str) -> Result<Farm, ManifestError> {
    farm(Some((&Source::new(name, text), Path::new(name))))
}

/// The farm that a manifest describes, or the one without a manifest.
fn farm(manifest: Option<(&Arc<Source>, &Path)>) -> Result<Farm, ManifestError> {
    let mut findings = Findings::default();
    let section = manifest
        .and_then(|(source, _)| section(source, &mut findings))
        .unwrap_or_default();
    let directory =
        manifest.and_then(|(_, path)| Directory::beside(path, section.toolchains.as_ref()));
    let catalogue = Catalogue::load(directory.as_ref(), &mut findings);
    let folder = manifest.and_then(|(_, path)| path.parent());
    let folder = folder.unwrap_or(Path::new(""));
    let farm = resolve::farm(section, &catalogue, folder, &mut findings);
    findings.into_result()?;
    Ok(farm)
}

fn section(source: &Arc<Source>, findings: &mut Findings) -> Option<FarmSection> {
    let (mut reader, root) = Reader::open(source, findings)?;
    Some(FarmSection::read(&root, &mut reader))
}
