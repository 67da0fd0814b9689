//! What our daemon refuses, or does better.

use super::Contents::{Link, Text};
use super::Seen::{Compiled, Empty, Failed, Other};
use super::{C, Case, Contents, ONE};

const SAYS_WHY: &str = "ours answers with the reason instead of closing the connection";
const LOST: &str = "a file beside the object would be lost, as it is with the stock daemon";
const FOREIGN: &str = "the driver would run programs from a folder that the client names";
const NO_OBJECT: &str = "no object is made; the stock daemon sends an empty one as a success";
const ORPHANED: &str = "the client leaves an option without its value, which then takes -o; ours drops it, \
    the stock daemon sends an empty object as a success";

const DEFINED: &[(&str, Contents)] = &[("a.c", Text("int f(void) { return ONE; }\n"))];
const TOOL: &[(&str, Contents)] = &[("a.c", Text(C)), ("tool-gcc", Link("/usr/bin/gcc"))];

/// A refusal with a reason.
const REFUSED: super::Seen = Failed(200);

/// What the client ends with when no server gave an answer.
const NO_ANSWER: super::Seen = Failed(116);

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new(
            "-Xpreprocessor -D",
            DEFINED,
            "gcc -c a.c -Xpreprocessor -DONE=1 -o a.o",
        )
        .seen(Empty)
        .but_ours(Compiled, ORPHANED),
        Case::new("-fsyntax-only", ONE, "gcc -fsyntax-only -c a.c -o a.o")
            .seen(Empty)
            .but_ours(REFUSED, NO_OBJECT),
        Case::new("-gsplit-dwarf", ONE, "gcc -g -gsplit-dwarf -c a.c -o a.o")
            .seen(Other)
            .but_ours(REFUSED, LOST),
        Case::new("-fstack-usage", ONE, "gcc -fstack-usage -c a.c -o a.o").but_ours(REFUSED, LOST),
        Case::new("-save-temps", ONE, "gcc -save-temps=obj -c a.c -o a.o").but_ours(REFUSED, LOST),
        Case::new("-B", ONE, "gcc -B/nonexistent/ -c a.c -o a.o").but_ours(REFUSED, FOREIGN),
        Case::new(
            "a compiler of the master's own",
            TOOL,
            "./tool-gcc -c a.c -o a.o",
        )
        .seen(NO_ANSWER)
        .but_ours(REFUSED, SAYS_WHY),
    ]
}
