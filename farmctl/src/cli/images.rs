//! The farm's images: what they hold comes from the manifest, which packages exactly from the lock.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use volunteer_toolchain::{Compiler, Toolchain};

use super::context::Context;
use super::{Exit, Failure};
use crate::converge::ImageSource;
use crate::engine::ImageArchive;
use crate::farm::{Farm, GccMajor, GccSource, Host, ImageTag, Origin, TargetName, Volunteer};
use crate::image::{
    APT_DIRECTORY, ArchiveSource, Assembler, CompilerSource, Error, Expiry, ImageRequest, Keyring,
    Lock, Mirror, Program, Settings, load_stream,
};
use crate::report::AssemblyReport;

/// Options of every command that may have to resolve or assemble images.
#[derive(Debug, Clone, Args)]
pub(super) struct ImageArgs {
    /// Take packages even from an index whose date of expiry has passed
    #[arg(long)]
    allow_expired: bool,
}

/// What happens to packages that the lock pins already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pins {
    /// They stay; only what is missing is resolved.
    Kept,
    /// They are resolved anew.
    Renewed,
}

/// The images of one host, with everything needed to assemble those that its engine lacks.
pub(super) struct Images {
    assembler: Assembler,
    requests: Vec<(ImageTag, ImageRequest)>,
    tags: BTreeMap<TargetName, ImageTag>,
    lock: Lock,
    lock_file: LockFile,
}

impl Images {
    /// Says which packages exactly every image is made of. No network is needed where the lock says it all.
    pub(super) async fn resolve(
        farm: &Farm,
        host: &Host,
        pins: Pins,
        args: &ImageArgs,
        context: &Context,
    ) -> Result<Self, Failure> {
        let lock_file = LockFile::read(context.lock_path()?)?;
        let known = match pins {
            Pins::Kept => lock_file.lock()?,
            Pins::Renewed => None,
        };
        let listener = Arc::new(AssemblyReport::new(Arc::clone(&context.report)));
        let assembler = Assembler::new(settings(farm, args, context)?, listener)?;
        let requests = host.volunteers.iter().map(request);
        let requests: Vec<_> = requests.collect::<Result<_, _>>()?;
        let lock = assembler.resolve(&requests, known.as_ref()).await?;
        let mut tags = BTreeMap::new();
        let mut tagged = Vec::new();
        for (volunteer, request) in host.volunteers.iter().zip(requests) {
            let tag = ImageTag::new(assembler.reference(&request, &lock)?);
            tags.insert(volunteer.target.name.clone(), tag.clone());
            tagged.push((tag, request));
        }
        Ok(Self {
            assembler,
            requests: tagged,
            tags,
            lock,
            lock_file,
        })
    }

    /// The image of every target.
    pub(super) fn tags(&self) -> &BTreeMap<TargetName, ImageTag> {
        &self.tags
    }

    /// Writes the lock file if it says something else; tells whether it did.
    pub(super) fn save_lock(&self) -> Result<bool, Failure> {
        self.lock_file.replace(&self.lock.to_string())
    }
}

impl ImageSource for Images {
    async fn archive(&self, tags: &[ImageTag]) -> Result<ImageArchive, Error> {
        let wanted = self.requests.iter().filter(|(tag, _)| tags.contains(tag));
        let wanted: Vec<_> = wanted.map(|(_, request)| request.clone()).collect();
        let images = self.assembler.assemble(&wanted, &self.lock).await?;
        Ok(Box::pin(load_stream(&images)))
    }
}

fn settings(farm: &Farm, args: &ImageArgs, context: &Context) -> Result<Settings, Failure> {
    let cache = context.cache_path()?;
    let mirror = Mirror::choose(
        farm.mirror.as_deref(),
        context.environment.mirror.as_deref(),
        Path::new(APT_DIRECTORY),
    );
    let own = std::env::current_exe().context("cannot find the program that is running");
    let own = own.map_err(|error| Failure::new(Exit::Failed, error, None))?;
    Ok(Settings {
        mirror: mirror.map_err(Error::from)?,
        program: Program::at(&own, &cache).map_err(Error::from)?,
        cache,
        keyring: match &context.environment.keyring {
            Some(path) => Keyring::read(path).map_err(Error::from)?,
            None => Keyring::debian(),
        },
        expiry: if args.allow_expired {
            Expiry::Allow
        } else {
            Expiry::Refuse
        },
    })
}

fn request(volunteer: &Volunteer) -> Result<ImageRequest, Error> {
    let target = &volunteer.target;
    let versions: Vec<_> = volunteer
        .gcc
        .iter()
        .filter_map(|major| Some((*major, target.gcc.get(major)?)))
        .collect();
    Ok(ImageRequest {
        toolchain: Toolchain {
            target: target.name.to_string(),
            triples: target.triples.clone(),
            object: target.object.clone(),
            defaults: target.defaults.clone(),
            compilers: versions.iter().map(compiler).collect(),
            headers: volunteer.headers,
        },
        sources: versions
            .iter()
            .map(|version| compiler_source(version, volunteer.headers))
            .collect::<Result<_, _>>()?,
    })
}

fn compiler((major, source): &(GccMajor, &GccSource)) -> Compiler {
    Compiler {
        major: major.number(),
        gcc: source.gcc_path.clone(),
        gxx: source.gxx_path.clone(),
    }
}

fn compiler_source(
    (major, source): &(GccMajor, &GccSource),
    with_headers: bool,
) -> Result<CompilerSource, Error> {
    let major = major.number();
    Ok(match &source.origin {
        Origin::Packages(packages) => CompilerSource {
            major,
            suite: packages.suite.as_str().to_owned(),
            packages: packages.packages.clone(),
            leave_out: packages.leave_out.clone(),
            headers: if with_headers {
                packages.headers.clone()
            } else {
                Vec::new()
            },
            archive: None,
        },
        Origin::Archive(archive) => CompilerSource {
            major,
            suite: archive.suite.as_str().to_owned(),
            packages: archive.libraries.clone(),
            leave_out: archive.leave_out.clone(),
            headers: Vec::new(),
            archive: Some(ArchiveSource::new(
                &archive.url,
                &archive.sha256,
                &archive.directory,
                &archive.installed,
            )?),
        },
    })
}

/// The lock's file and what it held when the command began.
struct LockFile {
    path: PathBuf,
    text: Option<String>,
}

impl LockFile {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self {
                path,
                text: Some(text),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { path, text: None }),
            Err(error) => Err(unusable(&path, error)),
        }
    }

    fn lock(&self) -> Result<Option<Lock>, Failure> {
        Ok(self
            .text
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(Error::from)?)
    }

    /// Writes beside and renames, so that an interrupted command leaves the old lock or the new one.
    fn replace(&self, text: &str) -> Result<bool, Failure> {
        if self.text.as_deref() == Some(text) {
            return Ok(false);
        }
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()).map(|()| file))
            .and_then(|file| file.persist(&self.path).map_err(|error| error.error))
            .map_err(|error| unusable(&self.path, error))?;
        Ok(true)
    }
}

fn unusable(path: &Path, error: io::Error) -> Failure {
    let error =
        anyhow::Error::from(error).context(format!("cannot use the lock {}", path.display()));
    Failure::new(Exit::Failed, error, None)
}

/// For commands whose plans load nothing.
pub(super) struct NoImages;

impl ImageSource for NoImages {
    async fn archive(&self, _tags: &[ImageTag]) -> Result<ImageArchive, Error> {
        Ok(Box::pin(futures_util::stream::empty()))
    }
}
