//! The boards that masters stand for.
//!
//! A board's own compiler means the board's architecture without being told. The master has Debian's cross compilers,
//! which mean something else; a script with the name of the board's compiler makes up for that. So the stock client
//! sends what a board sends: its own compiler's name, and no `-march`.

use std::collections::BTreeMap;

use volunteer_toolchain::{Class, Machine, ObjectFacts};

/// One architecture that masters have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// The farm's name for it, which is also makepkg's `CARCH` except on armv5.
    pub target: &'static str,
    /// The port that the farm's lines must name.
    pub port: u16,
    /// makepkg's name for it.
    pub carch: &'static str,
    /// The triple in the names of the board's own compilers.
    pub triple: &'static str,
    /// The triple in the names of Debian's compilers for it.
    pub debian_triple: &'static str,
    /// What the board's own compiler is configured with, as options.
    pub implied: &'static [&'static str],
    /// Runs the board's programs on the master; nothing where the master can by itself.
    pub emulator: &'static [&'static str],
    object: Object,
}

/// What `readelf -hA` must say about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Object {
    class: Class,
    machine: Machine,
    attributes: &'static [(&'static str, &'static str)],
}

/// All of them, by port.
pub const BOARDS: [Board; 5] = [X86_64, ARMV5, ARMV6H, ARMV7H, AARCH64];

const X86_64: Board = Board {
    target: "x86_64",
    port: 3632,
    carch: "x86_64",
    triple: "x86_64-pc-linux-gnu",
    debian_triple: "x86_64-linux-gnu",
    implied: &["-fstack-protector-strong"],
    emulator: &[],
    object: Object {
        class: Class::Elf64,
        machine: Machine::X86_64,
        attributes: &[],
    },
};

const ARMV5: Board = Board {
    target: "armv5",
    port: 3633,
    carch: "arm",
    triple: "armv5tel-unknown-linux-gnueabi",
    debian_triple: "arm-linux-gnueabi",
    implied: &[
        "-marm",
        "-march=armv5te",
        "-mfloat-abi=soft",
        "-fstack-protector-strong",
    ],
    emulator: &["qemu-arm", "-cpu", "arm926", "-L", "/usr/arm-linux-gnueabi"],
    object: Object {
        class: Class::Elf32,
        machine: Machine::Arm,
        attributes: &[("CPU_arch", "v5TE")],
    },
};

const ARMV6H: Board = Board {
    target: "armv6h",
    port: 3634,
    carch: "armv6h",
    triple: "armv6l-unknown-linux-gnueabihf",
    debian_triple: "arm-linux-gnueabihf",
    implied: &[
        "-marm",
        "-march=armv6",
        "-mfpu=vfp",
        "-mfloat-abi=hard",
        "-fstack-protector-strong",
    ],
    emulator: &["qemu-arm", "-L", "/usr/arm-linux-gnueabihf"],
    object: Object {
        class: Class::Elf32,
        machine: Machine::Arm,
        attributes: &[
            ("CPU_arch", "v6"),
            ("FP_arch", "VFPv2"),
            ("ABI_VFP_args", "VFP registers"),
        ],
    },
};

const ARMV7H: Board = Board {
    target: "armv7h",
    port: 3635,
    carch: "armv7h",
    triple: "armv7l-unknown-linux-gnueabihf",
    debian_triple: "arm-linux-gnueabihf",
    implied: &[
        "-marm",
        "-march=armv7-a",
        "-mfpu=neon",
        "-mfloat-abi=hard",
        "-fstack-protector-strong",
    ],
    emulator: &[
        "qemu-arm",
        "-cpu",
        "cortex-a8",
        "-L",
        "/usr/arm-linux-gnueabihf",
    ],
    object: Object {
        class: Class::Elf32,
        machine: Machine::Arm,
        attributes: &[
            ("CPU_arch", "v7"),
            ("CPU_arch_profile", "Application"),
            ("FP_arch", "VFPv3"),
            ("Advanced_SIMD_arch", "NEONv1"),
            ("ABI_VFP_args", "VFP registers"),
        ],
    },
};

const AARCH64: Board = Board {
    target: "aarch64",
    port: 3636,
    carch: "aarch64",
    triple: "aarch64-unknown-linux-gnu",
    debian_triple: "aarch64-linux-gnu",
    implied: &["-march=armv8-a", "-fstack-protector-strong"],
    emulator: &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
    object: Object {
        class: Class::Elf64,
        machine: Machine::Aarch64,
        attributes: &[],
    },
};

/// Boards of targets that a farm has only where its manifest names them, by port. The master has no compilers for them.
pub const FURTHER_BOARDS: [Board; 2] = [RISCV64, I686];

const RISCV64: Board = Board {
    target: "riscv64",
    port: 3637,
    carch: "riscv64",
    triple: "riscv64-unknown-linux-gnu",
    debian_triple: "riscv64-linux-gnu",
    implied: &["-march=rv64gc", "-mabi=lp64d", "-fstack-protector-strong"],
    emulator: &[],
    object: Object {
        class: Class::Elf64,
        machine: Machine::Riscv,
        attributes: &[],
    },
};

const I686: Board = Board {
    target: "i686",
    port: 3638,
    carch: "i686",
    triple: "i686-pc-linux-gnu",
    debian_triple: "i686-linux-gnu",
    implied: &["-march=i686", "-fstack-protector-strong"],
    emulator: &[],
    object: Object {
        class: Class::Elf32,
        machine: Machine::I386,
        attributes: &[],
    },
};

impl Board {
    /// What every object for it must be.
    pub fn object(&self) -> ObjectFacts {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        ObjectFacts {
            class: self.object.class,
            machine: self.object.machine,
            attributes: self
                .object
                .attributes
                .iter()
                .map(owned)
                .collect::<BTreeMap<_, _>>(),
        }
    }
}
