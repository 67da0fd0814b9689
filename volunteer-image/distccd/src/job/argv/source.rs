//! The name of the source inside a job's directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use super::language::Language;

/// Longest name kept, in bytes: room below the 255 of Linux file systems for what compilers append.
const LENGTH_BYTES: usize = 200;

/// A file name without any directory, harmless as a word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceName(OsString);

impl SourceName {
    /// The client's own base name, so that it stands in the object where no line marker gives a better one; a fixed
    /// name if that one could be mistaken for something else.
    pub(super) fn new(word: &[u8], language: Language) -> Self {
        let base = base_name(word);
        if is_plain(base) {
            Self(OsString::from_vec(base.to_vec()))
        } else {
            Self(format!("source.{}", language.preprocessed_ending()).into())
        }
    }

    pub(super) fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

/// What follows the last slash.
pub(super) fn base_name(word: &[u8]) -> &[u8] {
    word.rsplit(|byte| *byte == b'/').next().unwrap_or(word)
}

/// What follows the last dot of the base name; `None` if nothing precedes or follows it.
pub(super) fn ending(word: &[u8]) -> Option<&[u8]> {
    let base = base_name(word);
    let dot = base.iter().rposition(|byte| *byte == b'.')?;
    let ending = &base[dot + 1..];
    (dot > 0 && !ending.is_empty()).then_some(ending)
}

/// What compilers call the object of a source when they are not told.
pub(super) fn object_name(word: &[u8]) -> OsString {
    let base = base_name(word);
    let stem = ending(word).map_or(base, |ending| &base[..base.len() - ending.len() - 1]);
    OsString::from_vec([stem, b".o"].concat())
}

fn is_plain(name: &[u8]) -> bool {
    let printable = name.iter().all(|byte| !byte.is_ascii_control());
    let first_is_plain = !matches!(name.first(), None | Some(b'-' | b'@'));
    printable && first_is_plain && name.len() <= LENGTH_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_clients_base_name_when_it_is_plain() {
        let cases: [(&[u8], &str); 9] = [
            (b"hello.c", "hello.c"),
            (b"src/deep/hello.c", "hello.c"),
            (b"/abs/hello.c", "hello.c"),
            (b"../../etc/x.c", "x.c"),
            ("grüße und mehr.c".as_bytes(), "grüße und mehr.c"),
            (b"./-rf.c", "source.i"),
            (b"@list.c", "source.i"),
            (b"new\nline.c", "source.i"),
            (b"dir/", "source.i"),
        ];
        for (word, expected) in cases {
            assert_eq!(SourceName::new(word, Language::C).as_os_str(), expected);
        }
    }

    #[test]
    fn an_object_is_named_after_its_source() {
        for (word, expected) in [("src/a.c", "a.o"), ("/b.tar.cc", "b.tar.o"), ("c", "c.o")] {
            assert_eq!(object_name(word.as_bytes()), expected);
        }
    }

    #[test]
    fn replaces_names_too_long_for_a_file_system() {
        let mut name = vec![b'x'; LENGTH_BYTES];
        name.extend(b".cc");
        assert_eq!(
            SourceName::new(&name, Language::Cxx).as_os_str(),
            "source.ii"
        );
    }

    #[test]
    fn finds_the_ending_of_the_base_name_only() {
        let cases: [(&[u8], Option<&[u8]>); 7] = [
            (b"a.c", Some(b"c")),
            (b"dir.c/a", None),
            (b"dir.x/a.c++", Some(b"c++")),
            (b".c", None),
            (b"a.", None),
            (b"", None),
            (b"a.tar.cc", Some(b"cc")),
        ];
        for (word, expected) in cases {
            assert_eq!(ending(word), expected);
        }
    }
}
