//! The cases: what the stock client compiles, and what it sees of either server.

mod languages;
mod local;
mod names;
mod options;
mod refused;

use crate::server::Kind;

/// A command for the stock client, and what must come of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [(&'static str, Contents)],
    /// Behind `distcc`.
    pub(crate) words: Vec<&'static str>,
    /// The file that the command makes.
    pub(crate) output: &'static str,
    /// A file that the client's own preprocessor makes beside it.
    pub(crate) side: Option<&'static str>,
    /// A file without which the case cannot run, and the package it is from.
    pub(crate) needs: Option<(&'static str, &'static str)>,
    stock: Seen,
    pub(crate) differs: Option<Differs>,
}

/// What our daemon does instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Differs {
    pub(crate) ours: Seen,
    pub(crate) why: &'static str,
}

/// A file's contents.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contents {
    Text(&'static str),
    Made(fn() -> String),
    Link(&'static str),
}

/// What is seen of a compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The server made the very bytes that a local compile makes.
    Compiled,
    /// The server made something else.
    Other,
    /// The server sent an object of no bytes, as a success.
    Empty,
    /// The server was asked and the client ended with this code: the compiler's, 116 for a closed connection, 200 for
    /// a refusal with a reason.
    Failed(i32),
    /// The client never asked, and ended with this code.
    Local(i32),
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let kinds = [
        languages::all(),
        languages::messages(),
        options::of_the_compiler(),
        options::of_the_preprocessor(),
        names::all(),
        local::all(),
        refused::all(),
    ];
    kinds.concat()
}

const C: &str = include_str!("sources/plain.c");
const CXX: &str = include_str!("sources/plain.cc");

/// A source that tells its compiler's version, because it includes one of the compiler's own headers.
const ONE: &[(&str, Contents)] = &[("a.c", Contents::Text(C))];
const ONE_CXX: &[(&str, Contents)] = &[("a.cc", Contents::Text(CXX))];

/// A source that tells nothing.
const SMALL: &str = "int f(void) { return 1; }\n";

/// Why the stock daemon's object is not the local one where no line marker names the source.
const OWN_NAME: &str = "the stock daemon's temporary name stands in the object";

impl Case {
    /// `words` are separated by blanks.
    fn new(
        name: &'static str,
        files: &'static [(&'static str, Contents)],
        words: &'static str,
    ) -> Self {
        Self {
            name,
            files,
            words: words.split(' ').collect(),
            output: "a.o",
            side: None,
            needs: None,
            stock: Seen::Compiled,
            differs: None,
        }
    }

    /// For words with blanks in them.
    fn words(self, words: &[&'static str]) -> Self {
        Self {
            words: words.to_vec(),
            ..self
        }
    }

    fn output(self, output: &'static str) -> Self {
        Self { output, ..self }
    }

    fn side(self, side: &'static str) -> Self {
        Self {
            side: Some(side),
            ..self
        }
    }

    fn needs(self, file: &'static str, package: &'static str) -> Self {
        Self {
            needs: Some((file, package)),
            ..self
        }
    }

    fn seen(self, stock: Seen) -> Self {
        Self { stock, ..self }
    }

    fn but_ours(self, ours: Seen, why: &'static str) -> Self {
        Self {
            differs: Some(Differs { ours, why }),
            ..self
        }
    }

    /// What must be seen of a server of this kind.
    pub(crate) fn expected(&self, kind: Kind) -> Seen {
        match (kind, &self.differs) {
            (Kind::Ours, Some(differs)) => differs.ours,
            _ => self.stock,
        }
    }
}
