//! The layer of one GCC version: its drivers and compilers proper.

use futures_util::future::try_join_all;

use super::LayerMaker;
use crate::image::Error;
use crate::image::blocking::blocking;
use crate::image::layer::{LayerStore, StoredLayer};
use crate::image::package::{ImagePath, Keep, Node, Tree, needs_of, unpack};
use crate::image::progress::{Span, Work};
use crate::image::recipe::CompilerRecipe;

impl LayerMaker<'_> {
    /// The layer of `recipe`, from the store or made now.
    pub(super) async fn compiler(&self, recipe: &CompilerRecipe) -> Result<StoredLayer, Error> {
        if let Some(layer) = self.store.find(&recipe.key) {
            return Ok(layer);
        }
        let debs = try_join_all(
            recipe
                .packages
                .iter()
                .map(|(package, _files)| self.fetch(package)),
        )
        .await?;
        let _bench = self
            .benches
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let name = format!("compiler {}", recipe.gcc.name());
        let _span = Span::start(self.listener, Work::Layer { name }, None);
        let trees = recipe
            .packages
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
