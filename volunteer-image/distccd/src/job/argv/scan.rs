//! Reads an argument list word by word and applies the table.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::language::{self, Driver, Language};
use super::refusal::{Refusal, Why};
use super::rules::{Action, Table, Value};
use super::source::{self, SourceName};
use super::{Dependencies, Kind, Plan, Product, Shown, Word, assembler};

pub(super) fn scan(driver: Driver, form: Form, arguments: &[Vec<u8>]) -> Result<Plan, Refusal> {
    if arguments.iter().any(|word| word.contains(&0)) {
        return Err(Refusal::Nul);
    }
    let mut scan = Scan {
        driver,
        form,
        rest: arguments,
        words: Vec::new(),
        product: None,
        asked: None,
        source: None,
        output: None,
        link_time: false,
        dependencies: Dependencies::default(),
        prefix: None,
    };
    while let Some((word, rest)) = scan.rest.split_first() {
        scan.rest = rest;
        scan.word(word)?;
    }
    scan.plan()
}

/// Whether the client has preprocessed the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Preprocessed,
    Pump,
}

impl Form {
    fn table(self) -> Table {
        match self {
            Self::Preprocessed => Table::PREPROCESSED,
            Self::Pump => Table::PUMP,
        }
    }
}

struct Scan<'a> {
    driver: Driver,
    form: Form,
    rest: &'a [Vec<u8>],
    words: Vec<Word>,
    product: Option<Product>,
    /// What the last `-x` before the source asked for.
    asked: Option<Language>,
    source: Option<(&'a [u8], Language)>,
    /// What the client calls the result.
    output: Option<&'a [u8]>,
    link_time: bool,
    dependencies: Dependencies,
    /// The value of the last `-iprefix`.
    prefix: Option<&'a [u8]>,
}

impl<'a> Scan<'a> {
    fn word(&mut self, word: &'a [u8]) -> Result<(), Refusal> {
        if word.starts_with(b"-") && word != b"-" || word.starts_with(b"@") {
            self.option(word)
        } else {
            self.file(word)
        }
    }

    fn option(&mut self, option: &'a [u8]) -> Result<(), Refusal> {
        match self.form.table().action(option) {
            Action::Refuse(why) => Err(Refusal::Option(Shown::new(option), why)),
            Action::KeepText => {
                self.keep(option);
                Ok(())
            }
            Action::Keep(value) => self.keep_checked(option, value),
            Action::IntermediateCode => {
                self.link_time = true;
                self.keep_checked(option, Value::Within)
            }
            Action::NoIntermediateCode => {
                self.link_time = false;
                self.keep(option);
                Ok(())
            }
            Action::Drop(value) => self.value(option, value).map(drop),
            Action::Compile => {
                self.product(Product::Object, option);
                Ok(())
            }
            Action::Assemble => {
                self.product(Product::Assembly, option);
                Ok(())
            }
            Action::Output => self.output(option),
            Action::Language => self.language(option),
            Action::AssemblerList => {
                assembler::check_list(&option[self.stem_length(option)..])?;
                self.keep(option);
                Ok(())
            }
            Action::AssemblerWord => {
                let word = self.value(option, Value::Next)?;
                assembler::check(word)?;
                self.keep(option);
                self.keep(word);
                Ok(())
            }
            Action::MaybeOrphaned => self.maybe_orphaned(option),
            Action::Text => self.text(option),
            Action::Directory => self.named(option, Kind::Directory),
            Action::File => self.named(option, Kind::File),
            Action::Prefix => {
                self.prefix = Some(self.path(option)?);
                Ok(())
            }
            Action::Prefixed(whole) => self.prefixed(option, whole),
            Action::Dependencies => {
                self.dependencies.asked = true;
                self.keep(option);
                Ok(())
            }
            Action::Target => {
                self.dependencies.target = true;
                self.text(option)
            }
            Action::PrefixMap => {
                self.prefix_map(option);
                Ok(())
            }
        }
    }

    fn stem_length(&self, option: &[u8]) -> usize {
        self.form.table().stem_length(option)
    }

    /// Keeps an option and its value as one word, in which nothing but the option is looked at.
    fn text(&mut self, option: &'a [u8]) -> Result<(), Refusal> {
        let stem = &option[..self.stem_length(option)];
        let value = self.value(option, Value::WithinOrNext)?;
        if value.is_empty() {
            return Err(Refusal::ValueMissing(Shown::new(option)));
        }
        self.keep(&[stem, value].concat());
        Ok(())
    }

    fn named(&mut self, option: &'a [u8], kind: Kind) -> Result<(), Refusal> {
        let stem = &option[..self.stem_length(option)];
        let path = self.path(option)?;
        self.words.push(Word::Named {
            option: text_of(stem),
            path: text_of(path),
            kind,
        });
        Ok(())
    }

    fn prefixed(&mut self, option: &'a [u8], whole: &'static str) -> Result<(), Refusal> {
        let prefix = self
            .prefix
            .ok_or_else(|| Refusal::NoPrefix(Shown::new(option)))?;
        let rest = self.value(option, Value::WithinOrNext)?;
        self.words.push(Word::Named {
            option: whole.into(),
            path: text_of(&[prefix, rest].concat()),
            kind: Kind::Directory,
        });
        Ok(())
    }

    /// The value of an option that is a path of the client's, relative or absolute.
    fn path(&mut self, option: &'a [u8]) -> Result<&'a [u8], Refusal> {
        let path = self.value(option, Value::WithinOrNext)?;
        let shown = || Shown::new(option);
        match path {
            b"" => Err(Refusal::ValueMissing(shown())),
            // Compilers put their system root in front of these.
            path if path.starts_with(b"=") || path.starts_with(b"$SYSROOT") => {
                Err(Refusal::SystemRoot(shown()))
            }
            path if path.starts_with(b"-") || path.starts_with(b"@") => {
                Err(Refusal::OddValue(shown()))
            }
            path => Ok(path),
        }
    }

    fn prefix_map(&mut self, option: &[u8]) {
        let (stem, map) = option.split_at(self.stem_length(option));
        match map.iter().position(|byte| *byte == b'=') {
            Some(end) => self.words.push(Word::PrefixMap {
                option: text_of(stem),
                old: text_of(&map[..end]),
                new: text_of(&map[end..]),
            }),
            // The compiler will say what is wrong with it.
            None => self.keep(option),
        }
    }

    fn keep_checked(&mut self, option: &'a [u8], value: Value) -> Result<(), Refusal> {
        if option.contains(&b'/') {
            return Err(Refusal::Path(Shown::new(option)));
        }
        self.keep(option);
        if value != Value::Within {
            let value = self.value(option, value)?;
            // The driver reads `@file` wherever it stands, a value's place included.
            if value.contains(&b'/') || value.starts_with(b"@") || value.starts_with(b"-") {
                return Err(Refusal::Path(Shown::new(option)));
            }
            self.keep(value);
        }
        Ok(())
    }

    /// The value of `option`, taken from the rest of the list where the option does not hold it itself.
    fn value(&mut self, option: &'a [u8], value: Value) -> Result<&'a [u8], Refusal> {
        let within = &option[self.stem_length(option)..];
        match value {
            Value::Within => return Ok(within),
            Value::WithinOrNext if !within.is_empty() => return Ok(within),
            Value::WithinOrNext | Value::Next => {}
        }
        let (next, rest) = self
            .rest
            .split_first()
            .ok_or_else(|| Refusal::ValueMissing(Shown::new(option)))?;
        self.rest = rest;
        Ok(next)
    }

    fn product(&mut self, product: Product, option: &[u8]) {
        // GCC lets -S win whatever the order.
        if self.product != Some(Product::Assembly) {
            self.product = Some(product);
        }
        self.keep(option);
    }

    fn output(&mut self, option: &'a [u8]) -> Result<(), Refusal> {
        let name = self.value(option, Value::WithinOrNext)?;
        if self.output.is_some() {
            return Err(Refusal::SecondOutput);
        }
        self.output = Some(name);
        self.words.push(Word::Output);
        Ok(())
    }

    fn language(&mut self, option: &'a [u8]) -> Result<(), Refusal> {
        let name = self.value(option, Value::WithinOrNext)?;
        if self.form == Form::Pump && name.ends_with(b"cpp-output") {
            return Err(Refusal::Language(Shown::new(name)));
        }
        if self.source.is_some() {
            // Behind the only source it changes nothing.
            return Ok(());
        }
        self.asked = match name {
            b"none" => None,
            name => Some(
                Language::from_option(name).ok_or_else(|| Refusal::Language(Shown::new(name)))?,
            ),
        };
        Ok(())
    }

    fn maybe_orphaned(&mut self, option: &[u8]) -> Result<(), Refusal> {
        let Some((next, rest)) = self.rest.split_first() else {
            return Ok(());
        };
        let belongs_to_compiler = next.starts_with(b"-o")
            || next == b"-c"
            || next == b"-S"
            || is_source(self.driver, next);
        let belongs_to_linker = next.starts_with(b"--") || !next.starts_with(b"-");
        if belongs_to_compiler {
            Ok(())
        } else if option == b"-Xlinker" && belongs_to_linker {
            self.rest = rest;
            Ok(())
        } else {
            Err(Refusal::Option(Shown::new(option), Why::Ambiguous))
        }
    }

    fn file(&mut self, word: &'a [u8]) -> Result<(), Refusal> {
        let ending = source::ending(word);
        let Some(told) = ending.and_then(|ending| Language::from_ending(self.driver, ending))
        else {
            return Err(match ending {
                Some(b"s" | b"S" | b"sx") => Refusal::AssemblerSource(Shown::new(word)),
                _ => Refusal::Word(Shown::new(word)),
            });
        };
        if self.form == Form::Pump && ending.is_some_and(language::is_preprocessed_ending) {
            return Err(Refusal::Preprocessed(Shown::new(word)));
        }
        if let Some((first, _)) = self.source {
            return Err(Refusal::SecondSource(Shown::new(first), Shown::new(word)));
        }
        self.source = Some((word, self.asked.unwrap_or(told)));
        self.words.push(Word::Source);
        Ok(())
    }

    fn keep(&mut self, word: &[u8]) {
        self.words.push(Word::Client(text_of(word)));
    }

    fn plan(mut self) -> Result<Plan, Refusal> {
        let product = self.product.ok_or(Refusal::NoCompile)?;
        let (word, language) = self.source.ok_or(Refusal::NoSource)?;
        if self.link_time && self.words.iter().any(Word::makes_relative) {
            return Err(Refusal::RelativeMap);
        }
        let output = self.output.map_or_else(
            || {
                self.words.push(Word::Output);
                source::object_name(word)
            },
            text_of,
        );
        Ok(Plan {
            product,
            language,
            asked: self.asked,
            source: SourceName::new(word, language),
            source_path: text_of(word),
            output,
            words: self.words,
            link_time: self.link_time,
            dependencies: self.dependencies,
        })
    }
}

fn text_of(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

fn is_source(driver: Driver, word: &[u8]) -> bool {
    !word.starts_with(b"-")
        && source::ending(word)
            .is_some_and(|ending| Language::from_ending(driver, ending).is_some())
}
