//! Makes the layers that come from packages.
//!
//! Compilers first, each version by itself and several at once; then, knowing what they need, the libraries; last
//! the assembler with what nobody else needs. So the library layer comes out the same for every target.

mod compiler;
mod fetch;
mod headers;
mod support;

use std::collections::BTreeMap;

use futures_util::future::{try_join, try_join_all};
use tokio::sync::Semaphore;

use super::Error;
use super::digest::Sha256;
use super::fetch::{Fetcher, Length, RemoteFile};
use super::layer::{LayerStore, StoredLayer};
use super::lock::LockedPackage;
use super::mirror::Mirror;
use super::progress::{Listener, Work};
use super::recipe::{CompilerRecipe, ImageRecipe};
pub use fetch::Fetched;
use support::SupportTrees;

/// A compiler layer takes some 150 MB of memory while it is made.
const MAX_COMPILERS_AT_ONCE: usize = 4;

/// Makes layers.
pub(super) struct LayerMaker<'a> {
    fetcher: &'a Fetcher,
    mirror: &'a Mirror,
    store: &'a LayerStore,
    listener: &'a Listener,
    benches: Semaphore,
}

/// The layers of an image that come from packages.
pub(super) struct PackageLayers {
    pub(super) libraries: StoredLayer,
    pub(super) assembler: StoredLayer,
    /// In the order of the toolchain's compilers.
    pub(super) compilers: Vec<StoredLayer>,
    /// If the image is to have them.
    pub(super) headers: Option<StoredLayer>,
}

impl<'a> LayerMaker<'a> {
    pub(super) fn new(
        fetcher: &'a Fetcher,
        mirror: &'a Mirror,
        store: &'a LayerStore,
        listener: &'a Listener,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let benches = Semaphore::new(cores.min(MAX_COMPILERS_AT_ONCE));
        Self {
            fetcher,
            mirror,
            store,
            listener,
            benches,
        }
    }

    /// The layers of every recipe, in the order of `recipes`: those of the store, and the others made now.
    pub(super) async fn make(&self, recipes: &[ImageRecipe]) -> Result<Vec<PackageLayers>, Error> {
        let unsupported: Vec<_> = recipes
            .iter()
            .map(|recipe| &recipe.support)
            .filter(|support| self.lacks_support(support))
            .collect();
        self.announce(recipes);
        let (compilers, trees) = try_join(
            self.compilers(recipes),
            SupportTrees::unpack(self, &unsupported),
        )
        .await?;
        let mut layers = Vec::new();
        for recipe in recipes {
            layers.push(self.package_layers(recipe, &compilers, &trees).await?);
        }
        Ok(layers)
    }

    /// Every compiler layer by its key, each made once however many images share it.
    async fn compilers(
        &self,
        recipes: &[ImageRecipe],
    ) -> Result<BTreeMap<Sha256, StoredLayer>, Error> {
        let distinct: BTreeMap<Sha256, &CompilerRecipe> = recipes
            .iter()
            .flat_map(|recipe| &recipe.compilers)
            .map(|compiler| (compiler.key, compiler))
            .collect();
        let made = distinct.into_iter().map(async |(key, compiler)| {
            let layer = self.compiler(compiler).await?;
            Ok::<_, Error>((key, layer))
        });
        Ok(try_join_all(made).await?.into_iter().collect())
    }

    async fn package_layers(
        &self,
        recipe: &ImageRecipe,
        compilers: &BTreeMap<Sha256, StoredLayer>,
        trees: &SupportTrees,
    ) -> Result<PackageLayers, Error> {
        let of_recipe = |compiler: &CompilerRecipe| compilers.get(&compiler.key).cloned();
        let compilers: Vec<_> = recipe.compilers.iter().filter_map(of_recipe).collect();
        let (libraries, assembler) = self.support(&recipe.support, &compilers, trees).await?;
        let headers = match &recipe.headers {
            Some(headers) => Some(self.headers(headers).await?),
            None => None,
        };
        Ok(PackageLayers {
            libraries,
            assembler,
            compilers,
            headers,
        })
    }

    /// Tells how much will be downloaded.
    fn announce(&self, recipes: &[ImageRecipe]) {
        let mut packages = BTreeMap::new();
        for recipe in recipes {
            let missing = recipe
                .compilers
                .iter()
                .filter(|compiler| self.store.find(&compiler.key).is_none());
            let compilers = missing.flat_map(|compiler| compiler.content.packages());
            let support = self
                .lacks_support(&recipe.support)
                .then_some(&recipe.support.packages);
            let support = support
                .into_iter()
                .flatten()
                .map(|(package, _keep)| package);
            let headers = recipe.headers.iter();
            let headers = headers.filter(|headers| self.store.find(&headers.key).is_none());
            packages.extend(
                compilers
                    .chain(support)
                    .chain(headers.flat_map(|headers| &headers.packages))
                    .map(|package| (package.sha256, self.remote(package))),
            );
        }
        self.announce_files(packages.into_values());
    }

    fn remote(&self, package: &LockedPackage) -> RemoteFile {
        RemoteFile {
            url: self.mirror.url(&package.path),
            sha256: package.sha256,
            length: Length::Exactly(package.size),
            work: Work::Package {
                name: package.name.clone(),
            },
        }
    }
}
