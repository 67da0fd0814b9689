//! Paths inside an image.

use std::fmt;

/// The folders that systems with a merged `/usr` keep there.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// Those of them that an image has, and so links to from its root.
pub(in crate::image) const ROOT_LINKS: [&str; 3] = ["bin", "lib", "lib64"];

/// The path of something in an image: relative to its root, without `.` or `..`, below `usr/` where `/usr` is merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::image) struct ImagePath(String);

impl ImagePath {
    /// Parses a member name of a package's archive, such as `./usr/bin/as`. `None` is the root itself.
    pub(in crate::image) fn from_member(name: &[u8]) -> Result<Option<Self>, PathError> {
        let text = std::str::from_utf8(name)
            .map_err(|_not_utf8| PathError::NotText(String::from_utf8_lossy(name).into_owned()))?;
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        Self::from_segments(text, vec![])
    }

    /// Parses an absolute path, such as a compiler's in `toolchain.json`.
    pub(in crate::image) fn from_absolute(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative(text.to_owned()));
        }
        Self::from_segments(text, vec![])?.ok_or_else(|| PathError::Relative(text.to_owned()))
    }

    /// Where a symbolic link at this path leads.
    pub(in crate::image) fn link_target(&self, target: &str) -> Result<Option<Self>, PathError> {
        let parent = self
            .parents()
            .last()
            .filter(|_parent| !target.starts_with('/'));
        let folder = parent.map_or(vec![], |parent| parent.split('/').collect());
        Self::from_segments(target, folder)
    }

    /// Something in this folder.
    pub(in crate::image) fn join(&self, name: &str) -> Option<Self> {
        Self::from_segments(name, self.segments()).ok().flatten()
    }

    /// What of it is below `folder`.
    pub(in crate::image) fn below(&self, folder: &Self) -> Option<&str> {
        self.0.strip_prefix(&folder.0)?.strip_prefix('/')
    }

    /// The folder that the program at this path means by an entry of its search path, in which `$ORIGIN` stands for the
    /// program's own.
    pub(in crate::image) fn search_folder(&self, entry: &str) -> Option<Self> {
        let origin = format!("/{}", self.parents().last()?);
        let entry = entry.replace("${ORIGIN}", "$ORIGIN");
        Self::from_absolute(&entry.replace("$ORIGIN", &origin)).ok()
    }

    /// Something right at the root, such as the link `/lib` itself.
    pub(in crate::image) fn at_root(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    pub(in crate::image) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub(in crate::image) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    pub(in crate::image) fn segments(&self) -> Vec<&str> {
        self.0.split('/').collect()
    }

    /// The folders above it, outermost first: `usr`, `usr/bin`.
    pub(in crate::image) fn parents(&self) -> impl Iterator<Item = &str> {
        self.0
            .match_indices('/')
            .map(|(end, _slash)| &self.0[..end])
    }

    fn from_segments<'a>(
        text: &'a str,
        mut folder: Vec<&'a str>,
    ) -> Result<Option<Self>, PathError> {
        if text.contains('\0') {
            return Err(PathError::NotText(text.to_owned()));
        }
        for segment in text.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    folder
                        .pop()
                        .ok_or_else(|| PathError::Escapes(text.to_owned()))?;
                }
                segment => folder.push(segment),
            }
        }
        if folder.first().is_some_and(|first| MERGED.contains(first)) {
            folder.insert(0, "usr");
        }
        Ok((!folder.is_empty()).then(|| Self(folder.join("/"))))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

/// A path that has no place in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Leads above the root.
    #[error("path '{0}' leads out of the image")]
    Escapes(String),
    /// Starts at the root where it must not.
    #[error("path '{0}' is absolute")]
    Absolute(String),
    /// Does not start at the root where it must, or is the root.
    #[error("path '{0}' is not absolute")]
    Relative(String),
    /// Not UTF-8, or holds a NUL.
    #[error("path '{0}' is no text")]
    NotText(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_usr() {
        let cases = [
            ("./usr/bin/as", Some("/usr/bin/as")),
            (
                "./lib/x86_64-linux-gnu/libc.so.6",
                Some("/usr/lib/x86_64-linux-gnu/libc.so.6"),
            ),
            ("lib64/ld.so", Some("/usr/lib64/ld.so")),
            ("etc//./passwd", Some("/etc/passwd")),
            ("a/../b", Some("/b")),
            ("./", None),
        ];
        for (member, expected) in cases {
            let path = ImagePath::from_member(member.as_bytes()).unwrap();
            assert_eq!(
                path.map(|path| path.to_string()).as_deref(),
                expected,
                "{member}"
            );
        }
    }

    #[test]
    fn refuses_paths_that_escape() {
        for member in [
            "../etc/passwd",
            "usr/../../etc",
            "/etc/passwd",
            "usr/\0",
            "./..",
        ] {
            assert!(
                ImagePath::from_member(member.as_bytes()).is_err(),
                "{member}"
            );
        }
        assert!(ImagePath::from_member(b"usr/\xff").is_err());
    }

    #[test]
    fn follows_links_from_where_they_are() {
        let link = ImagePath::from_absolute("/usr/lib64/ld.so").unwrap();
        let cases = [
            ("../lib/x/ld.so", Ok(Some("/usr/lib/x/ld.so"))),
            ("ld-2.so", Ok(Some("/usr/lib64/ld-2.so"))),
            ("/lib/ld.so", Ok(Some("/usr/lib/ld.so"))),
            (
                "../../../etc",
                Err(PathError::Escapes("../../../etc".to_owned())),
            ),
        ];
        for (target, expected) in cases {
            let actual = link
                .link_target(target)
                .map(|path| path.map(|path| path.to_string()));
            assert_eq!(
                actual.as_ref().map(Option::as_deref).map_err(Clone::clone),
                expected,
                "{target}"
            );
        }
    }
}
