//! What the stock client keeps away from any server; both daemons would refuse it, too.

use super::Contents::Text;
use super::{C, Case, Contents, ONE, SMALL, Seen};

fn local(
    name: &'static str,
    files: &'static [(&'static str, Contents)],
    words: &'static str,
) -> Case {
    Case::new(name, files, words).seen(Seen::Local(0))
}

pub(super) fn all() -> Vec<Case> {
    vec![
        local(
            "an assembler source",
            &[("a.s", Text(".text\n"))],
            "gcc -c a.s -o a.o",
        ),
        local(
            "one to preprocess",
            &[("a.S", Text(".text\n"))],
            "gcc -c a.S -o a.o",
        ),
        local("-E", ONE, "gcc -E a.c"),
        local("-M", ONE, "gcc -M -c a.c"),
        local("-march=native", ONE, "gcc -march=native -c a.c -o a.o"),
        local("exactly -flto", ONE, "gcc -flto -c a.c -o a.o"),
        local("--coverage", ONE, "gcc --coverage -c a.c -o a.o"),
        local(
            "a test of configure",
            &[("conftest.c", Text(C))],
            "gcc -c conftest.c -o conftest.o",
        )
        .output("conftest.o"),
        local(
            "a listing of the assembler",
            ONE,
            "gcc -Wa,-ahls=listing -c a.c -o a.o",
        ),
        local("linking", ONE, "gcc a.c -o a.out").output("a.out"),
        local(
            "two sources",
            &[("a.c", Text(C)), ("b.c", Text(SMALL))],
            "gcc -c a.c b.c",
        ),
    ]
}
