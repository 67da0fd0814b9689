//! What a client may ask of a compiler.
//!
//! The security core, and pure: argument words in, a [`Plan`] or a [`Refusal`] out. Every word is looked up in the
//! table of [`rules`]; one that the table does not know is refused. What remains names no file: the source and the
//! output are placeholders until [`Plan::words`] writes their fixed names.

mod assembler;
mod language;
mod refusal;
mod rules;
mod scan;
mod shown;
mod source;

#[cfg(test)]
mod properties;
#[cfg(any(test, feature = "fuzzing"))]
mod soundness;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub(crate) use language::Driver;
pub(crate) use refusal::Refusal;
pub(crate) use shown::Shown;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use soundness::assert_sound;

use language::Language;
use source::SourceName;

/// The one name that a compiler may write its result to, inside the job's own directory.
pub(crate) const OUTPUT_NAME: &str = "object.o";

/// The directory, inside the job's own, that holds the source.
///
/// Not the working directory: compilers look there for the file that a line marker names, to show the line in question.
/// They would find the preprocessed text under the same name and show a wrong line.
pub(crate) const SOURCE_DIRECTORY: &str = ".preprocessed";

/// Options that change what kind of object is made. A triple behind `-target` may be the usual one; it need not.
const ABI_OPTIONS: &[&str] = &[
    "-m16",
    "-m32",
    "-m64",
    "-mx32",
    "-mabi=*",
    "-target",
    "--target=*",
];

/// A checked argument list: one source, one result, nothing that names a file of the volunteer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    product: Product,
    language: Language,
    source: SourceName,
    words: Vec<Word>,
    link_time: bool,
}

/// What the compiler makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// `-c`: an object file.
    Object,
    /// `-S`: assembler text.
    Assembly,
}

/// One word of the command line, in the client's order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// Passed on as it came.
    Client(OsString),
    /// Where the client named its output.
    Output,
    /// Where the client named its source.
    Source,
}

impl Plan {
    /// Checks the words behind the compiler's name.
    ///
    /// `driver` decides the language of sources whose name leaves it open, as it does in GCC.
    pub(crate) fn check(driver: Driver, arguments: &[Vec<u8>]) -> Result<Self, Refusal> {
        scan::scan(driver, arguments)
    }

    /// What the compiler will make.
    pub(crate) fn product(&self) -> Product {
        self.product
    }

    /// Whether the result holds intermediate code, which only the version that wrote it can read.
    pub(crate) fn link_time(&self) -> bool {
        self.link_time
    }

    /// Whether the client itself says for which machine or ABI to compile.
    pub(crate) fn names_abi(&self) -> bool {
        let names = |word: &Word| match word {
            Word::Client(word) => {
                let word = word.as_encoded_bytes();
                ABI_OPTIONS
                    .iter()
                    .any(|pattern| rules::matches(pattern, word))
            }
            Word::Output | Word::Source => false,
        };
        self.words.iter().any(names)
    }

    /// The name of the source inside [`SOURCE_DIRECTORY`].
    pub(crate) fn source_name(&self) -> &OsStr {
        self.source.as_os_str()
    }

    /// The words to put behind the compiler: the toolchain's `defaults`, then the client's own, so that these win.
    pub(crate) fn words(&self, defaults: &[String]) -> Vec<OsString> {
        let mut words: Vec<OsString> = defaults.iter().map(OsString::from).collect();
        for word in &self.words {
            match word {
                Word::Client(word) => words.push(word.clone()),
                Word::Output => words.extend(["-o", OUTPUT_NAME].map(OsString::from)),
                Word::Source => {
                    words.extend(["-x", self.language.preprocessed()].map(OsString::from));
                    words.push(Path::new(SOURCE_DIRECTORY).join(self.source_name()).into());
                }
            }
        }
        words
    }
}
