//! The compiler on the client's machine, as its preprocessed sources give it away.
//!
//! Every preprocessed source that includes one of the compiler's own headers names the directory of that compiler in a
//! line marker. [`markers`] finds it while the source streams in; [`acquaintances`] remembers it for sources that do
//! not tell.

mod acquaintances;
mod markers;

use std::fmt;

pub(crate) use acquaintances::Acquaintances;
pub(crate) use markers::Markers;

/// A client's compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCompiler {
    pub(crate) version: ClientVersion,
    /// What it compiles for; Clang's directory does not tell.
    pub(crate) triple: Option<String>,
}

/// A client's compiler and its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ClientVersion {
    /// GCC.
    Gcc {
        major: u32,
        /// As its directory tells it: `12` and `16.2.1` are both usual.
        full: String,
    },
    /// Clang, whose versions say nothing about GCC's.
    Clang {
        /// As its directory tells it.
        full: String,
    },
}

/// Longest word of a path that is taken for a version or a triple.
const WORD_BYTES: usize = 64;

impl ClientCompiler {
    /// Reads the path of one of a compiler's own headers:
    /// `…/lib/gcc/TRIPLE/VERSION/include/…` ("Installing GCC") or `…/lib/clang/VERSION/include/…`.
    ///
    /// A path that leads out of the directory again (`…/VERSION/../../../../include/c++/…`) is no header of the
    /// compiler: Clang finds GCC's C++ library that way.
    fn from_header(path: &[u8]) -> Option<Self> {
        let mut words = path.split(|byte| *byte == b'/');
        let mut library = false;
        let family = loop {
            let word = words.next()?;
            if library && matches!(word, b"gcc" | b"gcc-cross" | b"clang") {
                break word;
            }
            library = word.starts_with(b"lib");
        };
        let triple = if family == b"clang" {
            None
        } else {
            Some(words.next().and_then(plain)?)
        };
        let full = words.next().and_then(plain)?;
        if !matches!(words.next()?, b"include" | b"include-fixed") {
            return None;
        }
        // A header, not the directory itself.
        words.next()?;
        let major = full.split('.').next()?.parse().ok()?;
        let version = match triple {
            Some(_) => ClientVersion::Gcc { major, full },
            None => ClientVersion::Clang { full },
        };
        Some(Self { version, triple })
    }

    /// Reads the path of the directory that a compiler's own headers are in.
    pub(crate) fn from_directory(path: &[u8]) -> Option<Self> {
        Self::from_header(&[path, b"/header.h"].concat())
    }

    /// GCC's major version.
    pub(crate) fn gcc_major(&self) -> Option<u32> {
        match self.version {
            ClientVersion::Gcc { major, .. } => Some(major),
            ClientVersion::Clang { .. } => None,
        }
    }
}

fn plain(word: &[u8]) -> Option<String> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._+".contains(byte);
    let fits = !word.is_empty() && word.len() <= WORD_BYTES && word.iter().all(allowed);
    fits.then(|| String::from_utf8_lossy(word).into_owned())
}

impl fmt::Display for ClientVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gcc { full, .. } => write!(formatter, "GCC {full}"),
            Self::Clang { full } => write!(formatter, "Clang {full}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_compiler_tells_its_triple_and_version() {
        let cases = [
            (
                "/usr/lib/gcc/armv7l-unknown-linux-gnueabihf/16.2.1/include/stddef.h",
                "GCC 16.2.1 armv7l-unknown-linux-gnueabihf",
            ),
            (
                "/usr/lib/gcc/x86_64-linux-gnu/12/include/stddef.h",
                "GCC 12 x86_64-linux-gnu",
            ),
            (
                "/usr/lib64/gcc/x86_64-suse-linux/13/include-fixed/limits.h",
                "GCC 13 x86_64-suse-linux",
            ),
            (
                "/usr/lib/gcc-cross/arm-linux-gnueabihf/14/include/arm_neon.h",
                "GCC 14 arm-linux-gnueabihf",
            ),
            (
                "/opt/gcc-13/lib/gcc/x86_64-pc-linux-gnu/13.2.0/include/float.h",
                "GCC 13.2.0 x86_64-pc-linux-gnu",
            ),
            (
                "/usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h",
                "Clang 14.0.6 -",
            ),
            ("/usr/lib/clang/18/include/stddef.h", "Clang 18 -"),
        ];
        for (path, expected) in cases {
            let found = ClientCompiler::from_header(path.as_bytes()).unwrap();
            let triple = found.triple.as_deref().unwrap_or("-");
            assert_eq!(format!("{} {triple}", found.version), expected);
        }
    }

    #[test]
    fn other_paths_tell_nothing() {
        let long = format!("/usr/lib/gcc/{}/12/include/stddef.h", "x".repeat(65));
        for path in [
            "",
            "/usr/include/stdio.h",
            "/usr/lib/gcc/x86_64-linux-gnu/12/../../../../include/c++/12/vector",
            "/usr/lib/gcc/x86_64-linux-gnu/12/include",
            "/usr/lib/gcc/x86_64-linux-gnu/include/stddef.h",
            "/usr/lib/gcc/x86_64-linux-gnu/new/include/stddef.h",
            "/usr/lib/gcc//12/include/stddef.h",
            "/usr/lib/gcc/\x1b[2J/12/include/stddef.h",
            "/home/me/gcc/x86_64-linux-gnu/12/include/stddef.h",
            "/usr/lib/gcc/x86_64-linux-gnu/99999999999/include/stddef.h",
            &long,
        ] {
            assert_eq!(ClientCompiler::from_header(path.as_bytes()), None, "{path}");
        }
    }
}
