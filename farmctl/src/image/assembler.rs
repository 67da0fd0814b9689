//! The way from requests to images, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::try_join_all;
use volunteer_toolchain::TOOLCHAIN_PATH;

use super::archive::{self, Expiry, Keyring, Stock, Trust, Wanted};
use super::blocking::blocking;
use super::digest::Sha256;
use super::fetch::{Cache, Fetcher};
use super::fingerprint::{Fingerprint, toolchain_json};
use super::image::{DAEMON_PATH, Image};
use super::layer::{Layer, LayerStore};
use super::lock::Lock;
use super::make::{Fetched, LayerMaker, PackageLayers};
use super::mirror::Mirror;
use super::package::{ImagePath, Node, Tree};
use super::progress::{Listener, Progress};
use super::recipe::ImageRecipe;
use super::request::{CompilerSource, ImageRequest};
use super::{Error, Program, Programs};
use crate::farm::{Architecture, REPOSITORIES};

/// The label of every assembled image that says its own name and tag: where it disagrees with the tag that an engine
/// gave, somebody moved the tag.
pub const IMAGE_LABEL: &str = "farmctl.image";

/// What an assembler works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where packages come from.
    pub mirror: Mirror,
    /// The cache directory, such as `~/.cache/farmctl`. Created when something has to be kept.
    pub cache: PathBuf,
    /// Whose signatures on the archive's index count.
    pub keyring: Keyring,
    /// What to do with an expired index.
    pub expiry: Expiry,
    /// The binaries that become the daemon inside.
    pub programs: Programs,
}

/// Assembles images.
pub struct Assembler {
    settings: Settings,
    fetcher: Fetcher,
    store: LayerStore,
    listener: Listener,
}

impl Assembler {
    /// Sets up an assembler that reports to `listener`. Touches neither network nor disk.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be set up.
    pub fn new(settings: Settings, listener: Arc<dyn Progress>) -> Result<Self, Error> {
        let cache = Cache::new(settings.cache.clone());
        let store = LayerStore::new(cache.folder("layers"));
        let fetcher = Fetcher::new(cache, &listener)?;
        Ok(Self {
            settings,
            fetcher,
            store,
            listener,
        })
    }

    /// Pins the packages of every toolchain of `images`.
    ///
    /// What `lock` pins stays as it is; what it lacks is resolved against the archive; what `images` do not ask for is
    /// dropped. A lock that covers everything needs no network. To take the archive's current packages, give none.
    ///
    /// # Errors
    ///
    /// The archive is out of reach or not to be believed, or lacks a package.
    pub async fn resolve(
        &self,
        images: &[ImageRequest],
        lock: Option<&Lock>,
    ) -> Result<Lock, Error> {
        let mut resolved = lock.map_or_else(Lock::default, |lock| lock.restricted_to(images));
        let mut open: BTreeMap<Stock, Vec<(&ImageRequest, &CompilerSource)>> = BTreeMap::new();
        for image in images {
            for source in &image.sources {
                if resolved.pins(image, source) {
                    continue;
                }
                if source.packages.is_empty() {
                    // An archive whose programs are linked statically needs nothing from elsewhere.
                    resolved.pin(image, source, vec![]);
                } else {
                    let stock = Stock {
                        suite: source.suite.clone(),
                        architecture: image.architecture,
                    };
                    let waiting = open.entry(stock).or_default();
                    let target = &image.toolchain.target;
                    let waits = waiting.iter().any(|(other, known): &(&ImageRequest, _)| {
                        other.toolchain.target == *target && *known == source
                    });
                    if !waits {
                        waiting.push((image, source));
                    }
                }
            }
        }
        let stocks = open
            .iter()
            .map(async |(stock, sources)| self.resolve_in(stock, sources).await);
        for (sources, packages) in open.values().zip(try_join_all(stocks).await?) {
            for ((image, source), packages) in sources.iter().zip(packages) {
                resolved.pin(image, source, packages);
            }
        }
        resolved.check()?;
        Ok(resolved)
    }

    /// The fingerprint of `image` as `lock` pins it: what it is made from, without making it or asking anybody.
    ///
    /// # Errors
    ///
    /// The lock lacks a toolchain of the image, or there is no program for its hosts.
    pub fn fingerprint(&self, image: &ImageRequest, lock: &Lock) -> Result<Fingerprint, Error> {
        let program = self.settings.programs.of(image.architecture)?;
        Fingerprint::new(image, lock, program)
    }

    /// Name and tag of `image` as `lock` pins it.
    ///
    /// # Errors
    ///
    /// The lock lacks a toolchain of the image, or there is no program for its hosts.
    pub fn reference(&self, image: &ImageRequest, lock: &Lock) -> Result<String, Error> {
        let program = self.settings.programs.of(image.architecture)?;
        reference(image, lock, program)
    }

    /// The keys of the layers that `image` is made of, as `lock` pins it: what the cache keeps them by.
    ///
    /// # Errors
    ///
    /// The lock lacks a toolchain of the image.
    pub fn layer_keys(&self, image: &ImageRequest, lock: &Lock) -> Result<Vec<Sha256>, Error> {
        Ok(ImageRecipe::new(image, lock)?.keys())
    }

    /// Downloads what `images` are made from, as `lock` pins it, and makes nothing.
    ///
    /// # Errors
    ///
    /// The lock lacks a toolchain, or something cannot be fetched.
    pub async fn fetch(&self, images: &[ImageRequest], lock: &Lock) -> Result<Vec<Fetched>, Error> {
        let recipes = recipes(images, lock)?;
        self.maker().fetch_all(&recipes).await
    }

    /// Assembles `images` from the packages that `lock` pins, in their order.
    ///
    /// # Errors
    ///
    /// The lock lacks a toolchain, a package cannot be fetched or does not hold what it should, or the cache cannot be
    /// written.
    pub async fn assemble(
        &self,
        images: &[ImageRequest],
        lock: &Lock,
    ) -> Result<Vec<Image>, Error> {
        let packages = self.maker().make(&recipes(images, lock)?).await?;
        let daemons = self.daemon_layers(images).await?;
        images
            .iter()
            .zip(packages)
            .map(|(image, packages)| {
                let daemon = daemons[&image.architecture].clone();
                self.finish(image, lock, &packages, daemon)
            })
            .collect()
    }

    async fn resolve_in(
        &self,
        stock: &Stock,
        sources: &[(&ImageRequest, &CompilerSource)],
    ) -> Result<Vec<Vec<archive::Offered>>, Error> {
        let wishes = sources.iter().map(|(_image, source)| Wanted {
            packages: source.packages.clone(),
            leave_out: source.leave_out.clone(),
            alone: source.headers.clone(),
        });
        let trust = Trust {
            keyring: &self.settings.keyring,
            expiry: self.settings.expiry,
        };
        archive::resolve(
            &self.fetcher,
            &self.settings.mirror,
            stock,
            &trust,
            wishes.collect(),
        )
        .await
    }

    fn maker(&self) -> LayerMaker<'_> {
        LayerMaker::new(
            &self.fetcher,
            &self.settings.mirror,
            &self.store,
            &self.listener,
        )
    }

    /// One for each kind of host.
    async fn daemon_layers(
        &self,
        images: &[ImageRequest],
    ) -> Result<BTreeMap<Architecture, Layer>, Error> {
        let hosts: BTreeSet<_> = images.iter().map(|image| image.architecture).collect();
        let mut layers = BTreeMap::new();
        for host in hosts {
            let program = self.settings.programs.of(host)?.clone();
            let layer = blocking(move || {
                single_file_layer("daemon", DAEMON_PATH, program.content()?, true)
            });
            layers.insert(host, layer.await?);
        }
        Ok(layers)
    }

    fn finish(
        &self,
        image: &ImageRequest,
        lock: &Lock,
        packages: &PackageLayers,
        daemon: Layer,
    ) -> Result<Image, Error> {
        let target = &image.toolchain.target;
        let mut layers = vec![Layer::stored("libraries", &packages.libraries)];
        if image.sources.iter().any(|source| source.archive.is_none()) {
            layers.push(Layer::stored("assembler", &packages.assembler));
        }
        for (compiler, layer) in image.toolchain.compilers.iter().zip(&packages.compilers) {
            layers.push(Layer::stored(&format!("gcc {}", compiler.major), layer));
        }
        if let Some(headers) = &packages.headers {
            layers.push(Layer::stored("headers", headers));
        }
        layers.push(daemon);
        layers.push(single_file_layer(
            "toolchain",
            TOOLCHAIN_PATH,
            toolchain_json(image)?.into(),
            false,
        )?);

        let fingerprint = self.fingerprint(image, lock)?;
        let reference = named(target, &fingerprint);
        let labels = [
            (IMAGE_LABEL, reference.clone()),
            ("farmctl.fingerprint", fingerprint.to_string()),
            ("farmctl.target", target.clone()),
            (
                "org.opencontainers.image.title",
                format!("distcc volunteer for {target}"),
            ),
        ];
        Image::new(target, image.architecture, reference, &labels, layers)
            .map_err(|source| Error::Layer { source })
    }
}

impl std::fmt::Debug for Assembler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assembler")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn recipes(images: &[ImageRequest], lock: &Lock) -> Result<Vec<ImageRecipe>, Error> {
    let recipes = images.iter().map(|image| ImageRecipe::new(image, lock));
    recipes.collect()
}

/// Name and tag of `image` as `lock` pins it, with `program` inside.
///
/// # Errors
///
/// The lock lacks a toolchain of the image.
pub fn reference(image: &ImageRequest, lock: &Lock, program: &Program) -> Result<String, Error> {
    let fingerprint = Fingerprint::new(image, lock, program)?;
    Ok(named(&image.toolchain.target, &fingerprint))
}

fn named(target: &str, fingerprint: &Fingerprint) -> String {
    format!("{REPOSITORIES}{target}:{fingerprint}")
}

fn single_file_layer(
    name: &str,
    path: &str,
    content: bytes::Bytes,
    executable: bool,
) -> Result<Layer, Error> {
    let path = ImagePath::from_absolute(path).expect("a constant path");
    let mut tree = Tree::default();
    tree.insert(
        path,
        Node::File {
            content,
            executable,
        },
    );
    Layer::in_memory(name, &tree).map_err(|source| Error::Layer { source })
}
