//! What a client may ask of a compiler.
//!
//! The security core, and pure: argument words in, a [`Plan`] or a [`Refusal`] out. Every word is looked up in the
//! table of [`rules`]; one that the table does not know is refused. What remains names no file: the source and the
//! output are placeholders until [`Plan::words`] writes their fixed names. In pump mode, where [`pump_rules`] come
//! first, paths are placeholders, too, until [`Plan::words_in`] puts them into the tree of the client's files.

mod assembler;
mod language;
mod pump_rules;
mod refusal;
mod rules;
mod scan;
mod shown;
mod source;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod pump_tests;
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
pub use soundness::{check_pump_soundness, check_soundness};

use super::pump::Layout;
use language::Language;
use scan::Form;
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
    /// What the client's `-x` asked for, if it has one.
    asked: Option<Language>,
    source: SourceName,
    /// As the client named it.
    source_path: OsString,
    /// What the client calls the result.
    output: OsString,
    words: Vec<Word>,
    link_time: bool,
    dependencies: Dependencies,
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
    /// Pump mode: an option with a path of the client's.
    Named {
        option: OsString,
        path: OsString,
        kind: Kind,
    },
    /// Pump mode: an option that writes `new` where paths begin with `old`; `new` begins with its equals sign.
    PrefixMap {
        option: OsString,
        old: OsString,
        new: OsString,
    },
}

/// What a path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
}

/// What the client said of the dependency file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Dependencies {
    /// Whether it wants one.
    asked: bool,
    /// Whether it named what depends.
    target: bool,
}

impl Plan {
    /// Checks the words behind the compiler's name, for a source that the client has preprocessed.
    ///
    /// `driver` decides the language of sources whose name leaves it open, as it does in GCC.
    pub(crate) fn check(driver: Driver, arguments: &[Vec<u8>]) -> Result<Self, Refusal> {
        scan::scan(driver, Form::Preprocessed, arguments)
    }

    /// Checks the words behind the compiler's name, for a source that is to be preprocessed here.
    pub(crate) fn check_pump(driver: Driver, arguments: &[Vec<u8>]) -> Result<Self, Refusal> {
        scan::scan(driver, Form::Pump, arguments)
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
            Word::Output | Word::Source | Word::Named { .. } | Word::PrefixMap { .. } => false,
        };
        self.words.iter().any(names)
    }

    /// The name of the source inside [`SOURCE_DIRECTORY`].
    pub(crate) fn source_name(&self) -> &OsStr {
        self.source.as_os_str()
    }

    /// What the client calls the result.
    pub(crate) fn output(&self) -> &OsStr {
        &self.output
    }

    /// The directories in which headers are looked for, as the client names them.
    pub(crate) fn search_directories(&self) -> impl Iterator<Item = &OsStr> {
        self.words.iter().filter_map(|word| match word {
            Word::Named {
                path,
                kind: Kind::Directory,
                ..
            } => Some(path.as_os_str()),
            _ => None,
        })
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
                // The preprocessor's, which is done; the table has no such rule.
                Word::Named { .. } | Word::PrefixMap { .. } => {}
            }
        }
        words
    }

    /// The words to put behind the compiler where it preprocesses, too: paths lead into the tree that `layout` knows,
    /// and do not show in the object.
    pub(crate) fn words_in(&self, layout: &Layout, defaults: &[String]) -> Vec<OsString> {
        let mut words: Vec<OsString> = defaults.iter().map(OsString::from).collect();
        if self.link_time {
            words.extend(layout.intermediate_code_maps());
        }
        // The last map that fits a path wins. So the client's for its system directories, which have their names here,
        // too, go before the one that hides the tree, and those for what is in the tree behind it.
        words.extend(self.words.iter().filter_map(Word::as_it_came));
        words.extend(layout.prefix_maps());
        for word in &self.words {
            match word {
                Word::Client(word) => words.push(word.clone()),
                Word::Output => words.extend(["-o".into(), layout.output()]),
                Word::Source => {
                    if let Some(asked) = self.asked {
                        words.extend(["-x", asked.not_preprocessed()].map(OsString::from));
                    }
                    words.push(layout.place(&self.source_path));
                }
                Word::Named { option, path, .. } => {
                    words.extend([option.clone(), layout.place(path)]);
                }
                Word::PrefixMap { option, old, new } => {
                    words.push(joined([option, &layout.place_prefix(old), new]));
                }
            }
        }
        words.extend(self.dependency_words(layout));
        words
    }

    /// Dependencies go to a file of ours, and are those of what the client calls the result.
    fn dependency_words(&self, layout: &Layout) -> Vec<OsString> {
        let mut words = Vec::new();
        if !self.dependencies.asked {
            words.push("-MMD".into());
        }
        if !self.dependencies.target {
            words.push(joined(["-MQ".as_ref(), &self.output]));
        }
        words.extend(["-MF".into(), layout.dependencies()]);
        words
    }
}

impl Word {
    /// Whether paths in intermediate code are relative because of it.
    fn makes_relative(&self) -> bool {
        matches!(self, Self::PrefixMap { new, .. } if !new.as_encoded_bytes().starts_with(b"=/"))
    }

    /// A prefix map as the client sent it.
    fn as_it_came(&self) -> Option<OsString> {
        match self {
            Self::PrefixMap { option, old, new } => Some(joined([option, old, new])),
            _ => None,
        }
    }
}

fn joined<const COUNT: usize>(parts: [&OsStr; COUNT]) -> OsString {
    parts.into_iter().collect()
}
