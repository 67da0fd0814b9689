//! The farm's images: what they hold comes from the manifest, which packages exactly from the lock, and for which machines
//! from the hosts ([`machines`]).

mod machines;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::sync::Mutex;

use super::context::Context;
use super::fleet::Member;
use super::image_request::image_request;
use super::lock_file::LockFile;
use super::programs::programs;
use super::{Exit, Failure};
use crate::converge::ImageSource;
use crate::engine::ImageArchive;
use crate::farm::{
    self, Architecture, Farm, Host, HostName, ImageReference, ImageTag, TargetName, Volunteer,
};
use crate::image::{
    APT_DIRECTORY, ArchiveSource, Assembler, Error, Expiry, Fetched, Image, ImageRequest, Keyring,
    KnownLock, KnownLocks, Lease, Lock, LockedPackage, Mirror, Settings, load_stream,
};
use crate::report::AssemblyReport;

pub(super) use machines::{Machines, wanted_requests};

/// Options of every command that may have to resolve or assemble images.
#[derive(Debug, Clone, Args)]
pub(super) struct ImageArgs {
    /// Take packages even from an index whose date of expiry has passed
    #[arg(long)]
    allow_expired: bool,
}

/// What happens to packages that the lock pins already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pins {
    /// They stay; only what is missing is resolved.
    Kept,
    /// They are resolved anew.
    Renewed,
    /// Those of these targets are resolved anew.
    RenewedFor(Vec<TargetName>),
}

/// The image of one target on one host.
#[derive(Debug, Clone)]
pub(super) struct TargetImage {
    pub(super) host: HostName,
    pub(super) target: TargetName,
    pub(super) tag: ImageTag,
    pub(super) origin: ImageOrigin,
}

/// What an image is made of, besides this program.
pub(super) struct MadeOf {
    pub(super) tag: ImageTag,
    pub(super) host: Architecture,
    pub(super) packages: Vec<LockedPackage>,
    pub(super) archives: Vec<ArchiveSource>,
}

/// Where an image comes from if the engine lacks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageOrigin {
    /// It is assembled.
    Assembled,
    /// It is pulled.
    Registry,
    /// From nowhere.
    Nowhere,
}

/// The images of a farm, with everything needed to assemble those that its engines lack.
///
/// Hosts share what is the same for them: it is resolved once, assembled once, and loaded into each engine that lacks
/// it.
pub(super) struct Images {
    assembler: Assembler,
    /// What images that are named by what they are made from are made from.
    requests: BTreeMap<ImageTag, ImageRequest>,
    /// In the order of the hosts, and of each one's volunteers.
    all: Vec<TargetImage>,
    /// Hosts whose images cannot be named, and why with what helps: there may be no compiler or no program for them.
    unnamed: BTreeMap<HostName, (String, Option<String>)>,
    /// Those that this command has assembled.
    assembled: Mutex<BTreeMap<ImageTag, Image>>,
    lock: Lock,
    lock_file: LockFile,
    farm: String,
    cache: PathBuf,
    /// Where the cache cannot be written nobody else clears it up either.
    _lease: Option<Lease>,
}

impl Images {
    /// Says which packages exactly every image of the farm is made of, whichever hosts a command is about: there is one
    /// lock for all. No network is needed where the lock says it all.
    pub(super) async fn resolve(
        farm: &Farm,
        machines: &Machines,
        pins: Pins,
        args: &ImageArgs,
        context: &Context,
    ) -> Result<Self, Failure> {
        let lock_file = LockFile::read(context.lock_path()?)?;
        let old = lock_file.lock();
        let wanted = wanted_requests(farm, machines, old.as_ref().ok().and_then(Option::as_ref))?;
        let known = match pins {
            Pins::Kept => old?,
            Pins::Renewed => None,
            Pins::RenewedFor(targets) => {
                let targets: Vec<_> = targets.iter().map(TargetName::as_str).collect();
                old?.map(|lock| lock.without(&targets))
            }
        };
        let cache = context.cache_path()?;
        let lease = Lease::shared(&cache).ok();
        let listener = Arc::new(AssemblyReport::new(Arc::clone(&context.report)));
        let assembler = Assembler::new(settings(farm, args, context)?, listener)?;
        let lock = assembler.resolve(&wanted, known.as_ref()).await?;
        let mut images = Self {
            assembler,
            requests: BTreeMap::new(),
            all: Vec::new(),
            unnamed: BTreeMap::new(),
            assembled: Mutex::default(),
            lock,
            lock_file,
            farm: farm.name.to_string(),
            cache,
            _lease: lease,
        };
        for host in &farm.hosts {
            match images.name(host, machines) {
                Err(failure) if farm.hosts.len() > 1 => images.miss(host, &failure),
                named => named?,
            }
        }
        Ok(images)
    }

    /// Others can go on without.
    fn miss(&mut self, host: &Host, failure: &Failure) {
        let why = (failure.on_one_line(), failure.first_hint());
        self.unnamed.insert(host.name.clone(), why);
    }

    /// Whether every image of `host` is known.
    pub(super) fn check(&self, host: &HostName) -> Result<(), Failure> {
        let Some((why, hint)) = self.unnamed.get(host) else {
            return Ok(());
        };
        let error = anyhow::anyhow!("{why}");
        Err(Failure::new(Exit::Failed, error, hint.clone()))
    }

    /// Gives every image of `host` its name.
    fn name(&mut self, host: &Host, machines: &Machines) -> Result<(), Failure> {
        for volunteer in &host.volunteers {
            let origin = match &volunteer.image {
                farm::ImageSource::Pull(reference) => {
                    self.add(
                        host,
                        volunteer,
                        pulled_tag(reference),
                        ImageOrigin::Registry,
                    );
                    continue;
                }
                farm::ImageSource::Never => ImageOrigin::Nowhere,
                farm::ImageSource::Assemble => ImageOrigin::Assembled,
            };
            for architecture in machines.architectures(host, volunteer, Some(&self.lock)) {
                let request = image_request(volunteer, architecture)?;
                let tag = ImageTag::new(self.assembler.reference(&request, &self.lock)?);
                self.requests.insert(tag.clone(), request);
                self.add(host, volunteer, tag, origin);
            }
        }
        Ok(())
    }

    fn add(&mut self, host: &Host, volunteer: &Volunteer, tag: ImageTag, origin: ImageOrigin) {
        self.all.push(TargetImage {
            host: host.name.clone(),
            target: volunteer.target.name.clone(),
            tag,
            origin,
        });
    }

    /// The image of every target of `host`.
    pub(super) fn tags(&self, host: &HostName) -> BTreeMap<TargetName, ImageTag> {
        let of_host = self.all.iter().filter(|image| image.host == *host);
        of_host
            .map(|image| (image.target.clone(), image.tag.clone()))
            .collect()
    }

    /// The images of what `member` is about, in the manifest's order.
    pub(super) fn of(&self, member: &Member) -> Vec<&TargetImage> {
        let targets = &member.targets;
        let is_chosen = |image: &&TargetImage| {
            image.host == member.host.name
                && (targets.is_empty() || targets.contains(&image.target))
        };
        self.all.iter().filter(is_chosen).collect()
    }

    /// The images of what `members` are about, those that they share only once.
    pub(super) fn shared_by(&self, members: &[Member]) -> Vec<&TargetImage> {
        let mut shared: Vec<&TargetImage> = Vec::new();
        for image in members.iter().flat_map(|member| self.of(member)) {
            if !shared.iter().any(|known| known.tag == image.tag) {
                shared.push(image);
            }
        }
        shared
    }

    /// The lock as it is now.
    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// The lock's file, as it was.
    pub(super) fn lock_file(&self) -> &LockFile {
        &self.lock_file
    }

    /// Writes the lock file if it says something else; tells whether it did.
    pub(super) fn save_lock(&self) -> Result<bool, Failure> {
        let changed = self.lock_file.replace(&self.lock.to_string())?;
        let noted = KnownLocks::new(&self.cache).remember(&self.known_lock()?);
        if let Err(error) = noted {
            tracing::debug!(%error, "the use of the lock is not noted");
        }
        Ok(changed)
    }

    /// What the lock stands for, for those who clear up.
    pub(super) fn known_lock(&self) -> Result<KnownLock, Failure> {
        let named = self.all.iter();
        let named = named.filter(|image| image.origin != ImageOrigin::Registry);
        let named = named.map(|image| image.tag.to_string()).collect();
        let mut layers = BTreeSet::new();
        for request in self.requests.values() {
            layers.extend(self.assembler.layer_keys(request, &self.lock)?);
        }
        let lock = self.lock_file.absolute_path();
        Ok(KnownLock::new(&self.farm, lock, named, layers))
    }

    /// What `images` are made of, as far as they are named by that.
    pub(super) fn made_of(&self, images: &[&TargetImage]) -> Result<Vec<MadeOf>, Failure> {
        let mut made = Vec::new();
        for image in images {
            let Some(request) = self.requests.get(&image.tag) else {
                continue;
            };
            let packages = self.lock.packages_of(request).map_err(Error::from)?;
            let sources = request.sources.iter();
            made.push(MadeOf {
                tag: image.tag.clone(),
                host: request.architecture,
                packages: packages.into_iter().cloned().collect(),
                archives: sources
                    .filter_map(|source| source.archive.clone())
                    .collect(),
            });
        }
        Ok(made)
    }

    /// Downloads what the assembled ones of `images` are made from.
    pub(super) async fn fetch(&self, images: &[&TargetImage]) -> Result<Vec<Fetched>, Failure> {
        let images = images.iter();
        let assembled = images.filter(|image| image.origin == ImageOrigin::Assembled);
        let tags: Vec<_> = assembled.map(|image| &image.tag).collect();
        Ok(self
            .assembler
            .fetch(&self.made_for(&tags), &self.lock)
            .await?)
    }

    /// What goes into the images of `tags`, each one once, in the manifest's order.
    fn made_for(&self, tags: &[&ImageTag]) -> Vec<ImageRequest> {
        let mut named: Vec<&ImageTag> = Vec::new();
        for TargetImage { tag, .. } in &self.all {
            if tags.contains(&tag) && !named.contains(&tag) {
                named.push(tag);
            }
        }
        let requests = named.into_iter().filter_map(|tag| self.requests.get(tag));
        requests.cloned().collect()
    }

    /// Assembles those of `tags` that are to be assembled. Who asks meanwhile waits, so that nothing is assembled twice.
    pub(super) async fn assemble(&self, tags: &[ImageTag]) -> Result<Vec<Image>, Error> {
        let mut assembled = self.assembled.lock().await;
        let missing: Vec<_> = tags
            .iter()
            .filter(|tag| !assembled.contains_key(*tag))
            .collect();
        if !missing.is_empty() {
            let missing = self.made_for(&missing);
            for image in self.assembler.assemble(&missing, &self.lock).await? {
                assembled.insert(ImageTag::new(image.reference.clone()), image);
            }
        }
        let wanted = tags.iter().filter_map(|tag| assembled.get(tag).cloned());
        Ok(wanted.collect())
    }
}

impl ImageSource for Images {
    async fn archive(&self, tags: &[ImageTag]) -> Result<ImageArchive, Error> {
        let images = self.assemble(tags).await?;
        Ok(Box::pin(load_stream(&images)))
    }
}

/// As engines take it: a name without a tag would mean every tag there is.
fn pulled_tag(reference: &ImageReference) -> ImageTag {
    let text = reference.as_str();
    let name = text.rsplit('/').next().unwrap_or(text);
    ImageTag::new(if name.contains([':', '@']) {
        text.to_owned()
    } else {
        format!("{text}:latest")
    })
}

fn settings(farm: &Farm, args: &ImageArgs, context: &Context) -> Result<Settings, Failure> {
    let cache = context.cache_path()?;
    let mirror = Mirror::choose(
        farm.mirror.as_deref(),
        context.environment.mirror.as_deref(),
        Path::new(APT_DIRECTORY),
    );
    Ok(Settings {
        mirror: mirror.map_err(Error::from)?,
        programs: programs(&context.environment, &cache)?,
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

/// For commands whose plans load nothing.
pub(super) struct NoImages;

impl ImageSource for NoImages {
    async fn archive(&self, _tags: &[ImageTag]) -> Result<ImageArchive, Error> {
        Ok(Box::pin(futures_util::stream::empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_without_a_tag_means_the_latest() {
        let cases = [
            (
                "registry.lan:5000/armv7h",
                "registry.lan:5000/armv7h:latest",
            ),
            ("registry.lan/armv7h:3", "registry.lan/armv7h:3"),
            ("armv7h@sha256:00", "armv7h@sha256:00"),
        ];
        for (reference, tag) in cases {
            let reference: ImageReference = reference.parse().unwrap();
            assert_eq!(pulled_tag(&reference).as_str(), tag);
        }
    }
}
