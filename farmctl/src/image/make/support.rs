//! The layers below the compilers: what they are linked with, and the assembler.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::LayerMaker;
use crate::image::Error;
use crate::image::blocking::blocking;
use crate::image::digest::Sha256;
use crate::image::layer::{LayerStore, StoredLayer};
use crate::image::package::{
    ImagePath, Libraries, Needs, Node, ROOT_LINKS, Tree, is_assembler, needs_of, unpack,
};
use crate::image::progress::{Span, Work};
use crate::image::recipe::SupportRecipe;

/// The unpacked packages of support recipes. They are small and most are shared, so each is unpacked once.
pub(super) struct SupportTrees {
    by_package: BTreeMap<Sha256, Tree>,
}

impl SupportTrees {
    /// Fetches and unpacks what `recipes` need.
    pub(super) async fn unpack(
        maker: &LayerMaker<'_>,
        recipes: &[&SupportRecipe],
    ) -> Result<Self, Error> {
        let distinct: BTreeMap<_, _> = recipes
            .iter()
            .flat_map(|recipe| &recipe.packages)
            .map(|(package, keep)| (package.sha256, (package, keep)))
            .collect();
        let trees = distinct.into_iter().map(async |(sha256, (package, keep))| {
            let deb = maker.fetch(package).await?;
            let (name, keep) = (package.name.clone(), keep.clone());
            let tree = blocking(move || unpack(&name, &deb, &keep)).await?;
            Ok::<_, Error>((sha256, tree))
        });
        Ok(Self {
            by_package: try_join_all(trees).await?.into_iter().collect(),
        })
    }

    /// Everything that the packages of `recipe` hold.
    fn of(&self, recipe: &SupportRecipe) -> Tree {
        let mut all = Tree::default();
        for (package, _keep) in &recipe.packages {
            if let Some(tree) = self.by_package.get(&package.sha256) {
                all.merge(tree.clone());
            }
        }
        all
    }
}

impl LayerMaker<'_> {
    pub(super) fn lacks_support(&self, recipe: &SupportRecipe) -> bool {
        self.found_support(recipe).is_none()
    }

    /// The library layer and the assembler layer of `recipe`, from the store or made now.
    pub(super) async fn support(
        &self,
        recipe: &SupportRecipe,
        compilers: &[StoredLayer],
        trees: &SupportTrees,
    ) -> Result<(StoredLayer, StoredLayer), Error> {
        if let Some(found) = self.found_support(recipe) {
            return Ok(found);
        }
        let name = format!("libraries and assembler of {}", recipe.name);
        let _span = Span::start(self.listener, Work::Layer { name }, None);
        let wanted: Needs = compilers
            .iter()
            .flat_map(|compiler| compiler.needs.clone())
            .collect();
        let (store, recipe, tree) = (self.store.clone(), recipe.clone(), trees.of(recipe));
        blocking(move || finish(&store, &recipe, &wanted, tree)).await
    }

    fn found_support(&self, recipe: &SupportRecipe) -> Option<(StoredLayer, StoredLayer)> {
        Some((
            self.store.find(&recipe.libraries_key)?,
            self.store.find(&recipe.assembler_key)?,
        ))
    }
}

fn finish(
    store: &LayerStore,
    recipe: &SupportRecipe,
    wanted: &Needs,
    tree: Tree,
) -> Result<(StoredLayer, StoredLayer), Error> {
    let (mut assembler, libraries) = tree.partition(is_assembler);
    let has_assembler = assembler
        .nodes()
        .any(|(_path, node)| matches!(node, Node::File { .. }));
    if recipe.brings_assembler && !has_assembler {
        return Err(Error::NoAssembler {
            target: recipe.name.clone(),
        });
    }
    let libraries = Libraries::new(libraries);
    let mut base = libraries.close(wanted)?;
    let (_shared, own) = libraries
        .close(&needs_of(&assembler)?)?
        .partition(|path| base.node(path).is_some());
    assembler.merge(own);
    add_tool_links(&mut assembler);
    add_root(&mut base);
    let base = store.put(&recipe.libraries_key, &base, Needs::new())?;
    let assembler = store.put(&recipe.assembler_key, &assembler, Needs::new())?;
    Ok((base, assembler))
}

/// Drivers look for their assembler as `usr/<triple>/bin/as`. Packages of cross compilers bring that link, the native
/// ones rely on a plain `as` on PATH instead: there the link is added.
fn add_tool_links(tree: &mut Tree) {
    let programs: Vec<_> = tree.nodes().map(|(path, _node)| path.clone()).collect();
    for program in programs {
        if let ["usr", "bin", name] = program.segments().as_slice()
            && let Some(triple) = name.strip_suffix("-as")
        {
            let link = ImagePath::from_absolute(&format!("/usr/{triple}/bin/as"));
            let target = format!("../../bin/{name}");
            if let Ok(link) = link
                && tree.node(&link).is_none()
            {
                tree.insert(link, Node::Link { target });
            }
        }
    }
}

/// The links of a merged `/usr`, which the interpreter's path goes through, and a place for temporary files.
fn add_root(tree: &mut Tree) {
    let has_folder = |name: &str| {
        let mut paths = tree.nodes().map(|(path, _node)| path.segments());
        paths.any(|segments| segments.starts_with(&["usr", name]))
    };
    // Only some machines have their interpreter there.
    let links = ROOT_LINKS.into_iter();
    let links: Vec<_> = links
        .filter(|name| *name != "lib64" || has_folder(name))
        .collect();
    for name in links {
        tree.insert(
            ImagePath::at_root(name),
            Node::Link {
                target: format!("usr/{name}"),
            },
        );
    }
    tree.insert(ImagePath::at_root("tmp"), Node::Folder { mode: 0o1777 });
}
