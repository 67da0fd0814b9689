//! The cases: what the stock client compiles, and what it sees of either server.

use crate::server::Kind;

/// A command for the stock client, and what must come of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [(&'static str, Contents)],
    /// Behind `distcc`.
    pub(crate) words: &'static [&'static str],
    /// The file that the command makes.
    pub(crate) output: &'static str,
    /// A file that the client's own preprocessor makes beside it.
    pub(crate) side: Option<&'static str>,
    /// A file without which the case cannot run, and the package it is from.
    pub(crate) needs: Option<(&'static str, &'static str)>,
    stock: Seen,
    pub(crate) differs: Option<Differs>,
}

/// What our daemon does instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Differs {
    pub(crate) ours: Seen,
    pub(crate) why: &'static str,
}

/// A file's contents.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contents {
    Text(&'static str),
    Made(fn() -> String),
    Link(&'static str),
}

/// What is seen of a compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The server made the very bytes that a local compile makes.
    Compiled,
    /// The server made something else.
    Other,
    /// The server sent an object of no bytes, as a success.
    Empty,
    /// The server was asked and the client ended with this code: the compiler's, 116 for a closed connection, 200 for a
    /// refusal with a reason.
    Failed(i32),
    /// The client never asked, and ended with this code.
    Local(i32),
}

impl Case {
    pub(crate) fn expected(&self, kind: Kind) -> Seen {
        match (kind, &self.differs) {
            (Kind::Ours, Some(differs)) => differs.ours,
            _ => self.stock,
        }
    }

    const fn new(
        name: &'static str,
        files: &'static [(&'static str, Contents)],
        words: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            files,
            words,
            output: "a.o",
            side: None,
            needs: None,
            stock: Compiled,
            differs: None,
        }
    }

    const fn output(self, output: &'static str) -> Self {
        Self { output, ..self }
    }

    const fn side(self, side: &'static str) -> Self {
        Self {
            side: Some(side),
            ..self
        }
    }

    const fn needs(self, file: &'static str, package: &'static str) -> Self {
        Self {
            needs: Some((file, package)),
            ..self
        }
    }

    const fn seen(self, stock: Seen) -> Self {
        Self { stock, ..self }
    }

    const fn but_ours(self, ours: Seen, why: &'static str) -> Self {
        Self {
            differs: Some(Differs { ours, why }),
            ..self
        }
    }
}

use Contents::{Link, Made, Text};
use Seen::{Compiled, Empty, Failed, Local, Other};

/// Tells its compiler's version, because it includes one of the compiler's own headers.
const C: &str = include_str!("sources/plain.c");
const CXX: &str = include_str!("sources/plain.cc");
const OBJC: &str = include_str!("sources/plain.m");
const OBJCXX: &str = include_str!("sources/plain.mm");
const ONE: &[(&str, Contents)] = &[("a.c", Text(C))];
const ONE_CXX: &[(&str, Contents)] = &[("a.cc", Text(CXX))];

const UNUSED: &[(&str, Contents)] = &[("a.c", Text("int f(void) { int unused; return 'ab'; }\n"))];
const SMALL: &str = "int f(void) { return 1; }\n";
const WRONG: &[(&str, Contents)] = &[("a.c", Text("int f(void) { return x; }\n"))];

/// Several megabytes of source.
fn huge() -> String {
    let padding = "x".repeat(150);
    let entries =
        (0..20_000).map(|number| format!("\"entry {number} of a long table {padding}\",\n"));
    format!(
        "const char *table[] = {{\n{}}};\n",
        entries.collect::<String>()
    )
}

/// GCC's compilers for Objective-C come in packages of their own.
const OBJECTIVE_C: &str = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1obj";
const OBJECTIVE_CXX: &str = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1objplus";

const SAYS_WHY: &str = "ours answers with the reason instead of closing the connection";
const OWN_NAME: &str = "the stock daemon's temporary name stands in the object";
const LOST: &str = "a file beside the object would be lost, as it is with the stock daemon";
const FOREIGN: &str = "the driver would run programs from a folder that the client names";
const NO_OBJECT: &str = "no object is made; the stock daemon sends an empty one as a success";
const ORPHANED: &str = "the client leaves an option without its value, which then takes -o; ours drops it, \
    the stock daemon sends an empty object as a success";

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = languages();
    cases.extend(options());
    cases.extend(names());
    cases.extend(stays_local());
    cases.extend(refused());
    cases
}

fn languages() -> Vec<Case> {
    vec![
        Case::new("C", ONE, &["gcc", "-O2", "-c", "a.c", "-o", "a.o"]),
        Case::new("C++", ONE_CXX, &["g++", "-O2", "-c", "a.cc", "-o", "a.o"]),
        Case::new("C by the name cc", ONE, &["cc", "-c", "a.c", "-o", "a.o"]),
        Case::new(
            "C++ by the name c++",
            ONE_CXX,
            &["c++", "-c", "a.cc", "-o", "a.o"],
        ),
        Case::new(
            "C for the C++ driver",
            ONE,
            &["g++", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "a compiler by its path",
            ONE,
            &["/usr/bin/gcc", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "Objective-C",
            &[("a.m", Text(OBJC))],
            &["gcc", "-c", "a.m", "-o", "a.o"],
        )
        .needs(OBJECTIVE_C, "gobjc"),
        Case::new(
            "Objective-C++",
            &[("a.mm", Text(OBJCXX))],
            &["g++", "-c", "a.mm", "-o", "a.o"],
        )
        .needs(OBJECTIVE_CXX, "gobjc++"),
        Case::new("assembler text", ONE, &["gcc", "-S", "a.c", "-o", "a.s"]).output("a.s"),
        Case::new(
            "a preprocessed source",
            &[("a.i", Text(SMALL))],
            &["gcc", "-c", "a.i", "-o", "a.o"],
        ),
        Case::new(
            "an empty source",
            &[("a.c", Text(""))],
            &["gcc", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "several megabytes",
            &[("a.c", Made(huge))],
            &["gcc", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "warnings",
            UNUSED,
            &["gcc", "-Wall", "-Wextra", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "warnings in colour",
            UNUSED,
            &[
                "gcc",
                "-Wall",
                "-fdiagnostics-color=always",
                "-c",
                "a.c",
                "-o",
                "a.o",
            ],
        ),
        Case::new("an error", WRONG, &["gcc", "-c", "a.c", "-o", "a.o"]).seen(Failed(1)),
        Case::new(
            "a warning as an error",
            UNUSED,
            &["gcc", "-Wall", "-Werror", "-c", "a.c", "-o", "a.o"],
        )
        .seen(Failed(1)),
        Case::new(
            "an unknown option",
            ONE,
            &["gcc", "-fno-such-thing", "-c", "a.c", "-o", "a.o"],
        )
        .seen(Failed(1)),
    ]
}

fn options() -> Vec<Case> {
    vec![
        Case::new("-g", ONE, &["gcc", "-g", "-c", "a.c", "-o", "a.o"]),
        Case::new("-g3", ONE, &["gcc", "-g3", "-c", "a.c", "-o", "a.o"]),
        Case::new(
            "-ggdb -O2 of C++",
            ONE_CXX,
            &["g++", "-ggdb", "-O2", "-c", "a.cc", "-o", "a.o"],
        ),
        Case::new(
            "-gdwarf-4 -gz",
            ONE,
            &["gcc", "-gdwarf-4", "-gz", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "-g with a prefix map",
            ONE,
            &[
                "gcc",
                "-g",
                "-ffile-prefix-map=/=/elsewhere/",
                "-c",
                "a.c",
                "-o",
                "a.o",
            ],
        ),
        Case::new("-MD", ONE, &["gcc", "-MD", "-c", "a.c", "-o", "a.o"]).side("a.d"),
        Case::new(
            "-MMD -MP -MF -MT",
            ONE,
            &[
                "gcc", "-MMD", "-MP", "-MF", "deps", "-MT", "goal", "-c", "a.c", "-o", "a.o",
            ],
        )
        .side("deps"),
        Case::new(
            "-MQ, joined -MF",
            ONE,
            &[
                "gcc", "-MD", "-MFdeps", "-MQ", "$goal", "-c", "a.c", "-o", "a.o",
            ],
        )
        .side("deps"),
        Case::new(
            "-Wp,-MD",
            ONE,
            &["gcc", "-Wp,-MD,deps", "-c", "a.c", "-o", "a.o"],
        )
        .side("deps"),
        Case::new("-x c", ONE, &["gcc", "-x", "c", "-c", "a.c", "-o", "a.o"])
            .seen(Other)
            .but_ours(Compiled, OWN_NAME),
        Case::new(
            "-x c++ for a source of C",
            ONE,
            &["gcc", "-x", "c++", "-c", "a.c", "-o", "a.o"],
        )
        .seen(Other)
        .but_ours(Compiled, OWN_NAME),
        Case::new("-pipe", ONE, &["gcc", "-pipe", "-c", "a.c", "-o", "a.o"]),
        Case::new(
            "-fPIC -fvisibility -std -pthread",
            ONE,
            &[
                "gcc",
                "-fPIC",
                "-fvisibility=hidden",
                "-std=gnu99",
                "-pthread",
                "-c",
                "a.c",
                "-o",
                "a.o",
            ],
        ),
        Case::new(
            "-flto=auto",
            ONE,
            &[
                "gcc",
                "-flto=auto",
                "-frandom-seed=1",
                "-c",
                "a.c",
                "-o",
                "a.o",
            ],
        )
        // Intermediate code holds the command line.
        .seen(Other),
        Case::new(
            "-m32",
            &[("a.c", Text(SMALL))],
            &["gcc", "-m32", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "-Wa",
            ONE,
            &["gcc", "-Wa,--noexecstack", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new(
            "a response file",
            &[("a.c", Text(C)), ("options", Text("-O2 -g\n"))],
            &["gcc", "@options", "-c", "a.c", "-o", "a.o"],
        ),
        Case::new("joined -o", ONE, &["gcc", "-c", "a.c", "-oa.o"]),
        Case::new("no -o", ONE, &["gcc", "-c", "a.c"]),
        Case::new(
            "macros with quotes and blanks",
            &[(
                "a.c",
                Text("const char *text = TEXT; int number = NUMBER;\n"),
            )],
            &[
                "gcc",
                "-DTEXT=\"a b\"",
                "-D",
                "NUMBER=1",
                "-UNOTHING",
                "-c",
                "a.c",
                "-o",
                "a.o",
            ],
        ),
        Case::new(
            "headers of its own",
            &[
                (
                    "a.c",
                    Text(
                        "#include \"one.h\"\n#include <two.h>\nint f(void) { return ONE + TWO + THREE; }\n",
                    ),
                ),
                ("include/one.h", Text("#define ONE 1\n")),
                ("system/two.h", Text("#define TWO 2\n")),
                ("three.h", Text("#define THREE 3\n")),
            ],
            &[
                "gcc", "-iquote", "include", "-isystem", "system", "-include", "three.h", "-I.",
                "-c", "a.c", "-o", "a.o",
            ],
        ),
        Case::new(
            "a link of a driver's options",
            ONE,
            &["gcc", "-Wl,-O1", "-L.", "-lm", "-c", "a.c", "-o", "a.o"],
        ),
    ]
}

fn names() -> Vec<Case> {
    vec![
        Case::new(
            "a name with blanks",
            &[("a file.c", Text(C))],
            &["gcc", "-c", "a file.c", "-o", "an object.o"],
        )
        .output("an object.o"),
        Case::new(
            "a name that is not ASCII",
            &[("größe.c", Text(C))],
            &["gcc", "-g", "-c", "größe.c", "-o", "größe.o"],
        )
        .output("größe.o"),
        Case::new(
            "a name with a leading dash",
            &[("-a.c", Text(C))],
            &["gcc", "-c", "./-a.c", "-o", "./-a.o"],
        )
        .output("-a.o"),
        Case::new(
            "a name with quotes and a dollar",
            &[("a'\"$b.c", Text(C))],
            &["gcc", "-c", "a'\"$b.c", "-o", "a.o"],
        ),
        Case::new(
            "a name with a comma and a per cent",
            &[("a,b%s.c", Text(C))],
            &["gcc", "-c", "a,b%s.c", "-o", "a.o"],
        ),
        Case::new(
            "names in folders",
            &[("src/deep/a.c", Text(C)), ("out/keep", Text(""))],
            &["gcc", "-g", "-c", "src/deep/a.c", "-o", "out/a.o"],
        )
        .output("out/a.o"),
        Case::new(
            "several dots",
            &[("a.b.c.c", Text(C))],
            &["gcc", "-c", "a.b.c.c", "-o", "a.o"],
        ),
    ]
}

/// The scan that both ends make of the arguments keeps these away from any server.
fn stays_local() -> Vec<Case> {
    let local = |name, files, words| Case::new(name, files, words).seen(Local(0));
    vec![
        local(
            "an assembler source",
            &[("a.s", Text(".text\n"))],
            &["gcc", "-c", "a.s", "-o", "a.o"],
        ),
        local(
            "a preprocessed assembler source",
            &[("a.S", Text(".text\n"))],
            &["gcc", "-c", "a.S", "-o", "a.o"],
        ),
        local("-E", ONE, &["gcc", "-E", "a.c"]),
        local("-M", ONE, &["gcc", "-M", "-c", "a.c"]),
        local(
            "-march=native",
            ONE,
            &["gcc", "-march=native", "-c", "a.c", "-o", "a.o"],
        ),
        local(
            "exactly -flto",
            ONE,
            &["gcc", "-flto", "-c", "a.c", "-o", "a.o"],
        ),
        local(
            "--coverage",
            ONE,
            &["gcc", "--coverage", "-c", "a.c", "-o", "a.o"],
        ),
        local(
            "a test of configure",
            &[("conftest.c", Text(C))],
            &["gcc", "-c", "conftest.c", "-o", "conftest.o"],
        )
        .output("conftest.o"),
        local(
            "a listing of the assembler",
            ONE,
            &["gcc", "-Wa,-ahls=listing", "-c", "a.c", "-o", "a.o"],
        ),
        local("linking", ONE, &["gcc", "a.c", "-o", "a.out"]).output("a.out"),
        local(
            "two sources",
            &[("a.c", Text(C)), ("b.c", Text("int b;\n"))],
            &["gcc", "-c", "a.c", "b.c"],
        ),
    ]
}

fn refused() -> Vec<Case> {
    let lost = |name, words, reason| {
        let case = Case::new(name, ONE, words);
        case.but_ours(Failed(200), reason)
    };
    vec![
        Case::new(
            "-Xpreprocessor -D",
            &[("a.c", Text("int f(void) { return ONE; }\n"))],
            &["gcc", "-c", "a.c", "-Xpreprocessor", "-DONE=1", "-o", "a.o"],
        )
        .seen(Empty)
        .but_ours(Compiled, ORPHANED),
        Case::new(
            "-fsyntax-only",
            ONE,
            &["gcc", "-fsyntax-only", "-c", "a.c", "-o", "a.o"],
        )
        .seen(Empty)
        .but_ours(Failed(200), NO_OBJECT),
        lost(
            "-gsplit-dwarf",
            &["gcc", "-g", "-gsplit-dwarf", "-c", "a.c", "-o", "a.o"],
            LOST,
        )
        .seen(Other),
        lost(
            "-fstack-usage",
            &["gcc", "-fstack-usage", "-c", "a.c", "-o", "a.o"],
            LOST,
        ),
        lost(
            "-save-temps",
            &["gcc", "-save-temps=obj", "-c", "a.c", "-o", "a.o"],
            LOST,
        ),
        lost(
            "-B",
            &["gcc", "-B/nonexistent/", "-c", "a.c", "-o", "a.o"],
            FOREIGN,
        ),
        Case::new(
            "a compiler of the master's own",
            &[("a.c", Text(C)), ("tool-gcc", Link("/usr/bin/gcc"))],
            &["./tool-gcc", "-c", "a.c", "-o", "a.o"],
        )
        .seen(Failed(116))
        .but_ours(Failed(200), SAYS_WHY),
    ]
}
