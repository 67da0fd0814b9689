//! Odd names of files.

use super::Contents::Text;
use super::{C, Case};

pub(super) fn all() -> Vec<Case> {
    vec![
        Case::new("a name with blanks", &[("a file.c", Text(C))], "")
            .words(&["gcc", "-c", "a file.c", "-o", "an object.o"])
            .output("an object.o"),
        Case::new(
            "a name that is not ASCII",
            &[("größe.c", Text(C))],
            "gcc -g -c größe.c -o größe.o",
        )
        .output("größe.o"),
        Case::new(
            "a name with a leading dash",
            &[("-a.c", Text(C))],
            "gcc -c ./-a.c -o ./-a.o",
        )
        .output("-a.o"),
        Case::new(
            "a name with quotes and a dollar",
            &[("a'\"$b.c", Text(C))],
            "gcc -c a'\"$b.c -o a.o",
        ),
        Case::new(
            "a name with a comma and a per cent",
            &[("a,b%s.c", Text(C))],
            "gcc -c a,b%s.c -o a.o",
        ),
        Case::new(
            "names in folders",
            &[("src/deep/a.c", Text(C)), ("out/keep", Text(""))],
            "gcc -g -c src/deep/a.c -o out/a.o",
        )
        .output("out/a.o"),
        Case::new(
            "a name with several dots",
            &[("a.b.c.c", Text(C))],
            "gcc -c a.b.c.c -o a.o",
        ),
    ]
}
