//! What several tests need.

use std::collections::BTreeMap;

use volunteer_toolchain::{Class, Compiler, Machine, ObjectFacts, Toolchain};

/// A toolchain for x86-64 whose compilers do not exist.
pub(crate) fn toolchain() -> Toolchain {
    Toolchain {
        target: "x86_64".to_owned(),
        triples: vec!["x86_64-linux-gnu".to_owned()],
        object: ObjectFacts {
            class: Class::Elf64,
            machine: Machine::X86_64,
            attributes: BTreeMap::new(),
        },
        defaults: Vec::new(),
        compilers: vec![Compiler {
            major: 14,
            gcc: "/nonexistent/gcc-14".into(),
            gxx: "/nonexistent/g++-14".into(),
        }],
        headers: false,
    }
}
