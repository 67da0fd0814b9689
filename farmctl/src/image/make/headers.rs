//! The layer of the C and C++ library's headers, for volunteers that serve pump mode.

use futures_util::future::try_join_all;

use super::LayerMaker;
use crate::image::Error;
use crate::image::blocking::blocking;
use crate::image::layer::StoredLayer;
use crate::image::package::{Keep, Needs, Tree, unpack};
use crate::image::progress::{Span, Work};
use crate::image::recipe::HeadersRecipe;

impl LayerMaker<'_> {
    /// The layer of `recipe`, from the store or made now.
    pub(super) async fn headers(&self, recipe: &HeadersRecipe) -> Result<StoredLayer, Error> {
        if let Some(layer) = self.store.find(&recipe.key) {
            return Ok(layer);
        }
        let fetched = recipe.packages.iter().map(|package| self.fetch(package));
        let debs = try_join_all(fetched).await?;
        let name = format!("headers of {}", recipe.name);
        let _span = Span::start(self.listener, Work::Layer { name }, None);
        let (store, recipe) = (self.store.clone(), recipe.clone());
        blocking(move || {
            let mut tree = Tree::default();
            for (package, deb) in recipe.packages.iter().zip(debs) {
                tree.merge(unpack(&package.name, &deb, &Keep::Headers)?);
            }
            if tree.nodes().next().is_none() {
                return Err(Error::NoHeaders {
                    target: recipe.name,
                });
            }
            Ok(store.put(&recipe.key, &tree, Needs::new())?)
        })
        .await
    }
}
