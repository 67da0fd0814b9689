//! Files of an image, in memory.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::ImagePath;

/// Follows links no further than the kernel does.
const MAX_LINKS: usize = 40;

/// Something at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) enum Node {
    /// A regular file.
    File { content: Bytes, executable: bool },
    /// A symbolic link.
    Link { target: String },
    /// A folder with a mode of its own; those above other nodes come by themselves.
    Folder { mode: u32 },
}

/// Files, links and folders by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::image) struct Tree {
    nodes: BTreeMap<ImagePath, Node>,
}

impl Tree {
    pub(in crate::image) fn insert(&mut self, path: ImagePath, node: Node) {
        self.nodes.insert(path, node);
    }

    pub(in crate::image) fn node(&self, path: &ImagePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub(in crate::image) fn nodes(&self) -> impl Iterator<Item = (&ImagePath, &Node)> {
        self.nodes.iter()
    }

    pub(in crate::image) fn merge(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
    }

    /// What `condition` holds for, and the rest.
    pub(in crate::image) fn partition(
        self,
        condition: impl Fn(&ImagePath) -> bool,
    ) -> (Self, Self) {
        let (yes, no) = self
            .nodes
            .into_iter()
            .partition(|(path, _node)| condition(path));
        (Self { nodes: yes }, Self { nodes: no })
    }

    /// Every folder that must exist for the nodes to have a place, outermost first.
    pub(in crate::image) fn folders(&self) -> BTreeSet<&str> {
        self.nodes.keys().flat_map(ImagePath::parents).collect()
    }

    /// The regular file that `path` leads to, and the links on the way.
    pub(in crate::image) fn resolve(&self, path: &ImagePath) -> Option<Resolved<'_>> {
        let (mut path, mut node) = self.nodes.get_key_value(path)?;
        let mut links = Vec::new();
        while let Node::Link { target } = node {
            links.push((path, node));
            if links.len() > MAX_LINKS {
                return None;
            }
            let target = path.link_target(target).ok()??;
            (path, node) = self.nodes.get_key_value(&target)?;
        }
        match node {
            Node::File { content, .. } => Some(Resolved {
                links,
                path,
                node,
                content,
            }),
            _ => None,
        }
    }
}

/// A regular file, found through links.
pub(in crate::image) struct Resolved<'a> {
    links: Vec<(&'a ImagePath, &'a Node)>,
    pub(in crate::image) path: &'a ImagePath,
    node: &'a Node,
    pub(in crate::image) content: &'a Bytes,
}

impl<'a> Resolved<'a> {
    /// The links and the file.
    pub(in crate::image) fn nodes(self) -> impl Iterator<Item = (&'a ImagePath, &'a Node)> {
        self.links.into_iter().chain([(self.path, self.node)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ImagePath {
        ImagePath::from_absolute(text).unwrap()
    }

    fn tree(nodes: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (at, what) in nodes {
            let node = match what.strip_prefix("-> ") {
                Some(target) => Node::Link {
                    target: target.to_owned(),
                },
                None => Node::File {
                    content: Bytes::copy_from_slice(what.as_bytes()),
                    executable: false,
                },
            };
            tree.insert(path(at), node);
        }
        tree
    }

    #[test]
    fn resolves_links_to_a_file() {
        let tree = tree(&[("/a", "-> b/c"), ("/b/c", "-> ../d"), ("/d", "found")]);
        let resolved = tree.resolve(&path("/a")).unwrap();
        assert_eq!(resolved.content.as_ref(), b"found");
        let on_the_way: Vec<_> = resolved
            .nodes()
            .map(|(path, _node)| path.to_string())
            .collect();
        assert_eq!(on_the_way, ["/a", "/b/c", "/d"]);
    }

    #[test]
    fn gives_up_on_loops_and_dead_ends() {
        let tree = tree(&[
            ("/a", "-> b"),
            ("/b", "-> a"),
            ("/c", "-> none"),
            ("/d", "-> ../../x"),
        ]);
        for start in ["/a", "/c", "/d", "/none"] {
            assert!(tree.resolve(&path(start)).is_none(), "{start}");
        }
    }

    #[test]
    fn lists_the_folders_that_nodes_need() {
        let tree = tree(&[("/usr/bin/as", "x"), ("/usr/lib/a/b", "x"), ("/etc/c", "x")]);
        let folders: Vec<_> = tree.folders().into_iter().collect();
        assert_eq!(folders, ["etc", "usr", "usr/bin", "usr/lib", "usr/lib/a"]);
    }
}
