//! The proof: a few real sources, compiled by this machine's compiler and by the farm, compared section by section.

pub mod comment;
mod compare;
mod run;

use super::Unknown;

pub use compare::{Verdict, compare};
pub use run::{Prover, Witness, prove};

/// A source that is shipped with farmctl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its file name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Whether it is C++.
    pub is_cxx: bool,
}

/// What is compiled: integers, floating point and jump tables; text and static data; templates and exceptions; virtual
/// functions and run-time types.
pub const SOURCES: [Source; 4] = [
    Source {
        name: "numbers.c",
        text: include_str!("sources/numbers.c"),
        is_cxx: false,
    },
    Source {
        name: "words.c",
        text: include_str!("sources/words.c"),
        is_cxx: false,
    },
    Source {
        name: "heap.cc",
        text: include_str!("sources/heap.cc"),
        is_cxx: true,
    },
    Source {
        name: "shapes.cc",
        text: include_str!("sources/shapes.cc"),
        is_cxx: true,
    },
];

/// How each source is compiled: as packages are, and with what debuggers need.
pub const OPTIONS: [&[&str]; 2] = [&["-O2", "-Wall"], &["-O2", "-g"]];

/// One source, one set of options, one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The host.
    pub place: String,
    /// The source.
    pub source: &'static str,
    /// The options.
    pub options: &'static [&'static str],
    /// Whether distcc sent it, or the doctor itself.
    pub by_distcc: bool,
    /// The version that compiled here.
    pub here: Option<String>,
    /// The version that compiled there.
    pub there: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Both compiled.
    Compared(Verdict),
    /// It compiles here and not there.
    FailedThere(String),
    /// It does not compile here either.
    NotTried(Unknown),
}

impl Proof {
    /// The source and its options.
    pub fn title(&self) -> String {
        format!("{} with {}", self.source, self.options.join(" "))
    }
}
