//! What the name of a compiler's target (its "triple") says about the objects it makes.
//!
//! Only certainties count: a triple that leaves something open, or that nobody here knows, contradicts nothing. The
//! words are those of GNU config's `config.sub`; the meaning of the `eabi` endings is that of Debian's ports to ARM.

use crate::object::{Class, Machine, ObjectFacts};

/// A port of a well-known target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsualPort {
    /// The target's name.
    pub target: &'static str,
    /// The TCP port that its volunteers listen on by default.
    pub port: u16,
}

/// The targets that come with farmctl.
const X86_64: UsualPort = usual("x86_64", 3632);
const ARMV5: UsualPort = usual("armv5", 3633);
const ARMV6H: UsualPort = usual("armv6h", 3634);
const ARMV7H: UsualPort = usual("armv7h", 3635);
const AARCH64: UsualPort = usual("aarch64", 3636);

/// Beginnings of the first word of triples for machines that no target has, big-endian ARM included.
const OTHER_MACHINES: &[&str] = &[
    "aarch64_be",
    "alpha",
    "armeb",
    "avr",
    "hppa",
    "ia64",
    "loongarch",
    "m68k",
    "mips",
    "msp430",
    "or1k",
    "powerpc",
    "ppc",
    "s390",
    "sh4",
    "sparc",
    "wasm",
    "xtensa",
];

/// Words of systems whose objects are not ELF.
const OTHER_FORMATS: &[&str] = &["mingw", "cygwin", "msys", "windows", "darwin", "macos"];

/// What the name of ABI and registers is in the attributes of an ARM object with hardware floating point.
const HARD_FLOAT: &str = "VFP registers";

/// Whether objects for `triple` certainly cannot be linked with those that `expected` describes.
pub fn contradicts(triple: &str, expected: &ObjectFacts) -> bool {
    match meaning(triple) {
        Meaning::Open => false,
        Meaning::Elsewhere => true,
        Meaning::Objects(class, machine, float) => {
            (class, machine) != (expected.class, expected.machine)
                || float.is_some_and(|float| {
                    float_of(expected).is_some_and(|expected| expected != float)
                })
        }
    }
}

/// What every object for `triple` is at least; `None` if that is not known.
pub fn objects_of(triple: &str) -> Option<ObjectFacts> {
    let Meaning::Objects(class, machine, float) = meaning(triple) else {
        return None;
    };
    let hard = machine == Machine::Arm && float == Some(Float::Hard);
    let attributes = hard.then(|| ("ABI_VFP_args".to_owned(), HARD_FLOAT.to_owned()));
    Some(ObjectFacts {
        class,
        machine,
        attributes: attributes.into_iter().collect(),
    })
}

/// The ports where jobs for `triple` belong; none if no well-known target fits.
pub fn usual_ports(triple: &str) -> &'static [UsualPort] {
    let Meaning::Objects(class, machine, float) = meaning(triple) else {
        return &[];
    };
    match (class, machine, float) {
        (Class::Elf64, Machine::X86_64, _) => &[X86_64],
        (Class::Elf64, Machine::Aarch64, _) => &[AARCH64],
        (Class::Elf32, Machine::Arm, Some(Float::Soft)) => &[ARMV5],
        (Class::Elf32, Machine::Arm, _) => match &cpu(triple) {
            cpu if cpu.starts_with("armv6") => &[ARMV6H],
            cpu if cpu.starts_with("armv7") || cpu.starts_with("armv8") => &[ARMV7H],
            _ => &[ARMV6H, ARMV7H],
        },
        _ => &[],
    }
}

const fn usual(target: &'static str, port: u16) -> UsualPort {
    UsualPort { target, port }
}

/// How floating point arguments travel on ARM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Float {
    Hard,
    Soft,
}

enum Meaning {
    Objects(Class, Machine, Option<Float>),
    /// A machine or an object format that no target has.
    Elsewhere,
    /// Not known.
    Open,
}

fn meaning(triple: &str) -> Meaning {
    let cpu = cpu(triple);
    let begins = |beginnings: &[&str]| {
        beginnings
            .iter()
            .any(|beginning| cpu.starts_with(beginning))
    };
    let system = &triple[cpu.len()..];
    if begins(OTHER_MACHINES) || OTHER_FORMATS.iter().any(|word| system.contains(word)) {
        return Meaning::Elsewhere;
    }
    let objects = match cpu {
        "x86_64" | "amd64" if system.ends_with("x32") => (Class::Elf32, Machine::X86_64),
        "x86_64" | "amd64" => (Class::Elf64, Machine::X86_64),
        "i386" | "i486" | "i586" | "i686" | "i786" => (Class::Elf32, Machine::I386),
        "aarch64" | "arm64" if system.ends_with("_ilp32") => (Class::Elf32, Machine::Aarch64),
        "aarch64" | "arm64" => (Class::Elf64, Machine::Aarch64),
        _ if cpu.starts_with("riscv64") => (Class::Elf64, Machine::Riscv),
        _ if cpu.starts_with("riscv32") => (Class::Elf32, Machine::Riscv),
        _ if cpu.starts_with("arm") || cpu.starts_with("thumb") => (Class::Elf32, Machine::Arm),
        _ => return Meaning::Open,
    };
    Meaning::Objects(objects.0, objects.1, float(system))
}

/// The first word.
fn cpu(triple: &str) -> &str {
    triple.split('-').next().unwrap_or(triple)
}

/// Compilers for bare metal make both kinds.
fn float(system: &str) -> Option<Float> {
    let linux = system.contains("linux");
    if linux && system.ends_with("eabihf") {
        Some(Float::Hard)
    } else if linux && system.ends_with("eabi") {
        Some(Float::Soft)
    } else {
        None
    }
}

fn float_of(expected: &ObjectFacts) -> Option<Float> {
    if expected.machine != Machine::Arm || expected.attributes.is_empty() {
        return None;
    }
    let arguments = expected.attributes.get("ABI_VFP_args");
    let hard = arguments.is_some_and(|value| value == HARD_FLOAT);
    Some(if hard { Float::Hard } else { Float::Soft })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn facts(class: Class, machine: Machine, attributes: &[(&str, &str)]) -> ObjectFacts {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ObjectFacts {
            class,
            machine,
            attributes: attributes.collect(),
        }
    }

    #[test]
    fn a_triple_is_wrong_only_where_that_is_certain() {
        let hard = facts(
            Class::Elf32,
            Machine::Arm,
            &[("CPU_arch", "v7"), ("ABI_VFP_args", HARD_FLOAT)],
        );
        let soft = facts(Class::Elf32, Machine::Arm, &[("CPU_arch", "v5TE")]);
        let x86 = facts(Class::Elf64, Machine::X86_64, &[]);
        let cases = [
            ("arm-linux-gnueabihf", &hard, false),
            ("armv6l-unknown-linux-gnueabihf", &hard, false),
            ("armv7l-unknown-linux-musleabihf", &hard, false),
            ("arm-none-eabi", &hard, false),
            ("arm-linux-gnueabi", &hard, true),
            ("armv7l-unknown-linux-gnueabihf", &soft, true),
            ("armv5tel-unknown-linux-gnueabi", &soft, false),
            ("x86_64-linux-gnu", &hard, true),
            ("aarch64-unknown-linux-gnu", &hard, true),
            ("x86_64-pc-linux-gnu", &x86, false),
            ("x86_64-linux-gnux32", &x86, true),
            ("i686-linux-gnu", &x86, true),
            ("x86_64-w64-mingw32", &x86, true),
            ("powerpc64le-linux-gnu", &x86, true),
            ("armeb-linux-gnueabi", &soft, true),
            ("e2k-linux-gnu", &x86, false),
            ("", &x86, false),
        ];
        for (triple, expected, wrong) in cases {
            assert_eq!(
                contradicts(triple, expected),
                wrong,
                "{triple} on {expected}"
            );
        }
        let open = ObjectFacts {
            attributes: BTreeMap::new(),
            ..soft
        };
        assert!(!contradicts("arm-linux-gnueabihf", &open));
    }

    #[test]
    fn a_triple_tells_what_its_objects_are() {
        let cases = [
            ("x86_64-pc-linux-gnu", Some("ELF64 x86-64")),
            ("i686-linux-gnu", Some("ELF32 i386")),
            (
                "arm-linux-gnueabihf",
                Some("ELF32 ARM (ABI_VFP_args: VFP registers)"),
            ),
            ("arm-linux-gnueabi", Some("ELF32 ARM")),
            ("x86_64-w64-mingw32", None),
            ("e2k-linux-gnu", None),
        ];
        for (triple, expected) in cases {
            let told = objects_of(triple).map(|facts| facts.to_string());
            assert_eq!(told.as_deref(), expected, "{triple}");
        }
    }

    #[test]
    fn every_triple_of_a_target_leads_to_its_port() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../toolchains");
        for known in [X86_64, ARMV5, ARMV6H, ARMV7H, AARCH64] {
            let text = fs::read_to_string(folder.join(format!("{}.yaml", known.target))).unwrap();
            assert!(
                text.contains(&format!("\nport: {}\n", known.port)),
                "{known:?}"
            );
            let triples = text.split_once("\ntriples:\n").unwrap().1.lines();
            for triple in triples.map_while(|line| line.strip_prefix("  - ")) {
                assert!(
                    usual_ports(triple).contains(&known),
                    "{triple} belongs to {known:?}"
                );
            }
        }
        for triple in ["i686-linux-gnu", "powerpc-linux-gnu", "x86_64-apple-darwin"] {
            assert_eq!(usual_ports(triple), &[], "{triple}");
        }
    }
}
