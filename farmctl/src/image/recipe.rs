//! Which layers an image has, and which packages each is made from: all known from the lock, before any work.

use volunteer_toolchain::Compiler;

use super::Error;
use super::digest::{FieldHash, Sha256};
use super::lock::{Lock, LockedPackage};
use super::package::{CompilerFiles, ImagePath, Keep, Part};
use super::request::{CompilerSource, ImageRequest};
use super::tarball::ArchiveSource;
use crate::farm::Architecture;

/// Changes whenever the same packages would give other layers.
pub(super) const LAYOUT: &str = "1";

/// How to make the layers of an image that come from packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImageRecipe {
    pub(super) compilers: Vec<CompilerRecipe>,
    pub(super) support: SupportRecipe,
    /// If the image is to have them.
    pub(super) headers: Option<HeadersRecipe>,
}

/// How to make the layer of one GCC version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompilerRecipe {
    pub(super) key: Sha256,
    pub(super) major: u32,
    pub(super) gcc: ImagePath,
    pub(super) gxx: ImagePath,
    /// The hosts that it runs on.
    pub(super) host: Architecture,
    pub(super) content: CompilerContent,
}

/// What a compiler is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CompilerContent {
    Packages(Vec<(LockedPackage, CompilerFiles)>),
    Archive(ArchiveSource),
}

impl CompilerContent {
    /// The packages, if it is made of any.
    pub(super) fn packages(&self) -> impl Iterator<Item = &LockedPackage> {
        let packages = match self {
            Self::Packages(packages) => packages.as_slice(),
            Self::Archive(_) => &[],
        };
        packages.iter().map(|(package, _files)| package)
    }

    /// The archive, if it is one.
    pub(super) fn archive(&self) -> Option<&ArchiveSource> {
        match self {
            Self::Packages(_) => None,
            Self::Archive(archive) => Some(archive),
        }
    }
}

/// How to make the layers below the compilers: the libraries they need, and the assembler with what only it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SupportRecipe {
    /// The target, for messages.
    pub(super) name: String,
    pub(super) libraries_key: Sha256,
    pub(super) assembler_key: Sha256,
    pub(super) packages: Vec<(LockedPackage, Keep)>,
    /// Whether the packages must bring an assembler: archives have their own.
    pub(super) brings_assembler: bool,
}

/// How to make the layer of the C and C++ library's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadersRecipe {
    /// The target, for messages.
    pub(super) name: String,
    pub(super) key: Sha256,
    pub(super) packages: Vec<LockedPackage>,
}

impl ImageRecipe {
    /// Of all its layers.
    pub(super) fn keys(&self) -> Vec<Sha256> {
        let compilers = self.compilers.iter().map(|compiler| compiler.key);
        let support = [self.support.libraries_key, self.support.assembler_key];
        let headers = self.headers.iter().map(|headers| headers.key);
        compilers.chain(support).chain(headers).collect()
    }

    /// Every package that it is made from.
    pub(super) fn packages(&self) -> impl Iterator<Item = &LockedPackage> {
        let compilers = self.compilers.iter();
        let compilers = compilers.flat_map(|compiler| compiler.content.packages());
        let support = self.support.packages.iter().map(|(package, _keep)| package);
        let headers = self.headers.iter().flat_map(|headers| &headers.packages);
        compilers.chain(support).chain(headers)
    }

    pub(super) fn new(image: &ImageRequest, lock: &Lock) -> Result<Self, Error> {
        let packages = lock.packages_of(image)?;
        let compilers = image
            .toolchain
            .compilers
            .iter()
            .zip(&image.sources)
            .map(|(compiler, source)| {
                CompilerRecipe::new(image.architecture, compiler, source, &packages)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let target = &image.toolchain.target;
        let wanted = image.toolchain.headers;
        Ok(Self {
            support: SupportRecipe::new(target, &compilers, &packages),
            headers: wanted.then(|| HeadersRecipe::new(target, &packages)),
            compilers,
        })
    }
}

impl CompilerRecipe {
    fn new(
        host: Architecture,
        compiler: &Compiler,
        source: &CompilerSource,
        packages: &[&LockedPackage],
    ) -> Result<Self, Error> {
        let gcc = driver(compiler, &compiler.gcc)?;
        let gxx = driver(compiler, &compiler.gxx)?;
        let key = FieldHash::new("compiler")
            .field(LAYOUT)
            .field(gcc.as_str())
            .field(gxx.as_str());
        if let Some(archive) = &source.archive {
            let key = key.field("archive").field(host.as_str());
            let key = archive.identify(key.field(compiler.major.to_string()));
            return Ok(Self {
                key: key.finish(),
                major: compiler.major,
                gcc,
                gxx,
                host,
                content: CompilerContent::Archive(archive.clone()),
            });
        }
        let packages: Vec<_> = packages
            .iter()
            .filter(|package| Part::of(&package.name) == Part::Compiler(compiler.major))
            .filter_map(|package| {
                Some((
                    (*package).clone(),
                    CompilerFiles::new(&package.name, &gcc, &gxx)?,
                ))
            })
            .collect();
        let digests = packages.iter().map(|(package, _files)| &package.sha256);
        let key = digests.fold(key, FieldHash::digest).finish();
        Ok(Self {
            key,
            major: compiler.major,
            gcc,
            gxx,
            host,
            content: CompilerContent::Packages(packages),
        })
    }
}

fn driver(compiler: &Compiler, path: &std::path::Path) -> Result<ImagePath, Error> {
    let text = path.to_string_lossy();
    ImagePath::from_absolute(&text).map_err(|source| Error::Driver {
        gcc: compiler.major,
        source,
    })
}

impl SupportRecipe {
    /// Which libraries are needed depends on the compilers and on the assembler, so the keys cover all of them.
    fn new(target: &str, compilers: &[CompilerRecipe], packages: &[&LockedPackage]) -> Self {
        let packages: Vec<_> = packages
            .iter()
            .filter_map(|package| {
                let keep = match Part::of(&package.name) {
                    Part::Assembler => Keep::Assembler,
                    Part::Libraries => Keep::Libraries,
                    Part::Compiler(_) | Part::Headers => return None,
                };
                Some(((*package).clone(), keep))
            })
            .collect();
        let key = |about: &str| {
            let compilers = compilers.iter().map(|compiler| &compiler.key);
            let packages = packages.iter().map(|(package, _keep)| &package.sha256);
            let start = FieldHash::new(about).field(LAYOUT);
            compilers
                .chain(packages)
                .fold(start, FieldHash::digest)
                .finish()
        };
        Self {
            name: target.to_owned(),
            libraries_key: key("libraries"),
            assembler_key: key("assembler"),
            brings_assembler: compilers
                .iter()
                .any(|compiler| compiler.content.archive().is_none()),
            packages,
        }
    }
}

impl HeadersRecipe {
    fn new(target: &str, packages: &[&LockedPackage]) -> Self {
        let of_headers = |package: &&&LockedPackage| Part::of(&package.name) == Part::Headers;
        let packages: Vec<_> = packages
            .iter()
            .filter(of_headers)
            .map(|package| (*package).clone())
            .collect();
        let start = FieldHash::new("headers").field(LAYOUT);
        let key = packages
            .iter()
            .map(|package| &package.sha256)
            .fold(start, FieldHash::digest);
        Self {
            name: target.to_owned(),
            key: key.finish(),
            packages,
        }
    }
}
