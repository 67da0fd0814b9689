//! The layer of one GCC version: its drivers and compilers proper.

use futures_util::future::try_join_all;
use tokio::sync::SemaphorePermit;

use super::LayerMaker;
use crate::image::Error;
use crate::image::blocking::blocking;
use crate::image::layer::{LayerStore, StoredLayer};
use crate::image::lock::LockedPackage;
use crate::image::package::{CompilerFiles, ImagePath, Keep, Node, Tree, needs_of, unpack};
use crate::image::progress::{Span, Work};
use crate::image::recipe::{CompilerContent, CompilerRecipe};
use crate::image::tarball::{self, ArchiveSource, Wanted};

impl LayerMaker<'_> {
    /// The layer of `recipe`, from the store or made now.
    pub(super) async fn compiler(&self, recipe: &CompilerRecipe) -> Result<StoredLayer, Error> {
        if let Some(layer) = self.store.find(&recipe.key) {
            return Ok(layer);
        }
        match &recipe.content {
            CompilerContent::Packages(packages) => self.out_of_packages(recipe, packages).await,
            CompilerContent::Archive(archive) => self.out_of_archive(recipe, archive).await,
        }
    }

    async fn out_of_archive(
        &self,
        recipe: &CompilerRecipe,
        archive: &ArchiveSource,
    ) -> Result<StoredLayer, Error> {
        let path = self.fetch_archive(archive).await?;
        let _bench = self.bench().await;
        let _span = self.span(recipe);
        let wanted = Wanted {
            major: recipe.major,
            gcc: recipe.gcc.clone(),
            gxx: recipe.gxx.clone(),
            host: recipe.host,
        };
        let (store, key, archive) = (self.store.clone(), recipe.key, archive.clone());
        blocking(move || {
            let unpacked = tarball::unpack(&archive, &path, &wanted)?;
            Ok(store.put(&key, &unpacked.tree, unpacked.needs)?)
        })
        .await
    }

    async fn out_of_packages(
        &self,
        recipe: &CompilerRecipe,
        packages: &[(LockedPackage, CompilerFiles)],
    ) -> Result<StoredLayer, Error> {
        let fetched = packages.iter().map(|(package, _files)| self.fetch(package));
        let debs = try_join_all(fetched).await?;
        let _bench = self.bench().await;
        let _span = self.span(recipe);
        let trees = packages
            .iter()
            .zip(debs)
            .map(async |((package, files), deb)| {
                let (name, keep) = (package.name.clone(), Keep::Compiler(files.clone()));
                blocking(move || unpack(&name, &deb, &keep)).await
            });
        let trees = try_join_all(trees).await?;
        let (store, recipe) = (self.store.clone(), recipe.clone());
        blocking(move || finish(&store, &recipe, trees)).await
    }

    async fn bench(&self) -> SemaphorePermit<'_> {
        let bench = self.benches.acquire().await;
        bench.expect("the semaphore is never closed")
    }

    fn span(&self, recipe: &CompilerRecipe) -> Span {
        let name = format!("compiler {}", recipe.gcc.name());
        Span::start(self.listener, Work::Layer { name }, None)
    }
}

fn finish(
    store: &LayerStore,
    recipe: &CompilerRecipe,
    trees: Vec<Tree>,
) -> Result<StoredLayer, Error> {
    let mut tree = Tree::default();
    for part in trees {
        tree.merge(part);
    }
    check(recipe, &tree)?;
    let needs = needs_of(&tree)?;
    Ok(store.put(&recipe.key, &tree, needs)?)
}

/// The packages must hold the drivers that the toolchain names, and a compiler proper for each language.
fn check(recipe: &CompilerRecipe, tree: &Tree) -> Result<(), Error> {
    let has_driver = |driver: &ImagePath| tree.resolve(driver).is_some();
    let has_compiler = |name: &str| {
        tree.nodes()
            .any(|(path, node)| path.name() == name && matches!(node, Node::File { .. }))
    };
    let required = [
        (recipe.gcc.to_string(), has_driver(&recipe.gcc)),
        (recipe.gxx.to_string(), has_driver(&recipe.gxx)),
        ("cc1".to_owned(), has_compiler("cc1")),
        ("cc1plus".to_owned(), has_compiler("cc1plus")),
    ];
    match required.into_iter().find(|(_program, present)| !present) {
        Some((program, _present)) => Err(Error::NoProgram {
            gcc: recipe.major,
            program,
        }),
        None => Ok(()),
    }
}
