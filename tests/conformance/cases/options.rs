//! Options that make no difference between local and remote.

use super::Contents::Text;
use super::Seen::{Compiled, Other};
use super::{C, Case, Contents, ONE, ONE_CXX, OWN_NAME, SMALL};

const ONE_SMALL: &[(&str, Contents)] = &[("a.c", Text(SMALL))];

pub(super) fn of_the_compiler() -> Vec<Case> {
    vec![
        Case::new("-g", ONE, "gcc -g -c a.c -o a.o"),
        Case::new("-g3", ONE, "gcc -g3 -c a.c -o a.o"),
        Case::new("-ggdb -O2 of C++", ONE_CXX, "g++ -ggdb -O2 -c a.cc -o a.o"),
        Case::new("-gdwarf-4 -gz", ONE, "gcc -gdwarf-4 -gz -c a.c -o a.o"),
        Case::new(
            "-ffile-prefix-map",
            ONE,
            "gcc -g -ffile-prefix-map=/=/at/ -c a.c -o a.o",
        ),
        Case::new("-x c", ONE, "gcc -x c -c a.c -o a.o")
            .seen(Other)
            .but_ours(Compiled, OWN_NAME),
        Case::new("-x c++ for a source of C", ONE, "gcc -x c++ -c a.c -o a.o")
            .seen(Other)
            .but_ours(Compiled, OWN_NAME),
        Case::new("-pipe", ONE, "gcc -pipe -c a.c -o a.o"),
        Case::new(
            "-fPIC -pthread",
            ONE,
            "gcc -fPIC -pthread -std=gnu99 -c a.c -o a.o",
        ),
        // Intermediate code holds the command line.
        Case::new(
            "-flto=auto",
            ONE,
            "gcc -flto=auto -frandom-seed=1 -c a.c -o a.o",
        )
        .seen(Other),
        Case::new("-m32", ONE_SMALL, "gcc -m32 -c a.c -o a.o"),
        Case::new("-Wa", ONE, "gcc -Wa,--noexecstack -c a.c -o a.o"),
        Case::new(
            "options of the linker",
            ONE,
            "gcc -Wl,-O1 -L. -lm -c a.c -o a.o",
        ),
        Case::new("joined -o", ONE, "gcc -c a.c -oa.o"),
        Case::new("no -o", ONE, "gcc -c a.c"),
        Case::new(
            "a response file",
            &[("a.c", Text(C)), ("options", Text("-O2 -g\n"))],
            "gcc @options -c a.c -o a.o",
        ),
    ]
}

const NAMED: &[(&str, Contents)] = &[("a.c", Text("const char *text = TEXT; int n = N;\n"))];
const HEADERS: &[(&str, Contents)] = &[
    (
        "a.c",
        Text("#include \"one.h\"\n#include <two.h>\nint n = ONE + TWO + THREE;\n"),
    ),
    ("include/one.h", Text("#define ONE 1\n")),
    ("system/two.h", Text("#define TWO 2\n")),
    ("three.h", Text("#define THREE 3\n")),
];

pub(super) fn of_the_preprocessor() -> Vec<Case> {
    vec![
        Case::new("-MD", ONE, "gcc -MD -c a.c -o a.o").side("a.d"),
        Case::new(
            "-MMD -MP -MF -MT",
            ONE,
            "gcc -MMD -MP -MF deps -MT goal -c a.c -o a.o",
        )
        .side("deps"),
        Case::new(
            "-MQ, joined -MF",
            ONE,
            "gcc -MD -MFdeps -MQ $goal -c a.c -o a.o",
        )
        .side("deps"),
        Case::new("-Wp,-MD", ONE, "gcc -Wp,-MD,deps -c a.c -o a.o").side("deps"),
        Case::new("macros with quotes and blanks", NAMED, "").words(&[
            "gcc",
            "-DTEXT=\"a b\"",
            "-D",
            "N=1",
            "-UNOTHING",
            "-c",
            "a.c",
            "-o",
            "a.o",
        ]),
        Case::new(
            "headers of its own",
            HEADERS,
            "gcc -iquote include -isystem system -include three.h -I. -c a.c -o a.o",
        ),
    ]
}
