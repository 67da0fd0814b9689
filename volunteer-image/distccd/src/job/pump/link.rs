//! What a `LINK` of the client means.

use super::path::{BadPath, TreePath};

/// What becomes of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// One of the directories that the client's compiler searches by itself: the volunteer's own of that name is meant.
    System,
    /// A link of the project, to a path that lies in the tree as well.
    Project(TreePath),
}

/// Judges the link from `name` to `target`.
///
/// Stock clients send two kinds: absolute targets, the real path of where a link of the project leads to; and for the
/// compiler's own directories a way up to the root, more than far enough, and down again to the link's own name.
pub(super) fn judge(name: &TreePath, target: &[u8]) -> Result<Link, BadPath> {
    if target.starts_with(b"/") {
        return TreePath::parse(target).map(Link::Project);
    }
    let (directory, _name) = name.split().ok_or(BadPath::Root)?;
    let resolved = directory.resolve(target);
    if target.starts_with(b"../") && resolved == *name {
        Ok(Link::System)
    } else if target.contains(&0) {
        Err(BadPath::Nul)
    } else if directory.is_left_by(target) {
        Err(BadPath::Dots)
    } else {
        TreePath::parse(&resolved.to_bytes()).map(Link::Project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn links_are_told_apart_by_where_they_lead() {
        let up = |count, to: &str| "../".repeat(count) + to;
        let project = |to: &str| Ok(Link::Project(path(to)));
        let cases = [
            ("/usr/include", up(22, "usr/include"), Ok(Link::System)),
            ("/usr/include", up(2, "usr/include"), Ok(Link::System)),
            ("/w/p/incl", "/w/p/inc".to_owned(), project("/w/p/inc")),
            ("/w/p/incl", "//w/inc/".to_owned(), project("/w/inc")),
            ("/w/p/incl", "/".to_owned(), project("/")),
            ("/w/p/incl", "inc".to_owned(), project("/w/p/inc")),
            ("/w/p/incl", "../inc".to_owned(), project("/w/inc")),
            ("/w/p/incl", up(22, "usr/include"), Err(BadPath::Dots)),
            ("/w/p/incl", up(3, "etc"), Err(BadPath::Dots)),
            ("/w/p/incl", "/w/../etc".to_owned(), Err(BadPath::Dots)),
            ("/w/p/incl", "/w/\0".to_owned(), Err(BadPath::Nul)),
            ("/w/p/incl", "a\0".to_owned(), Err(BadPath::Nul)),
        ];
        for (name, target, expected) in cases {
            assert_eq!(judge(&path(name), target.as_bytes()), expected, "{target}");
        }
    }
}
