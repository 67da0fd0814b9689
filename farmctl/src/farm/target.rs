//! Targets: what a volunteer can compile for, and where its compilers come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use volunteer_toolchain::ObjectFacts;

use super::{Architecture, GccMajor, Port, SettingError, TargetName};

/// An architecture to compile for, as one file of `toolchains/` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The canonical name.
    pub name: TargetName,
    /// Other names people use for it.
    pub aliases: Vec<String>,
    /// The port that masters of this target dial.
    pub port: Port,
    /// makepkg's `CARCH` on boards of this target.
    pub carch: String,
    /// Every triple by which a master may name this target.
    pub triples: Vec<String>,
    /// What every object must be.
    pub object: ObjectFacts,
    /// Code generation options of the boards' own compiler, put before the client's.
    pub defaults: Vec<String>,
    /// The GCC versions to be had, and where from; never empty.
    pub gcc: BTreeMap<GccMajor, GccSources>,
    /// The version installed when the manifest names none; a key of `gcc`.
    pub default_gcc: GccMajor,
}

impl Target {
    /// Where a GCC version comes from on a host.
    ///
    /// # Errors
    ///
    /// The version is not to be had for hosts of this kind.
    pub fn gcc_on(&self, host: Architecture, version: GccMajor) -> Result<&GccSource, NotOnHost> {
        let source = self.gcc.get(&version).and_then(|sources| sources.on(host));
        source.ok_or_else(|| NotOnHost {
            target: self.name.clone(),
            version,
            host,
            known: self.versions_on(host),
        })
    }

    fn versions_on(&self, host: Architecture) -> Vec<GccMajor> {
        let there = self
            .gcc
            .iter()
            .filter(|(_, sources)| sources.on(host).is_some());
        there.map(|(version, _)| *version).collect()
    }
}

/// A compiler that no host of a kind can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no GCC {version} for {target} that runs on {host} hosts")]
pub struct NotOnHost {
    /// What it should compile for.
    pub target: TargetName,
    /// Its version.
    pub version: GccMajor,
    /// Where it should run.
    pub host: Architecture,
    /// The versions that hosts of this kind can have.
    pub known: Vec<GccMajor>,
}

impl NotOnHost {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let known: Vec<_> = self.known.iter().map(ToString::to_string).collect();
        if known.is_empty() {
            format!(
                "leave {} out of the `targets:` of {} hosts",
                self.target, self.host
            )
        } else {
            format!(
                "the versions for {} hosts are {}: name one as `gcc:`, or leave {} out of the host's `targets:`",
                self.host,
                known.join(", "),
                self.target
            )
        }
    }
}

/// Where one GCC version of a target comes from, for each kind of host that can have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GccSources {
    by_host: BTreeMap<Architecture, GccSource>,
}

impl GccSources {
    /// Where it comes from on hosts of this kind; `None` if it is not to be had for them.
    pub fn on(&self, host: Architecture) -> Option<&GccSource> {
        self.by_host.get(&host)
    }

    /// Every kind of host that can have it, with its source.
    pub fn iter(&self) -> impl Iterator<Item = (Architecture, &GccSource)> {
        self.by_host.iter().map(|(host, source)| (*host, source))
    }

    /// Has it come from `source` on hosts of this kind.
    pub fn set(&mut self, host: Architecture, source: GccSource) {
        self.by_host.insert(host, source);
    }
}

/// Where one GCC version of a target comes from on one kind of host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GccSource {
    /// What it is installed from.
    pub origin: Origin,
    /// The C driver inside the image, an absolute path.
    pub gcc_path: PathBuf,
    /// The C++ driver inside the image, an absolute path.
    pub gxx_path: PathBuf,
}

/// What a compiler is installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Packages of the Debian archive.
    Packages(Packages),
    /// One archive of a whole toolchain, such as Arch Linux ARM's x-tools or what crosstool-NG makes.
    Archive(ToolchainArchive),
}

/// Packages of the Debian archive that hold a compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    /// The suite of the Debian archive that carries it.
    pub suite: Suite,
    /// The packages that install the compilers; their dependencies follow by themselves.
    pub packages: Vec<String>,
    /// Package name patterns (`*` matches any text) that a compile-only image does without.
    pub leave_out: Vec<String>,
    /// The packages that install the headers of the C and C++ library; they come alone.
    pub headers: Vec<String>,
}

/// An archive that holds a whole toolchain for this kind of machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolchainArchive {
    /// Where it is: `http://…`, or `file:///…` for one that was fetched by other means.
    pub url: String,
    /// Its SHA-256, in 64 hexadecimal digits.
    pub sha256: String,
    /// The folder inside the archive that holds `bin/`; relative, and empty for the archive's top.
    pub directory: PathBuf,
    /// Where the image has that folder; absolute. The compilers' paths lie below it.
    pub installed: PathBuf,
    /// The suite that carries `libraries`.
    pub suite: Suite,
    /// Debian packages with the shared libraries that its programs need on this kind of machine; their dependencies
    /// follow by themselves.
    pub libraries: Vec<String>,
    /// Package name patterns (`*` matches any text) that a compile-only image does without.
    pub leave_out: Vec<String>,
}

impl GccSource {
    /// Whether the headers of the C and C++ library can be installed.
    pub fn has_headers(&self) -> bool {
        match &self.origin {
            Origin::Packages(packages) => !packages.headers.is_empty(),
            Origin::Archive(_) => false,
        }
    }
}

/// A suite of the Debian archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// The current release; its index never expires.
    Stable,
    /// The next release; its index expires after a week.
    Testing,
}

impl Suite {
    /// Every suite, as a manifest writes it.
    pub const WORDS: &'static [&'static str] = &["stable", "testing"];

    /// The suite's name in the archive, under `dists/`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Testing => "testing",
        }
    }
}

impl FromStr for Suite {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "stable" => Ok(Self::Stable),
            "testing" => Ok(Self::Testing),
            _ => Err(SettingError::Word {
                key: "suite",
                found: text.to_owned(),
                known: Self::WORDS,
            }),
        }
    }
}
