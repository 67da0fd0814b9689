//! Where the files of a bundle go, and what is there already.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::bundle::{Bundle, LOCK, MANIFEST};
use crate::cli::context::Context;
use crate::cli::{Exit, Failure};

/// What to do with files that are different here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// They are a reason to do nothing at all.
    Refused,
    /// The manifest and target files of here stay, the lock is the bundle's.
    Kept,
    /// The bundle's take their place.
    Replaced,
}

/// A file of the bundle and its place here; its JSON names are a contract.
#[derive(Debug, Serialize)]
pub(super) struct PlacedFile {
    pub(super) path: PathBuf,
    pub(super) outcome: Outcome,
    #[serde(skip)]
    text: String,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// It was not here.
    Written,
    /// It is the same here.
    Same,
    /// Another one was here.
    Replaced,
    /// Another one is here and stays.
    Kept,
}

/// The bundle's files in their places. Writes nothing yet.
pub(super) fn place(
    bundle: &Bundle,
    existing: Existing,
    context: &Context,
) -> Result<Vec<PlacedFile>, Failure> {
    let brings_manifest = bundle.index.files.iter().any(|file| file.path == MANIFEST);
    let manifest = context.manifest_path();
    if !brings_manifest && existing != Existing::Kept && context.manifest().is_some() {
        return Err(different(&[manifest]));
    }
    let lock = if brings_manifest {
        manifest.with_file_name(LOCK)
    } else {
        context.lock_path()?
    };
    let mut files = Vec::new();
    for entry in &bundle.index.files {
        let path = match entry.path.as_str() {
            LOCK => lock.clone(),
            MANIFEST => manifest.to_owned(),
            below => manifest.with_file_name(below),
        };
        let text = bundle.text(entry)?;
        let keep = existing == Existing::Kept && entry.path != LOCK;
        let outcome = outcome(&path, &text, keep)?;
        files.push(PlacedFile {
            path,
            outcome,
            text,
        });
    }
    let replaced = files
        .iter()
        .filter(|file| file.outcome == Outcome::Replaced);
    let replaced: Vec<_> = replaced.map(|file| file.path.as_path()).collect();
    if existing == Existing::Refused && !replaced.is_empty() {
        return Err(different(&replaced));
    }
    Ok(files)
}

fn outcome(path: &Path, text: &str, keep: bool) -> Result<Outcome, Failure> {
    match fs::read(path) {
        Ok(here) if here == text.as_bytes() => Ok(Outcome::Same),
        Ok(_other) if keep => Ok(Outcome::Kept),
        Ok(_other) => Ok(Outcome::Replaced),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Outcome::Written),
        Err(error) => {
            let error = anyhow::Error::from(error);
            let error = error.context(format!("cannot read {}", path.display()));
            Err(Failure::new(Exit::Failed, error, None))
        }
    }
}

fn different(paths: &[&Path]) -> Failure {
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let names = names.join(" and ");
    let error = anyhow::anyhow!("here is another {names} than in the bundle");
    let hint = "load it in an empty folder; or --replace takes the bundle's files, --keep-manifest only its lock";
    Failure::new(Exit::Failed, error, Some(hint.to_owned()))
}

impl PlacedFile {
    /// Puts the file into its place, whole or not at all.
    pub(super) fn write(&self) -> Result<(), Failure> {
        if matches!(self.outcome, Outcome::Same | Outcome::Kept) {
            return Ok(());
        }
        write(&self.path, 0o666, |file| {
            file.write_all(self.text.as_bytes())
        })
    }
}

/// Writes beside and renames.
pub(super) fn write(
    path: &Path,
    mode: u32,
    content: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let written = || -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        content(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written()
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(|error| Failure::new(Exit::Failed, error, None))
}
