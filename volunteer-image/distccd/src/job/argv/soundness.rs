//! What must hold for every plan, said without the table of rules.

use std::os::unix::ffi::OsStrExt;

use super::{Driver, Layout, OUTPUT_NAME, Path, Plan, SOURCE_DIRECTORY, Shown};
use crate::job::pump::TreePath;

/// Beginnings of words that must never reach a compiler, whatever surrounds them.
pub(super) const DANGEROUS: &[&str] = &[
    "@",
    "-wrapper",
    "-fplugin",
    "-fpass-plugin",
    "-specs",
    "--specs",
    "-B",
    "--prefix",
    "-Xclang",
    "-mllvm",
    "-fuse-ld",
    "-iplugindir",
    "-T",
    "-dump",
    "-aux",
    "-fdump",
    "-save-temps",
    "--save-temps",
    "-fcallgraph-info",
    "-fstack-usage",
    "-gsplit-dwarf",
    "--serialize-diagnostics",
    "-fmodule",
    "-include-pch",
    "-isysroot",
    "--sysroot",
    "-fprofile-use",
    "-fprofile-generate",
    "-march=native",
    "-mtune=native",
    "-fno-preprocessed",
    "-fdirectives-only",
    "--output",
    "--include",
    "-Wp,",
    "-Wl,",
    "-E",
    "-fdiagnostics-add-output",
];

/// The same for a source that is preprocessed already.
pub(super) const PREPROCESSING: &[&str] = &[
    "-I", "-include", "-imacros", "-isystem", "-iquote", "-MF", "-MD",
];

/// Words whose slash is text and never opened.
const TEXT: &[&str] = &[
    "-fdebug-prefix-map=",
    "-ffile-prefix-map=",
    "-fmacro-prefix-map=",
    "-fprofile-prefix-map=",
    "-frandom-seed=",
    "-fdebug-compilation-dir=",
    "-ffile-compilation-dir=",
];

/// Checks what the policy makes of a command line for a preprocessed source.
///
/// `bytes` are its words, each but the first with a NUL in front. An odd number of bytes means the C++ driver.
///
/// # Panics
/// A plan is not sound.
pub fn check_soundness(bytes: &[u8]) {
    let (driver, words) = command(bytes);
    if let Ok(plan) = Plan::check(driver, &words) {
        assert_sound(&plan);
    }
}

/// The same for a source that is preprocessed here.
///
/// # Panics
/// A plan is not sound.
pub fn check_pump_soundness(bytes: &[u8]) {
    let (driver, words) = command(bytes);
    if let Ok(plan) = Plan::check_pump(driver, &words) {
        assert_sound_in_tree(&plan);
    }
}

fn command(bytes: &[u8]) -> (Driver, Vec<Vec<u8>>) {
    let driver = if bytes.len().is_multiple_of(2) {
        Driver::C
    } else {
        Driver::Cxx
    };
    let words = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    (driver, words.collect())
}

/// Options whose value, a word of its own, is never opened.
const BEFORE_TEXT: &[&str] = &["-D", "-U", "-A", "-MT", "-MQ"];

/// Panics unless every word that could be opened leads to the job's own directory.
fn assert_sound_in_tree(plan: &Plan) {
    let layout = Layout::sample("/w/p");
    let directory = TreePath::parse(b"/w/p").expect("a plain path");
    let words = plan.words_in(&layout, &[]);
    let before = std::iter::once(None).chain(words.iter().map(Some));
    for (before, word) in before.zip(&words) {
        let bytes = word.as_bytes();
        let starts = |beginning: &&str| bytes.starts_with(beginning.as_bytes());
        let shown = Shown::new(bytes);
        assert!(!bytes.contains(&0), "{shown}");
        let is_text =
            before.is_some_and(|before| BEFORE_TEXT.iter().any(|option| before == option));
        if is_text {
            continue;
        }
        assert!(!DANGEROUS.iter().any(starts), "{shown}");
        if bytes.starts_with(b"/") {
            let inside = bytes.strip_prefix(b"/tmp/job/".as_slice());
            let in_tree = inside.and_then(|inside| inside.strip_prefix(b"tree"));
            let left = in_tree.is_some_and(|path| TreePath::default().is_left_by(path));
            assert!(inside.is_some() && !left, "{shown}");
        } else if !bytes.starts_with(b"-") {
            assert!(!directory.is_left_by(bytes), "{shown}");
        }
    }
}

/// Panics unless nothing dangerous got through, no word names a file elsewhere, and there is one output and one source
/// whose language is stated.
pub(super) fn assert_sound(plan: &Plan) {
    let source = Path::new(SOURCE_DIRECTORY).join(plan.source_name());
    assert_eq!(source.components().count(), 2);
    let words = plan.words(&[]);
    for word in words.iter().filter(|word| **word != source) {
        let word = word.as_bytes();
        let starts = |beginnings: &[&str]| {
            let mut beginnings = beginnings.iter();
            beginnings.any(|beginning| word.starts_with(beginning.as_bytes()))
        };
        let shown = Shown::new(word);
        assert!(!starts(DANGEROUS) && !starts(PREPROCESSING), "{shown}");
        assert!(!word.contains(&b'/') || starts(TEXT), "{shown}");
        assert!(!word.contains(&0), "{shown}");
    }
    let outputs: Vec<_> = words.windows(2).filter(|pair| pair[0] == "-o").collect();
    assert_eq!(outputs.len(), 1, "{words:?}");
    assert_eq!(outputs[0][1], OUTPUT_NAME);
    let sources: Vec<_> = words
        .windows(3)
        .filter(|triple| triple[0] == "-x")
        .collect();
    assert_eq!(sources.len(), 1, "{words:?}");
    assert!(sources[0][1].as_bytes().ends_with(b"cpp-output"));
    assert_eq!(Path::new(&sources[0][2]), source);
}
