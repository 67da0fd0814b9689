//! The `toolchain` of a target: packages, or one archive.

use std::path::{Path, PathBuf};

use crate::farm::{
    Architecture, GccMajor, GccSource, Origin, SettingError, Suite, Target, TargetName,
    ToolchainArchive,
};

use super::keys;
use super::problem::Problem;
use super::reader::Reader;
use super::source::Located;
use super::values;
use super::yaml::{Node, Value};

/// Where the compilers of a target come from.
#[derive(Debug, Clone)]
pub(super) enum ToolchainSection {
    /// From packages, as the target's file says.
    Packages,
    /// From packages and, for one version, from an archive.
    Archive(Box<ArchiveSection>),
}

/// An archive as the manifest describes it.
#[derive(Debug, Clone)]
pub(super) struct ArchiveSection {
    /// The version that it holds.
    pub(super) gcc: Located<GccMajor>,
    url: String,
    sha256: String,
    directory: PathBuf,
    /// Starting at the directory.
    c: PathBuf,
    cxx: PathBuf,
    libraries: Vec<String>,
    suite: Suite,
    /// The hosts that its programs run on.
    host: Architecture,
}

/// What programs of a toolchain load: crosstool-NG's and Arch Linux ARM's are linked with these.
const LIBRARIES: [&str; 5] = ["libc6", "libstdc++6", "zlib1g", "libzstd1", "libgcc-s1"];

/// What these depend on without needing it: documentation, and tables of character sets.
const LEAVE_OUT: [&str; 2] = ["gcc-*-base", "libc-gconv-modules-extra"];

impl ToolchainSection {
    pub(super) fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Map(_) => Some(Self::Archive(Box::new(ArchiveSection::read(node, reader)?))),
            _ => Some(reader.located(node, word)?.value),
        }
    }
}

fn word(value: &Value) -> Result<ToolchainSection, Problem> {
    match value {
        Value::Text(text) if text == "packages" => Ok(ToolchainSection::Packages),
        Value::Text(text) => Err(SettingError::Word {
            key: "toolchain",
            found: text.clone(),
            known: &["packages"],
        }
        .into()),
        other => Err(values::kind("packages or an archive", other)),
    }
}

impl ArchiveSection {
    /// `None` if something is missing or wrong, which is noted then.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let mut fields = reader.fields(node, &keys::ARCHIVE);
        let url = fields.value("url", values::archive_url);
        let sha256 = fields.value("sha256", values::sha256);
        let directory = fields.located("directory", values::relative_path);
        let gcc = fields.located("gcc", values::number::<u64, _>);
        let c = fields.value("c", values::relative_path);
        let cxx = fields.value("c++", values::relative_path);
        let libraries = fields.list("libraries", values::package);
        let suite = fields.value("suite", values::setting);
        let host = fields.value("host", values::parsed);
        fields.close();
        let directory = directory?;
        let mut program = |named: Option<PathBuf>, end: &str| match named {
            Some(path) => Some(path),
            None => default_program(&directory, end, reader),
        };
        Some(Self {
            c: program(c, "gcc")?,
            cxx: program(cxx, "g++")?,
            gcc: gcc?,
            url: url?,
            sha256: sha256?,
            directory: directory.value,
            libraries: libraries.unwrap_or_else(|| LIBRARIES.map(str::to_owned).into()),
            suite: suite.unwrap_or(Suite::Stable),
            host: host.unwrap_or(Architecture::Amd64),
        })
    }

    /// `target` with the archive's version, which becomes its default.
    pub(super) fn added_to(&self, target: &Target) -> Target {
        let mut target = target.clone();
        target.default_gcc = self.gcc.value;
        let sources = target.gcc.entry(self.gcc.value).or_default();
        sources.set(self.host, self.source(&target.name));
        target
    }

    fn source(&self, target: &TargetName) -> GccSource {
        let installed = Path::new("/opt").join(format!("{target}-{}", self.gcc.value));
        GccSource {
            gcc_path: installed.join(&self.c),
            gxx_path: installed.join(&self.cxx),
            origin: Origin::Archive(ToolchainArchive {
                url: self.url.clone(),
                sha256: self.sha256.clone(),
                directory: self.directory.clone(),
                installed,
                suite: self.suite,
                libraries: self.libraries.clone(),
                leave_out: LEAVE_OUT.map(str::to_owned).into(),
            }),
        }
    }
}

/// `bin/<triple>-gcc`, where the folder has the triple's name as toolchains' makers call it.
fn default_program(
    directory: &Located<PathBuf>,
    end: &str,
    reader: &mut Reader<'_>,
) -> Option<PathBuf> {
    let Some(triple) = directory.value.file_name().and_then(|name| name.to_str()) else {
        reader.note(Problem::NamelessDirectory, directory.spot.node);
        return None;
    };
    Some(Path::new("bin").join(format!("{triple}-{end}")))
}
