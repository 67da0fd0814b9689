//! What must hold for every argument list, the table aside.

use std::os::unix::ffi::OsStrExt;

use proptest::prelude::*;

use super::*;

/// Beginnings of words that must never reach a compiler, whatever surrounds them.
const DANGEROUS: &[&str] = &[
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

fn word() -> impl Strategy<Value = Vec<u8>> {
    let ordinary = prop::sample::select(vec![
        "-c",
        "-S",
        "-o",
        "-x",
        "c",
        "c++",
        "none",
        "a.c",
        "dir/b.cc",
        "/abs/c.i",
        "-O2",
        "-g",
        "-std=c11",
        "--param",
        "-Xlinker",
        "-Xpreprocessor",
        "-Xassembler",
        "-Wa,",
        "-D",
        "-MT",
        "-fdebug-prefix-map=/a=/b",
        "-frandom-seed=x/y",
        "",
        "-",
        "--",
    ]);
    let dangerous = prop::sample::select(DANGEROUS);
    let ending = prop::sample::select(vec!["", "=x", "=/etc/passwd", "../x", ",-o,/x", " "]);
    prop_oneof![
        4 => ordinary.prop_map(|word| word.as_bytes().to_vec()),
        2 => (dangerous, ending).prop_map(|(word, ending)| format!("{word}{ending}").into_bytes()),
        1 => "-[a-zA-Z]{1,3}[=,/.@a-z]{0,6}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn driver() -> impl Strategy<Value = Driver> {
    prop::sample::select(vec![Driver::C, Driver::Cxx])
}

fn arguments() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Half of the lists have what a compile needs, so that the interesting words are the only reason to refuse.
    (prop::collection::vec(word(), 0..8), any::<bool>()).prop_map(|(mut list, complete)| {
        if complete {
            list.extend(["-c", "a.c"].map(|word| word.as_bytes().to_vec()));
        }
        list
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn nothing_refused_gets_through_and_no_word_names_a_file_elsewhere(driver in driver(), arguments in arguments()) {
        let Ok(plan) = Plan::check(driver, &arguments) else { return Ok(()) };
        let source = Path::new(SOURCE_DIRECTORY).join(plan.source_name());
        prop_assert_eq!(source.components().count(), 2);
        for word in plan.words(&[]).into_iter().filter(|word| *word != source) {
            let word = word.as_bytes();
            let starts = |beginnings: &[&str]| beginnings.iter().any(|beginning| word.starts_with(beginning.as_bytes()));
            prop_assert!(!starts(DANGEROUS), "{:?}", Shown::new(word));
            prop_assert!(!word.contains(&b'/') || starts(TEXT), "{:?}", Shown::new(word));
            prop_assert!(!word.contains(&0));
        }
    }

    #[test]
    fn every_plan_has_one_output_and_one_source_of_stated_language(driver in driver(), arguments in arguments()) {
        let Ok(plan) = Plan::check(driver, &arguments) else { return Ok(()) };
        let words = plan.words(&[]);
        let outputs: Vec<_> = words.windows(2).filter(|pair| pair[0] == "-o").collect();
        prop_assert_eq!(outputs.len(), 1);
        prop_assert_eq!(&outputs[0][1], OUTPUT_NAME);
        let sources: Vec<_> = words.windows(3).filter(|triple| triple[0] == "-x").collect();
        prop_assert_eq!(sources.len(), 1);
        prop_assert!(sources[0][1].as_bytes().ends_with(b"cpp-output"));
        prop_assert_eq!(Path::new(&sources[0][2]), Path::new(SOURCE_DIRECTORY).join(plan.source_name()));
    }
}
