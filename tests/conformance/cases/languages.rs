//! Languages and sources, and what compilers say of them.

use super::Contents::{Made, Text};
use super::Seen::{Compiled, Failed, Other};
use super::{Case, Contents, ONE, ONE_CXX, OWN_NAME, SMALL};

const OBJC: &[(&str, Contents)] = &[("a.m", Text(include_str!("../sources/plain.m")))];
const OBJCXX: &[(&str, Contents)] = &[("a.mm", Text(include_str!("../sources/plain.mm")))];

/// GCC's compilers for Objective-C come in packages of their own.
const OBJC_COMPILER: &str = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1obj";
const OBJCXX_COMPILER: &str = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1objplus";

/// Several megabytes of source.
fn huge() -> String {
    let padding = "x".repeat(150);
    let entry = |number| format!("\"entry {number} of a long table {padding}\",\n");
    let entries: String = (0..20_000).map(entry).collect();
    format!("const char *table[] = {{\n{entries}}};\n")
}

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("C", ONE, "gcc -O2 -c a.c -o a.o"),
        Case::new("C++", ONE_CXX, "g++ -O2 -c a.cc -o a.o"),
        Case::new("C by the name cc", ONE, "cc -c a.c -o a.o"),
        Case::new("C++ by the name c++", ONE_CXX, "c++ -c a.cc -o a.o"),
        Case::new("C for the C++ driver", ONE, "g++ -c a.c -o a.o"),
        Case::new("a compiler by its path", ONE, "/usr/bin/gcc -c a.c -o a.o"),
        Case::new("Objective-C", OBJC, "gcc -c a.m -o a.o").needs(OBJC_COMPILER, "gobjc"),
        Case::new("Objective-C++", OBJCXX, "g++ -c a.mm -o a.o").needs(OBJCXX_COMPILER, "gobjc++"),
        Case::new("assembler text", ONE, "gcc -S a.c -o a.s").output("a.s"),
        Case::new(
            "a preprocessed source",
            &[("a.i", Text(SMALL))],
            "gcc -c a.i -o a.o",
        )
        .seen(Other)
        .but_ours(Compiled, OWN_NAME),
        Case::new("an empty source", &[("a.c", Text(""))], "gcc -c a.c -o a.o"),
        Case::new(
            "several megabytes",
            &[("a.c", Made(huge))],
            "gcc -c a.c -o a.o",
        ),
    ]
}

const UNUSED: &[(&str, Contents)] = &[("a.c", Text("int f(void) { int n; return 'ab'; }\n"))];
const WRONG: &[(&str, Contents)] = &[("a.c", Text("int f(void) { return x; }\n"))];

pub(super) fn messages() -> Vec<Case> {
    let error = Failed(1);
    vec![
        Case::new("warnings", UNUSED, "gcc -Wall -Wextra -c a.c -o a.o"),
        Case::new(
            "warnings in colour",
            UNUSED,
            "gcc -Wall -fdiagnostics-color=always -c a.c -o a.o",
        ),
        Case::new("an error", WRONG, "gcc -c a.c -o a.o").seen(error),
        Case::new(
            "a warning as an error",
            UNUSED,
            "gcc -Wall -Werror -c a.c -o a.o",
        )
        .seen(error),
        Case::new(
            "an unknown option",
            ONE,
            "gcc -fno-such-thing -c a.c -o a.o",
        )
        .seen(error),
    ]
}
