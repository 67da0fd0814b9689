//! The targets that there are: the built-in ones, then those of a directory, which add to them or replace them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Findings;
use super::file;
use super::gcc_section::{self, GccSection};
use super::problem::Problem;
use super::reader::Reader;
use super::source::{Located, Source, Spot};
use super::target_file::TargetFile;

/// The file of a directory that completes its other files.
const COMMON: &str = "common.yaml";

macro_rules! built_in {
    ($($file:literal),+ $(,)?) => {
        [$(($file, include_str!(concat!("../../../toolchains/", $file)))),+]
    };
}

/// Every file of `toolchains/`, by name.
const BUILT_IN: [(&str, &str); 8] = built_in![
    "common.yaml",
    "i686.yaml",
    "riscv64.yaml",
    "x86_64.yaml",
    "armv5.yaml",
    "armv6h.yaml",
    "armv7h.yaml",
    "aarch64.yaml",
];

/// A directory that describes targets.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Where the manifest names it.
    named: Option<Spot>,
}

impl Directory {
    /// The directory that a manifest names, or `toolchains` beside it if that exists.
    pub(super) fn beside(manifest: &Path, named: Option<&Located<String>>) -> Option<Self> {
        let parent = manifest.parent()?;
        match named {
            Some(named) => Some(Self {
                path: parent.join(&named.value),
                named: Some(named.spot.clone()),
            }),
            None => Some(Self {
                path: parent.join("toolchains"),
                named: None,
            })
            .filter(|beside| beside.path.is_dir()),
        }
    }

    /// Its YAML files, ordered by name.
    fn sources(&self, findings: &mut Findings) -> Vec<(String, Arc<Source>)> {
        let mut sources = Vec::new();
        for path in self.files(findings) {
            match file::read(&path) {
                Ok(source) => sources.push((file_name(&path), source)),
                Err(problem) => findings.of_file(problem),
            }
        }
        sources
    }

    /// The paths of its YAML files, ordered by name.
    pub(super) fn files(&self, findings: &mut Findings) -> Vec<PathBuf> {
        self.yaml_files().unwrap_or_else(|error| {
            let problem = Problem::Toolchains {
                path: self.path.display().to_string(),
                reason: error.to_string(),
            };
            match &self.named {
                Some(spot) => findings.at(problem, spot),
                None => findings.of_file(problem),
            }
            Vec::new()
        })
    }

    fn yaml_files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let path = entry?.path();
            let yaml = path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml");
            if yaml && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Every target, ordered by port.
#[derive(Debug)]
pub(super) struct Catalogue {
    targets: Vec<TargetFile>,
}

impl Catalogue {
    /// The built-in targets, with those of `directory` added or in their place.
    pub(super) fn load(directory: Option<&Directory>, findings: &mut Findings) -> Self {
        let built_in = BUILT_IN.iter().map(|(file, text)| {
            (
                (*file).to_owned(),
                Source::new(format!("built-in {file}"), text),
            )
        });
        let (common, mut targets) = read_all(built_in, &GccSection::default(), findings);
        if let Some(directory) = directory {
            let sources = directory.sources(findings);
            let (_, nearer) = read_all(sources, &common, findings);
            targets.retain(|old| !nearer.iter().any(|new| new.name() == old.name()));
            targets.extend(nearer);
        }
        refuse_ambiguous_names(&targets, findings);
        targets.sort_by_key(|file| file.target.as_ref().map(|target| target.port));
        Self { targets }
    }

    /// The target that `name` means.
    pub(super) fn find(&self, name: &str) -> Option<&TargetFile> {
        self.targets
            .iter()
            .find(|file| file.names.iter().any(|known| known.value == name))
    }

    /// All targets.
    pub(super) fn targets(&self) -> &[TargetFile] {
        &self.targets
    }

    /// The targets' own names.
    pub(super) fn names(&self) -> Vec<String> {
        self.targets
            .iter()
            .map(|file| file.name().to_owned())
            .collect()
    }
}

impl TargetFile {
    fn name(&self) -> &str {
        &self.names[0].value
    }
}

/// The targets of `sources`, and what they have in common; what that leaves open, `common` says.
fn read_all(
    sources: impl IntoIterator<Item = (String, Arc<Source>)>,
    common: &GccSection,
    findings: &mut Findings,
) -> (GccSection, Vec<TargetFile>) {
    let (commons, files): (Vec<_>, Vec<_>) =
        sources.into_iter().partition(|(file, _)| file == COMMON);
    let mut common = common.clone();
    for (_, source) in &commons {
        if let Some((mut reader, root)) = Reader::open(source, findings) {
            common = gcc_section::read_common(&root, &mut reader).or(&common);
        }
    }
    let targets = files
        .iter()
        .filter_map(|(_, source)| TargetFile::read(source, &common, findings))
        .collect();
    (common, targets)
}

/// Every name and alias means one target.
fn refuse_ambiguous_names(targets: &[TargetFile], findings: &mut Findings) {
    let mut owners: BTreeMap<&str, (&str, &Spot)> = BTreeMap::new();
    for file in targets {
        for name in &file.names {
            match owners.get(name.value.as_str()) {
                Some((owner, spot)) => findings.clash(
                    Problem::NameTaken {
                        name: name.value.clone(),
                        owner: (*owner).to_owned(),
                    },
                    &name.spot,
                    spot,
                ),
                None => {
                    owners.insert(&name.value, (file.name(), &name.spot));
                }
            }
        }
    }
}
