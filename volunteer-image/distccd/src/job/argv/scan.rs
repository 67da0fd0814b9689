//! Reads an argument list word by word and applies the table.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::language::{Driver, Language};
use super::refusal::{Refusal, Why};
use super::rules::{self, Action, Value};
use super::source::{self, SourceName};
use super::{Plan, Product, Shown, Word, assembler};

pub(super) fn scan(driver: Driver, arguments: &[Vec<u8>]) -> Result<Plan, Refusal> {
    if arguments.iter().any(|word| word.contains(&0)) {
        return Err(Refusal::Nul);
    }
    let mut scan = Scan {
        driver,
        rest: arguments,
        words: Vec::new(),
        product: None,
        asked: None,
        source: None,
        output: false,
        link_time: false,
    };
    while let Some((word, rest)) = scan.rest.split_first() {
        scan.rest = rest;
        scan.word(word)?;
    }
    scan.plan()
}

struct Scan<'a> {
    driver: Driver,
    rest: &'a [Vec<u8>],
    words: Vec<Word>,
    product: Option<Product>,
    /// What the last `-x` before the source asked for.
    asked: Option<Language>,
    source: Option<(&'a [u8], Language)>,
    output: bool,
    link_time: bool,
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
        match rules::action(option) {
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
                assembler::check_list(&option[rules::stem_length(option)..])?;
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
        let within = &option[rules::stem_length(option)..];
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
        self.value(option, Value::WithinOrNext)?;
        if self.output {
            return Err(Refusal::SecondOutput);
        }
        self.output = true;
        self.words.push(Word::Output);
        Ok(())
    }

    fn language(&mut self, option: &'a [u8]) -> Result<(), Refusal> {
        let name = self.value(option, Value::WithinOrNext)?;
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
        if let Some((first, _)) = self.source {
            return Err(Refusal::SecondSource(Shown::new(first), Shown::new(word)));
        }
        self.source = Some((word, self.asked.unwrap_or(told)));
        self.words.push(Word::Source);
        Ok(())
    }

    fn keep(&mut self, word: &[u8]) {
        self.words
            .push(Word::Client(OsString::from_vec(word.to_vec())));
    }

    fn plan(mut self) -> Result<Plan, Refusal> {
        let product = self.product.ok_or(Refusal::NoCompile)?;
        let (word, language) = self.source.ok_or(Refusal::NoSource)?;
        if !self.output {
            self.words.push(Word::Output);
        }
        Ok(Plan {
            product,
            language,
            source: SourceName::new(word, language),
            words: self.words,
            link_time: self.link_time,
        })
    }
}

fn is_source(driver: Driver, word: &[u8]) -> bool {
    !word.starts_with(b"-")
        && source::ending(word)
            .is_some_and(|ending| Language::from_ending(driver, ending).is_some())
}
