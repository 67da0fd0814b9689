//! Paths of the client, as they lie in the tree of its files.
//!
//! Everything here is lexical: `..` takes a name back and stops at the root, as it does in a real root directory.

use std::fmt;

/// Longest name in a path, in bytes; Linux's `NAME_MAX`.
const NAME_BYTES: usize = 255;

/// Most names in a path. Real builds have a third of it; a tree is taken down with one descriptor for each level.
const DEPTH: usize = 128;

/// An absolute path of the client's, without `.`, `..` or needless slashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TreePath {
    names: Vec<Vec<u8>>,
}

/// A path that no honest client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPath {
    /// Not absolute.
    #[error("does not begin with a slash")]
    Relative,
    /// With `.` or `..`.
    #[error("holds '.' or '..'")]
    Dots,
    /// With a byte that no path has.
    #[error("holds a NUL byte")]
    Nul,
    /// The root itself, where a file should be.
    #[error("is the root directory")]
    Root,
    /// With a name that no file system takes.
    #[error("holds a name of more than {NAME_BYTES} bytes")]
    NameTooLong,
    /// With too many names.
    #[error("is more than {DEPTH} levels deep")]
    TooDeep,
}

impl TreePath {
    /// Reads a path that must be absolute and plain, as clients send working directories and file names.
    pub(crate) fn parse(path: &[u8]) -> Result<Self, BadPath> {
        let below = path.strip_prefix(b"/").ok_or(BadPath::Relative)?;
        let mut names = Vec::new();
        for name in parts(below) {
            match name {
                b"." | b".." => return Err(BadPath::Dots),
                name if name.contains(&0) => return Err(BadPath::Nul),
                name if name.len() > NAME_BYTES => return Err(BadPath::NameTooLong),
                name => names.push(name.to_vec()),
            }
        }
        if names.len() > DEPTH {
            return Err(BadPath::TooDeep);
        }
        Ok(Self { names })
    }

    /// Reads the path of a file, a link or anything else that is in a directory.
    pub(crate) fn parse_entry(path: &[u8]) -> Result<Self, BadPath> {
        let path = Self::parse(path)?;
        if path.names.is_empty() {
            return Err(BadPath::Root);
        }
        Ok(path)
    }

    /// Where `path` leads from this directory.
    pub(crate) fn resolve(&self, path: &[u8]) -> Self {
        self.walk(path).to
    }

    /// Whether `path`, walked from this directory, goes up beyond the root on its way.
    pub(crate) fn is_left_by(&self, path: &[u8]) -> bool {
        self.walk(path).beyond_root
    }

    /// Every directory that the kernel looks at when it walks along `path` from this one, and where it ends; no more of
    /// them than a path may have names.
    pub(crate) fn visited(&self, path: &[u8]) -> impl Iterator<Item = Self> {
        let mut here = self.start(path);
        parts(path)
            .take(DEPTH)
            .take_while(|name| name.len() <= NAME_BYTES)
            .filter_map(move |name| {
                here.step(name);
                let entered = !matches!(name, b"." | b"..") && here.names.len() <= DEPTH;
                entered.then(|| here.clone())
            })
    }

    fn walk(&self, path: &[u8]) -> Walk {
        let mut to = self.start(path);
        let mut beyond_root = false;
        for name in parts(path) {
            beyond_root |= to.step(name);
        }
        Walk { to, beyond_root }
    }

    /// Where a walk along `path` begins.
    fn start(&self, path: &[u8]) -> Self {
        if path.starts_with(b"/") {
            Self::default()
        } else {
            self.clone()
        }
    }

    /// Goes on by one name. Whether that would have been up, beyond the root.
    fn step(&mut self, name: &[u8]) -> bool {
        match name {
            b"." => false,
            b".." => self.names.pop().is_none(),
            name => {
                self.names.push(name.to_vec());
                false
            }
        }
    }

    /// Its names, from the root on.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.names.iter().map(Vec::as_slice)
    }

    /// The directory that it is in, and its name there; `None` for the root.
    pub(crate) fn split(&self) -> Option<(Self, &[u8])> {
        let (name, directory) = self.names.split_last()?;
        let directory = Self {
            names: directory.to_vec(),
        };
        Some((directory, name))
    }

    /// Whether it is `directory` or something in it.
    pub(crate) fn is_within(&self, directory: &Self) -> bool {
        self.names.starts_with(&directory.names)
    }

    /// The path that leads from `directory`, which must be no link, to this one.
    pub(crate) fn seen_from(&self, directory: &Self) -> Vec<u8> {
        let up = directory.names.iter().map(|_name| b"..".as_slice());
        let mut path: Vec<_> = up.chain(self.names()).collect();
        if path.is_empty() {
            path.push(b".");
        }
        path.join(&b'/')
    }

    /// As the client writes it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut path = b"/".to_vec();
        path.extend(self.names.join(&b'/'));
        path
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

struct Walk {
    to: TreePath,
    beyond_root: bool,
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn absolute_plain_paths_are_taken_and_repeated_slashes_are_one() {
        let cases = [
            ("/w/p", "/w/p"),
            ("//w///p/", "/w/p"),
            ("/", "/"),
            ("/w/..p/.x/...", "/w/..p/.x/..."),
        ];
        for (text, expected) in cases {
            assert_eq!(path(text).to_string(), expected, "{text}");
        }
        let raw = TreePath::parse(b"/w/\xff").unwrap();
        assert_eq!(raw.to_bytes(), b"/w/\xff");
    }

    #[test]
    fn every_other_path_is_refused() {
        let long = format!("/{}", "x".repeat(NAME_BYTES + 1));
        let deep = "/x".repeat(DEPTH + 1);
        let cases = [
            ("", BadPath::Relative),
            ("w/p", BadPath::Relative),
            ("../w", BadPath::Relative),
            ("/..", BadPath::Dots),
            ("/w/../p", BadPath::Dots),
            ("/w/./p", BadPath::Dots),
            ("/w/p/..", BadPath::Dots),
            ("/w\0/p", BadPath::Nul),
            (&long, BadPath::NameTooLong),
            (&deep, BadPath::TooDeep),
        ];
        for (text, expected) in cases {
            assert_eq!(TreePath::parse(text.as_bytes()), Err(expected), "{text}");
        }
        assert_eq!(TreePath::parse_entry(b"//"), Err(BadPath::Root));
        assert!(TreePath::parse(&long.as_bytes()[..=NAME_BYTES]).is_ok());
        assert!(TreePath::parse(&deep.as_bytes()[2..]).is_ok());
    }

    #[test]
    fn a_walk_stops_at_the_root() {
        let cases = [
            ("inc", "/w/p/inc", false),
            ("../inc", "/w/inc", false),
            ("./a/../b/.", "/w/p/b", false),
            ("../..", "/", false),
            ("../../..", "/", true),
            ("../../../etc/passwd", "/etc/passwd", true),
            ("a/../../../../w/p", "/w/p", true),
            ("/x/../y", "/y", false),
            ("/../y", "/y", true),
            ("", "/w/p", false),
        ];
        for (walked, to, beyond) in cases {
            let from = path("/w/p");
            assert_eq!(from.resolve(walked.as_bytes()), path(to), "{walked}");
            assert_eq!(from.is_left_by(walked.as_bytes()), beyond, "{walked}");
        }
    }

    #[test]
    fn a_walk_knows_the_directories_it_looks_at() {
        let visited: Vec<_> = path("/w").visited(b"a/../b//c").collect();
        assert_eq!(visited, [path("/w/a"), path("/w/b"), path("/w/b/c")]);
    }

    #[test]
    fn a_walk_of_very_many_names_costs_as_much_as_they_are_long() {
        let many = "a/".repeat(1 << 16);
        assert_eq!(
            path("/w").resolve(many.as_bytes()).names().len(),
            (1 << 16) + 1
        );
        assert!(!path("/w").is_left_by(many.as_bytes()));
        assert_eq!(path("/").visited(many.as_bytes()).count(), DEPTH);
        let turning = "a/../".repeat(1 << 16);
        assert_eq!(path("/").visited(turning.as_bytes()).count(), DEPTH / 2);
        let long = format!("a/{}/b", "x".repeat(NAME_BYTES + 1));
        assert_eq!(path("/").visited(long.as_bytes()).count(), 1);
    }

    #[test]
    fn what_is_within_a_directory_shares_whole_names_with_it() {
        let cases = [
            ("/usr/include", "/usr/include", true),
            ("/usr/include/sys", "/usr/include", true),
            ("/usr/include2", "/usr/include", false),
            ("/usr", "/usr/include", false),
            ("/usr", "/", true),
        ];
        for (inner, outer, expected) in cases {
            assert_eq!(path(inner).is_within(&path(outer)), expected, "{inner}");
        }
    }

    #[test]
    fn a_path_is_seen_from_a_directory_by_way_of_the_root() {
        let cases = [
            ("/w/p", "/w/inc", "../../w/inc"),
            ("/", "/w", "w"),
            ("/w", "/", ".."),
            ("/", "/", "."),
        ];
        for (from, to, expected) in cases {
            assert_eq!(path(to).seen_from(&path(from)), expected.as_bytes());
        }
    }
}
