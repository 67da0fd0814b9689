//! What pump mode makes of argument lists: cases, and what must hold for every list.

use std::os::unix::ffi::OsStrExt;

use proptest::prelude::*;

use super::soundness::DANGEROUS;
use super::*;

const END: &str = "-MMD -MQa.o -MF /tmp/job/dependencies.d";

fn check(line: &str) -> Result<String, String> {
    let words: Vec<Vec<u8>> = line
        .split_whitespace()
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let plan = Plan::check_pump(Driver::C, &words).map_err(|refusal| refusal.to_string())?;
    let words: Vec<String> = plan
        .words_in(&Layout::sample("/w/p"), &[])
        .into_iter()
        .map(|word| word.into_string().unwrap())
        .collect();
    Ok(words.join(" "))
}

/// The whole command for `words` as the compiler gets it.
fn command(words: &str) -> String {
    format!("-ffile-prefix-map=/tmp/job/tree=/. -ffile-prefix-map=/tmp/job/tree/=/ {words}")
}

#[test]
fn options_of_the_preprocessor_pass_and_their_paths_lie_in_the_tree() {
    let cases = [
        ("-I/usr/include", "-I /tmp/job/tree/usr/include"),
        ("-I /usr/include", "-I /tmp/job/tree/usr/include"),
        ("-Iinc -I ../inc", "-I inc -I ../inc"),
        ("-I../../../../etc", "-I /tmp/job/tree/etc"),
        (
            "-isystem /x -isystem/y",
            "-isystem /tmp/job/tree/x -isystem /tmp/job/tree/y",
        ),
        (
            "-iquote . -idirafter /x",
            "-iquote . -idirafter /tmp/job/tree/x",
        ),
        ("-include /etc/passwd", "-include /tmp/job/tree/etc/passwd"),
        (
            "-include config.h -imacros m.h",
            "-include config.h -imacros m.h",
        ),
        (
            "-iprefix /opt/ -iwithprefix inc",
            "-isystem /tmp/job/tree/opt/inc",
        ),
        (
            "-iprefix/o -iwithprefixbefore ../x",
            "-I /tmp/job/tree/o../x",
        ),
        ("-DX -D Y=/usr/share -UZ", "-DX -DY=/usr/share -UZ"),
        ("-D @x -D -wrapper", "-D@x -D-wrapper"),
        (
            "-nostdinc -undef -trigraphs -H",
            "-nostdinc -undef -trigraphs -H",
        ),
        ("-Wl,-x -L/usr/lib -lm -Xlinker -o", ""),
    ];
    for (options, expected) in cases {
        let line = format!("{options} -c a.c -o a.o");
        let expected = command(&format!("{expected} -c a.c -o /tmp/job/object.o {END}"));
        assert_eq!(check(&line), Ok(expected.replace("  ", " ")), "{line}");
    }
}

#[test]
fn the_source_keeps_its_place_and_its_language() {
    let cases = [
        ("-c src/a.c -o a.o", "-c src/a.c -o /tmp/job/object.o"),
        (
            "-c /w/p/src/a.c -o a.o",
            "-c /tmp/job/tree/w/p/src/a.c -o /tmp/job/object.o",
        ),
        (
            "-c ../../../a.c",
            "-c /tmp/job/tree/a.c -o /tmp/job/object.o",
        ),
        ("-x c++ -c a.c", "-c -x c++ a.c -o /tmp/job/object.o"),
        ("-x c++ -x none -c a.c", "-c a.c -o /tmp/job/object.o"),
    ];
    for (line, expected) in cases {
        assert_eq!(
            check(line),
            Ok(command(&format!("{expected} {END}"))),
            "{line}"
        );
    }
}

#[test]
fn dependencies_are_written_to_one_file_whatever_the_client_asked_for() {
    let cases = [
        ("", "-c a.c -o /tmp/job/object.o -MMD -MQb/x.o"),
        ("-MD", "-MD -c a.c -o /tmp/job/object.o -MQb/x.o"),
        (
            "-MMD -MF a.d -MP",
            "-MMD -MP -c a.c -o /tmp/job/object.o -MQb/x.o",
        ),
        (
            "-MD -MFa.d -MT /y.o",
            "-MD -MT/y.o -c a.c -o /tmp/job/object.o",
        ),
        (
            "-MQ @y -MT -z",
            "-MQ@y -MT-z -c a.c -o /tmp/job/object.o -MMD",
        ),
    ];
    for (options, expected) in cases {
        let line = format!("{options} -c a.c -o b/x.o");
        let expected = command(&format!("{expected} -MF /tmp/job/dependencies.d"));
        assert_eq!(check(&line), Ok(expected), "{line}");
    }
}

#[test]
fn prefix_maps_of_the_client_apply_to_the_tree_and_to_system_headers() {
    let cases = [
        (
            "-ffile-prefix-map=/w=W",
            "-ffile-prefix-map=/w=W {maps} -ffile-prefix-map=/tmp/job/tree/w=W",
        ),
        (
            "-fdebug-prefix-map=src=/x=y",
            "-fdebug-prefix-map=src=/x=y {maps} -fdebug-prefix-map=src=/x=y",
        ),
        ("-fmacro-prefix-map=/x", "{maps} -fmacro-prefix-map=/x"),
    ];
    let maps = command("");
    for (option, expected) in cases {
        let expected = expected.replace("{maps}", maps.trim());
        let expected = format!("{expected} -c a.c -o /tmp/job/object.o {END}");
        assert_eq!(check(&format!("{option} -c a.c -o a.o")), Ok(expected));
    }
}

#[test]
fn paths_in_intermediate_code_are_absolute() {
    let expected = command(&format!("-flto -c a.c -o /tmp/job/object.o {END}"));
    let expected = format!("-fdebug-prefix-map==/w/p/ -fdebug-prefix-map=/=/ {expected}");
    assert_eq!(check("-flto -c a.c -o a.o"), Ok(expected));
    let refused = "a prefix map makes paths relative, and -flto would then put a directory of the volunteer into the object";
    let cases = [
        ("-flto -ffile-prefix-map=/w=.", Err(refused.to_owned())),
        ("-flto -fdebug-prefix-map=/w=", Err(refused.to_owned())),
        ("-flto -fdebug-prefix-map=/w=/usr/src", Ok(())),
        ("-ffile-prefix-map=/w=.", Ok(())),
    ];
    for (options, expected) in cases {
        let told = check(&format!("{options} -c a.c -o a.o")).map(drop);
        assert_eq!(told, expected, "{options}");
    }
}

#[test]
fn what_does_not_go_with_pump_mode_is_refused() {
    let cases = [
        (
            "-I=/usr/include",
            "option -I=/usr/include names a directory below a system root, which is not sent in pump mode",
        ),
        (
            "-isystem $SYSROOT/x",
            "option -isystem names a directory below a system root, which is not sent in pump mode",
        ),
        (
            "-I @x",
            "option -I has a value that could be taken for another option",
        ),
        (
            "-include -x",
            "option -include has a value that could be taken for another option",
        ),
        (
            "-iwithprefix ../../../../etc",
            "option -iwithprefix comes without -iprefix, and names a directory of the compiler's own",
        ),
        (
            "--sysroot=/x",
            "option --sysroot=/x does not go with pump mode on this volunteer",
        ),
        (
            "-isysroot /x",
            "option -isysroot does not go with pump mode on this volunteer",
        ),
        (
            "-Wp,-MD,/etc/x",
            "option -Wp,-MD,/etc/x does not go with pump mode on this volunteer",
        ),
        (
            "-Xpreprocessor -I/",
            "option -Xpreprocessor does not go with pump mode on this volunteer",
        ),
        (
            "-fpreprocessed",
            "option -fpreprocessed does not go with pump mode on this volunteer",
        ),
        ("-x cpp-output", "language cpp-output is not compiled here"),
        (
            "b.ii",
            "b.ii is preprocessed already, which nothing in pump mode is",
        ),
        (
            "-include-pch x",
            "option -include-pch names files that the volunteer must not read",
        ),
        ("-M", "option -M does not make an object file"),
        (
            "-fplugin=x",
            "option -fplugin=x would load code into the compiler",
        ),
        (
            "@/etc/passwd",
            "option @/etc/passwd names files that the volunteer must not read",
        ),
        (
            "-mfoo=/x",
            "option -mfoo=/x names a file or directory of the volunteer",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(
            check(&format!("{options} -c a.c -o a.o")),
            Err(expected.to_owned())
        );
    }
    assert_eq!(
        check("-c a.c -I"),
        Err("option -I lacks its value".to_owned())
    );
}

/// Options whose value is text in the same word.
const TEXT: &[&str] = &["-D", "-U", "-A", "-MT", "-MQ", "-f", "-frandom-seed="];

/// Options whose value is the next word.
const PATHS: &[&str] = &[
    "-I",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-include",
    "-imacros",
];

/// What is understood here, or refused, and never passed on as it is.
const HANDLED: &[&str] = &["-iprefix", "-iwithprefix", "-X", "-fpreprocessed"];

fn word() -> impl Strategy<Value = Vec<u8>> {
    let option = prop::sample::select([PATHS, DANGEROUS, HANDLED, TEXT].concat());
    let other = prop::sample::select(vec![
        "-iprefix",
        "-iwithprefix",
        "-MF",
        "-MD",
        "-MMD",
        "-M",
        "-x",
        "c",
        "c++",
        "-o",
        "-S",
        "-O2",
        "-Xlinker",
        "-g",
        "-ffile-prefix-map=/a=/b",
        "-fdebug-prefix-map=/a",
        "-Wl,-x",
        "--param",
        "",
    ]);
    let value = prop::sample::select(vec![
        "",
        "/etc/passwd",
        "../../../../etc",
        "=/etc",
        "$SYSROOT/etc",
        "@/etc/passwd",
        "-",
        "-wrapper",
        "x/../y",
        "a b",
        "/a/../../../x",
        "//x",
    ]);
    prop_oneof![
        4 => (option, value.clone()).prop_map(|(option, value)| format!("{option}{value}").into_bytes()),
        3 => value.prop_map(|value| value.as_bytes().to_vec()),
        3 => other.prop_map(|word| word.as_bytes().to_vec()),
        1 => "-[a-zA-Z]{1,3}[=,/.@a-z]{0,6}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn arguments() -> impl Strategy<Value = Vec<Vec<u8>>> {
    (
        prop::collection::vec(word(), 0..7),
        "(/|\\.\\./){0,5}[ab]/?c?\\.c",
    )
        .prop_map(|(mut list, source)| {
            list.extend([b"-c".to_vec(), source.into_bytes()]);
            list
        })
}

/// Whether a compiler in `/tmp/job/tree/w/p` finds this in the job's directory.
fn lies_in_the_job(path: &[u8]) -> bool {
    let directory = crate::job::TreePath::parse(b"/tmp/job/tree/w/p").unwrap();
    let tree = crate::job::TreePath::parse(b"/tmp/job/tree").unwrap();
    let ours = [&b"/tmp/job/object.o"[..], b"/tmp/job/dependencies.d"];
    ours.contains(&path) || directory.resolve(path).is_within(&tree)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn no_word_names_a_file_outside_the_job(arguments in arguments()) {
        let Ok(plan) = Plan::check_pump(Driver::C, &arguments) else { return Ok(()) };
        let words = plan.words_in(&Layout::sample("/w/p"), &[]);
        let mut words = words.iter().map(|word| word.as_bytes());
        let starts = |word: &[u8], beginnings: &[&str]| {
            beginnings.iter().any(|beginning| word.starts_with(beginning.as_bytes()))
        };
        while let Some(word) = words.next() {
            prop_assert!(!starts(word, DANGEROUS) && !starts(word, HANDLED), "{:?}", Shown::new(word));
            if PATHS.iter().chain(&["-o", "-MF"]).any(|option| option.as_bytes() == word) {
                let path = words.next().unwrap();
                prop_assert!(lies_in_the_job(path), "{:?}", Shown::new(path));
                prop_assert!(!starts(path, &["-", "@", "=", "$SYSROOT"]), "{:?}", Shown::new(path));
            } else if !starts(word, TEXT) {
                prop_assert!(lies_in_the_job(word), "{:?}", Shown::new(word));
            }
        }
    }

    #[test]
    fn every_command_has_one_output_one_dependency_file_and_a_name_for_what_depends(arguments in arguments()) {
        let Ok(plan) = Plan::check_pump(Driver::C, &arguments) else { return Ok(()) };
        let words = plan.words_in(&Layout::sample("/w/p"), &[]);
        let count = |option: &str| words.iter().filter(|word| *word == option).count();
        prop_assert_eq!((count("-o"), count("-MF")), (1, 1));
        prop_assert!(count("-MD") + count("-MMD") > 0);
        let named = |word: &&OsString| word.as_bytes().starts_with(b"-MT") || word.as_bytes().starts_with(b"-MQ");
        prop_assert!(words.iter().any(|word| named(&word)));
    }
}
