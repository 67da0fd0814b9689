//! Languages, as GCC's `-x` and its file name endings tell them ("Options Controlling the Kind of Output").

/// Which of GCC's drivers the client named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// `gcc`, `cc`, `cpp`.
    C,
    /// `g++`, `c++`: takes C sources for C++.
    Cxx,
}

/// A language whose preprocessed form can be compiled here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    C,
    Cxx,
    ObjectiveC,
    ObjectiveCxx,
}

impl Language {
    /// The language that `-x name` asks for; `None` for languages that do not come preprocessed.
    pub(super) fn from_option(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"c" | b"cpp-output" => Self::C,
            b"c++" | b"c++-cpp-output" => Self::Cxx,
            b"objective-c" | b"objective-c-cpp-output" => Self::ObjectiveC,
            b"objective-c++" | b"objective-c++-cpp-output" => Self::ObjectiveCxx,
            _ => return None,
        })
    }

    /// The language that a source's ending tells `driver`; `None` if the word is no source of a known language.
    pub(super) fn from_ending(driver: Driver, ending: &[u8]) -> Option<Self> {
        Some(match (ending, driver) {
            (b"c" | b"i", Driver::C) => Self::C,
            (b"c" | b"i", Driver::Cxx)
            | (b"ii" | b"cc" | b"cpp" | b"cxx" | b"cp" | b"c++" | b"C", _) => Self::Cxx,
            (b"m" | b"mi", _) => Self::ObjectiveC,
            (b"mm" | b"M" | b"mii", _) => Self::ObjectiveCxx,
            _ => return None,
        })
    }

    /// What `-x` must say so that the compiler does not preprocess again: `#include` of the volunteer's files would
    /// work otherwise.
    pub(super) fn preprocessed(self) -> &'static str {
        match self {
            Self::C => "cpp-output",
            Self::Cxx => "c++-cpp-output",
            Self::ObjectiveC => "objective-c-cpp-output",
            Self::ObjectiveCxx => "objective-c++-cpp-output",
        }
    }

    /// What `-x` says for a source that is not preprocessed.
    pub(super) fn not_preprocessed(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cxx => "c++",
            Self::ObjectiveC => "objective-c",
            Self::ObjectiveCxx => "objective-c++",
        }
    }

    /// The usual ending of a preprocessed source.
    pub(super) fn preprocessed_ending(self) -> &'static str {
        match self {
            Self::C => "i",
            Self::Cxx => "ii",
            Self::ObjectiveC => "mi",
            Self::ObjectiveCxx => "mii",
        }
    }
}

/// Whether a source with this ending is preprocessed.
pub(super) fn is_preprocessed_ending(ending: &[u8]) -> bool {
    matches!(ending, b"i" | b"ii" | b"mi" | b"mii")
}
