use super::*;

fn check(driver: Driver, line: &str) -> Result<String, String> {
    let words: Vec<Vec<u8>> = line
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let plan = Plan::check(driver, &words).map_err(|refusal| refusal.to_string())?;
    let words: Vec<String> = plan
        .words(&[])
        .into_iter()
        .map(|word| word.into_string().unwrap())
        .collect();
    Ok(words.join(" "))
}

#[test]
fn writes_fixed_names_in_place_of_the_clients() {
    let cases = [
        (
            "-O1 -c hello.c -o hello.o",
            "-O1 -c -x cpp-output .preprocessed/hello.c -o object.o",
        ),
        (
            "-c -o build/deep/hello.o ../src/hello.c -g",
            "-c -o object.o -x cpp-output .preprocessed/hello.c -g",
        ),
        (
            "-ohello.o -c /abs/hello.i",
            "-o object.o -c -x cpp-output .preprocessed/hello.i",
        ),
        (
            "-c hello.cc",
            "-c -x c++-cpp-output .preprocessed/hello.cc -o object.o",
        ),
        (
            "-S hello.m -o hello.s",
            "-S -x objective-c-cpp-output .preprocessed/hello.m -o object.o",
        ),
        (
            "-c hello.mii",
            "-c -x objective-c++-cpp-output .preprocessed/hello.mii -o object.o",
        ),
        (
            "-c hello.c -o /dev/null",
            "-c -x cpp-output .preprocessed/hello.c -o object.o",
        ),
        (
            "-c dir/-evil.c -o x",
            "-c -x cpp-output .preprocessed/source.i -o object.o",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(check(Driver::C, line), Ok(expected.to_owned()), "{line}");
    }
}

#[test]
fn puts_the_toolchains_defaults_in_front_so_that_the_clients_options_win() {
    let words = ["-march=armv6", "-c", "a.c"].map(|word| word.as_bytes().to_vec());
    let defaults = ["-marm".to_owned(), "-march=armv7-a".to_owned()];
    let words = Plan::check(Driver::C, &words).unwrap().words(&defaults);
    assert_eq!(words[..3], ["-marm", "-march=armv7-a", "-march=armv6"]);
}

#[test]
fn language_comes_from_the_driver_the_ending_and_x() {
    let cases = [
        (
            Driver::Cxx,
            "-c a.c",
            "-c -x c++-cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            Driver::Cxx,
            "-c a.i",
            "-c -x c++-cpp-output .preprocessed/a.i -o object.o",
        ),
        (
            Driver::Cxx,
            "-x c -c a.c",
            "-c -x cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            Driver::C,
            "-xc++ -c a.c",
            "-c -x c++-cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            Driver::C,
            "-x c++ -x none -c a.c",
            "-c -x cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            Driver::C,
            "-c a.c -x c++",
            "-c -x cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            Driver::C,
            "-x objective-c++ -c a.c",
            "-c -x objective-c++-cpp-output .preprocessed/a.c -o object.o",
        ),
    ];
    for (driver, line, expected) in cases {
        assert_eq!(check(driver, line), Ok(expected.to_owned()), "{line}");
    }
}

#[test]
fn leaves_out_what_belongs_to_the_preprocessor_or_the_linker() {
    let lines = [
        "-DNDEBUG",
        "-D NDEBUG",
        "-UX",
        "-Iinclude",
        "-I /usr/include",
        "-isystem /x",
        "-iquote /x",
        "-include /etc/passwd",
        "-imacros x.h",
        "-isysroot /sys",
        "--sysroot=/sys",
        "--sysroot /sys",
        "-MD",
        "-MMD -MP",
        "-MF a.d",
        "-MFa.d",
        "-MT a.o",
        "-Wp,-MD,a.d",
        "-Wl,-rpath,/lib",
        "-L/lib",
        "-L /lib",
        "-lm",
        "-l m",
        "-nostdinc++",
        "-fpreprocessed",
        "-Xlinker --as-needed",
        "-finput-charset=ISO-8859-1",
    ];
    for options in lines {
        let line = format!("{options} -c a.c");
        assert_eq!(
            check(Driver::C, &line),
            Ok("-c -x cpp-output .preprocessed/a.c -o object.o".to_owned()),
            "{line}"
        );
    }
}

#[test]
fn passes_what_decides_about_the_code() {
    let lines = [
        "-O2",
        "-g",
        "-ggdb3",
        "-gz",
        "-march=armv7-a",
        "-mfpu=neon",
        "-fPIC",
        "-fno-lto",
        "-fstack-protector-strong",
        "-std=gnu++20",
        "-Wall",
        "-Werror=format",
        "-w",
        "-pipe",
        "-pthread",
        "-ansi",
        "--param max-inline-insns=4",
        "--param=x=1",
        "-pg",
        "-no-pie",
        "-ffile-prefix-map=/home/me/src=.",
        "-fdebug-prefix-map=/home/me=/usr/src",
        "-frandom-seed=dir/a.o",
        "-Wa,--noexecstack",
        "-Xassembler --noexecstack",
        "-fdiagnostics-color=always",
        "-fdiagnostics-format=json",
        "-dA",
        "-fexec-charset=UTF-8",
        "-fwide-exec-charset=UTF-16",
        "-ffile-compilation-dir=/home/me/src",
    ];
    for options in lines {
        let line = format!("{options} -c a.c");
        assert_eq!(
            check(Driver::C, &line),
            Ok(format!(
                "{options} -c -x cpp-output .preprocessed/a.c -o object.o"
            )),
            "{line}"
        );
    }
}

#[test]
fn drops_an_option_whose_value_the_client_took_out() {
    let cases = [
        (
            "-Xpreprocessor -o a.o -c a.c",
            "-o object.o -c -x cpp-output .preprocessed/a.c",
        ),
        (
            "-Xpreprocessor -c a.c",
            "-c -x cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            "-c -Xpreprocessor a.c",
            "-c -x cpp-output .preprocessed/a.c -o object.o",
        ),
        (
            "-c a.c -Xlinker",
            "-c -x cpp-output .preprocessed/a.c -o object.o",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(check(Driver::C, line), Ok(expected.to_owned()), "{line}");
    }
    let refusal = check(Driver::C, "-Xpreprocessor -O2 -c a.c").unwrap_err();
    assert_eq!(
        refusal,
        "option -Xpreprocessor is followed by a word that may or may not belong to it"
    );
}

#[test]
fn refuses_lists_that_are_no_single_compile() {
    let cases = [
        ("", "neither -c nor -S is given"),
        ("a.c", "neither -c nor -S is given"),
        ("-c", "no source file is named"),
        ("-c a.c b.c", "b.c is a second source file beside a.c"),
        ("-c a.c -o a.o -o b.o", "more than one output is named"),
        ("-c a.c -o", "option -o lacks its value"),
        ("-c a.c --param", "option --param lacks its value"),
        (
            "-c a.c b.o",
            "b.o is neither an option nor a source file that can be compiled here",
        ),
        (
            "-c -",
            "- is neither an option nor a source file that can be compiled here",
        ),
        (
            "-c a.h",
            "a.h is neither an option nor a source file that can be compiled here",
        ),
        (
            "-c a.S",
            "a.S is an assembler source, which can include files of the master",
        ),
        (
            "-x assembler -c a.c",
            "language assembler is not compiled here",
        ),
        ("-E a.c", "option -E does not make an object file"),
        ("-M -c a.c", "option -M does not make an object file"),
        (
            "-fsyntax-only -c a.c",
            "option -fsyntax-only does not make an object file",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(check(Driver::C, line), Err(expected.to_owned()), "{line}");
    }
}

#[test]
fn refuses_every_option_that_runs_loads_reads_or_writes() {
    let options = [
        "@options",
        "-wrapper gdb",
        "-wrapper,gdb",
        "-fplugin=x.so",
        "-fpass-plugin=x.so",
        "-specs=x",
        "-specs x",
        "--specs=x",
        "-B.",
        "-B /x",
        "--prefix=/x",
        "-Xclang -load",
        "-mllvm -load",
        "-fuse-ld=gold",
        "-iplugindir=/x",
        "-T x",
        "-Tx",
        "-dumpdir x",
        "-dumpbase x",
        "-auxbase x",
        "-aux-info x",
        "-fdump-tree-all",
        "-fdump-tree-all=/tmp/x",
        "-fdump-final-insns=x",
        "-save-temps",
        "-save-temps=obj",
        "--save-temps",
        "-fcallgraph-info",
        "-fstack-usage",
        "-fopt-info-vec=x",
        "-fdiagnostics-format=sarif-file",
        "-fdiagnostics-add-output=sarif:file=x",
        "-gsplit-dwarf",
        "--serialize-diagnostics x",
        "-fmodules-ts",
        "-fmodule-mapper=|sh",
        "-include-pch x",
        "-fprofile-generate",
        "-fprofile-use=/x",
        "-fprofile-arcs",
        "-ftest-coverage",
        "--coverage",
        "-fauto-profile=x",
        "-march=native",
        "-mtune=native",
        "-mcpu=native+nofp",
        "-flto=/x",
        "-flto-incremental=x",
        "-fno-preprocessed",
        "-fdirectives-only",
        "-foffload=-wrapper",
        "-fcompare-debug=-wrapper",
        "-fself-test=/x",
        "-fdeps-file=x",
        "--output=x",
        "--outp x",
        "--language=c",
        "--dump=x",
        "-Wa,-a=x",
        "-Wa,-I.",
        "-Xassembler -o",
        "-mfoo=/x",
        "--param /x",
        "--param @x",
        "-fsanitize-blacklist=/x",
        "-time=x",
        "-Q",
        "--help",
        "-frepo",
        "-dr",
        "-fexec-charset=IBM1047",
        "-fwide-exec-charset=x",
        "-ftime-trace=x",
        "-fsanitize-ignorelist=x",
    ];
    for option in options {
        let line = format!("{option} -c a.c -o a.o");
        assert!(check(Driver::C, &line).is_err(), "{line}");
    }
}

#[test]
fn refuses_words_that_no_program_can_be_given() {
    let words = [b"-c".to_vec(), b"a\0.c".to_vec()];
    assert_eq!(Plan::check(Driver::C, &words), Err(Refusal::Nul));
}

#[test]
fn intermediate_code_is_asked_for_by_the_last_word_about_it() {
    let cases = [
        ("", false),
        ("-flto", true),
        ("-flto=auto", true),
        ("-flto -fno-lto", false),
        ("-fno-lto -flto=4", true),
        ("-flto-partition=one", false),
    ];
    for (options, expected) in cases {
        let line = format!("{options} -c a.c -o a.o");
        let words: Vec<_> = line
            .split_whitespace()
            .map(|word| word.as_bytes().to_vec())
            .collect();
        let plan = Plan::check(Driver::C, &words).unwrap();
        assert_eq!(plan.link_time(), expected, "{options}");
    }
}

#[test]
fn assembly_wins_over_an_object_as_it_does_in_gcc() {
    for line in [["-c", "-S", "a.c"], ["-S", "-c", "a.c"]] {
        let plan = Plan::check(Driver::C, &line.map(|word| word.as_bytes().to_vec())).unwrap();
        assert_eq!(plan.product(), Product::Assembly);
    }
}
