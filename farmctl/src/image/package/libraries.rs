//! Shared libraries: of all that the packages bring, those that are really loaded.

use std::collections::BTreeMap;

use super::elf::{ElfError, Needs, needs};
use super::{ImagePath, Node, Tree};

/// Libraries to choose from.
pub(in crate::image) struct Libraries {
    tree: Tree,
    by_name: BTreeMap<String, ImagePath>,
}

impl Libraries {
    /// Takes every file and link of `tree` for a library.
    pub(in crate::image) fn new(tree: Tree) -> Self {
        let mut by_name = BTreeMap::new();
        for (path, _node) in tree.nodes() {
            by_name
                .entry(path.name().to_owned())
                .or_insert_with(|| path.clone());
        }
        Self { tree, by_name }
    }

    /// The libraries that satisfy `wanted` and, in turn, each other.
    pub(in crate::image) fn close(&self, wanted: &Needs) -> Result<Tree, LibraryError> {
        let mut closed = Tree::default();
        let mut open: Vec<String> = wanted.iter().cloned().collect();
        while let Some(name) = open.pop() {
            let found = self
                .path_of(&name)
                .and_then(|path| self.tree.resolve(&path));
            let resolved = found.ok_or_else(|| LibraryError::Missing {
                library: name.clone(),
            })?;
            let content = resolved.content.clone();
            let mut is_new = false;
            for (path, node) in resolved.nodes() {
                is_new |= closed.node(path).is_none();
                closed.insert(path.clone(), node.clone());
            }
            if is_new {
                open.extend(needs(&name, &content)?);
            }
        }
        Ok(closed)
    }

    /// Interpreters are named by path, libraries by name.
    fn path_of(&self, name: &str) -> Option<ImagePath> {
        if name.starts_with('/') {
            ImagePath::from_absolute(name).ok()
        } else {
            self.by_name.get(name).cloned()
        }
    }
}

/// What the programs of `tree` need.
pub(in crate::image) fn needs_of(tree: &Tree) -> Result<Needs, ElfError> {
    let mut all = Needs::new();
    for (path, node) in tree.nodes() {
        if let Node::File { content, .. } = node {
            all.extend(needs(&path.to_string(), content)?);
        }
    }
    Ok(all)
}

/// Why programs would not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// No package brings it.
    #[error("no package brings {library}, which a compiler needs")]
    Missing {
        /// The library's name or the interpreter's path.
        library: String,
    },
    /// A library that is none.
    #[error(transparent)]
    Elf(#[from] ElfError),
}
