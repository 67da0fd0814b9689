//! The farm's images: what they hold comes from the manifest, which packages exactly from the lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::Failure;
use super::context::Context;
use super::image_request::image_request;
use super::lock_file::LockFile;
use super::programs::programs;
use crate::converge::ImageSource;
use crate::engine::ImageArchive;
use crate::farm::{self, Architecture, Farm, Host, ImageReference, ImageTag, TargetName};
use crate::image::{
    APT_DIRECTORY, Assembler, Error, Expiry, Fetched, Image, ImageRequest, Keyring, KnownLock,
    KnownLocks, Lease, Lock, Mirror, Settings, load_stream,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pins {
    /// They stay; only what is missing is resolved.
    Kept,
    /// They are resolved anew.
    Renewed,
    /// Those of these targets are resolved anew.
    RenewedFor(Vec<TargetName>),
}

/// The image of one target.
pub(super) struct TargetImage {
    pub(super) target: TargetName,
    pub(super) tag: ImageTag,
    pub(super) origin: ImageOrigin,
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

/// The images of one host, with everything needed to assemble those that its engine lacks.
pub(super) struct Images {
    assembler: Assembler,
    /// Of the images that are named by what they are made from.
    requests: BTreeMap<TargetName, ImageRequest>,
    all: Vec<TargetImage>,
    tags: BTreeMap<TargetName, ImageTag>,
    lock: Lock,
    lock_file: LockFile,
    farm: String,
    cache: PathBuf,
    /// Where the cache cannot be written nobody else clears it up either.
    _lease: Option<Lease>,
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
            Pins::RenewedFor(targets) => {
                let targets: Vec<_> = targets.iter().map(TargetName::as_str).collect();
                lock_file.lock()?.map(|lock| lock.without(&targets))
            }
        };
        let cache = context.cache_path()?;
        let lease = Lease::shared(&cache).ok();
        let listener = Arc::new(AssemblyReport::new(Arc::clone(&context.report)));
        let assembler = Assembler::new(settings(farm, args, context)?, listener)?;
        let mut requests = BTreeMap::new();
        for volunteer in &host.volunteers {
            if !matches!(volunteer.image, farm::ImageSource::Pull(_)) {
                requests.insert(
                    volunteer.target.name.clone(),
                    image_request(volunteer, Architecture::own())?,
                );
            }
        }
        let wanted: Vec<_> = requests.values().cloned().collect();
        let lock = assembler.resolve(&wanted, known.as_ref()).await?;
        let mut images = Vec::new();
        for volunteer in &host.volunteers {
            let target = volunteer.target.name.clone();
            let own_tag =
                |request| Ok::<_, Error>(ImageTag::new(assembler.reference(request, &lock)?));
            let (tag, origin) = match (&volunteer.image, requests.get(&target)) {
                (farm::ImageSource::Pull(reference), _) => {
                    (pulled_tag(reference), ImageOrigin::Registry)
                }
                (farm::ImageSource::Never, Some(request)) => {
                    (own_tag(request)?, ImageOrigin::Nowhere)
                }
                (_, Some(request)) => (own_tag(request)?, ImageOrigin::Assembled),
                (_, None) => continue,
            };
            images.push(TargetImage {
                target,
                tag,
                origin,
            });
        }
        let tags = images
            .iter()
            .map(|image| (image.target.clone(), image.tag.clone()));
        Ok(Self {
            tags: tags.collect(),
            assembler,
            requests,
            all: images,
            lock,
            lock_file,
            farm: farm.name.to_string(),
            cache,
            _lease: lease,
        })
    }

    /// The image of every target.
    pub(super) fn tags(&self) -> &BTreeMap<TargetName, ImageTag> {
        &self.tags
    }

    /// The images of `targets`, or all of them if there are none, in the manifest's order.
    pub(super) fn of(&self, targets: &[TargetName]) -> Vec<&TargetImage> {
        let is_chosen =
            |image: &&TargetImage| targets.is_empty() || targets.contains(&image.target);
        self.all.iter().filter(is_chosen).collect()
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
        let mut layers = std::collections::BTreeSet::new();
        for request in self.requests.values() {
            layers.extend(self.assembler.layer_keys(request, &self.lock)?);
        }
        let lock = self.lock_file.absolute_path();
        Ok(KnownLock::new(&self.farm, lock, named, layers))
    }

    /// Downloads what the images of `targets` are made from.
    pub(super) async fn fetch(&self, targets: &[TargetName]) -> Result<Vec<Fetched>, Failure> {
        let wanted = self.of(targets).into_iter();
        let wanted = wanted.filter(|image| image.origin == ImageOrigin::Assembled);
        let wanted: Vec<_> = wanted
            .filter_map(|image| self.requests.get(&image.target).cloned())
            .collect();
        Ok(self.assembler.fetch(&wanted, &self.lock).await?)
    }

    /// Assembles those of `tags` that are to be assembled.
    pub(super) async fn assemble(&self, tags: &[ImageTag]) -> Result<Vec<Image>, Error> {
        let wanted = self
            .all
            .iter()
            .filter(|image| image.origin == ImageOrigin::Assembled && tags.contains(&image.tag));
        let wanted: Vec<_> = wanted
            .filter_map(|image| self.requests.get(&image.target).cloned())
            .collect();
        self.assembler.assemble(&wanted, &self.lock).await
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
