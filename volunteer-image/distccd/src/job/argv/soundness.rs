//! What must hold for every plan, said without the table of rules.

use std::os::unix::ffi::OsStrExt;

use super::*;

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
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
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
    "-MF",
    "-MD",
    "-E",
    "-I",
    "-fdiagnostics-add-output",
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

/// Panics unless nothing dangerous got through, no word names a file elsewhere, and there is one output and one source
/// whose language is stated.
pub(crate) fn assert_sound(plan: &Plan) {
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
        assert!(!starts(DANGEROUS), "{shown}");
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
