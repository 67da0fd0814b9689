//! The keys of a file that describes a target, and of `common.yaml` beside it.

use super::{Group, Key, Names, Otherwise, Shape};

/// Everything that a target's file may hold, from the outside in.
pub(super) static TARGET_FILES: [&Group; 5] = [&TARGET_FILE, &OBJECT, &GCC, &ON, &COMPILERS];

pub(in crate::manifest) static TARGET_FILE: Group = Group {
    name: "target-file",
    place: "a target's file",
    meaning: "A target: its names, what its objects are, and where its compilers come from.",
    parts: &[&[
        Key {
            name: "target",
            shape: NAME,
            otherwise: Otherwise::Required,
            example: "riscv64",
            meaning: "The target's name.",
        },
        Key {
            name: "aliases",
            shape: Shape::Set(&NAME),
            otherwise: Otherwise::Unset,
            example: "[rv64, rv64gc]",
            meaning: "Other names that people use for it.",
        },
        Key {
            name: "port",
            shape: Shape::Whole {
                least: 1,
                most: 65535,
            },
            otherwise: Otherwise::Required,
            example: "3637",
            meaning: "The port that masters of this target dial.",
        },
        Key {
            name: "only_if_named",
            shape: Shape::Flag,
            otherwise: Otherwise::Default("false"),
            example: "true",
            meaning: "Whether a farm has this target only where its manifest names it.",
        },
        Key {
            name: "carch",
            shape: WORD,
            otherwise: Otherwise::Required,
            example: "riscv64",
            meaning: "`CARCH` in makepkg.conf on boards of this target.",
        },
        Key {
            name: "triples",
            shape: Shape::Set(&WORD),
            otherwise: Otherwise::Required,
            example: "[riscv64-unknown-linux-gnu, riscv64-linux-gnu]",
            meaning: "Every triple by which a master may name this target's compiler.",
        },
        Key {
            name: "object",
            shape: Shape::Keys(&OBJECT),
            otherwise: Otherwise::Required,
            example: "{ class: elf64, machine: riscv }",
            meaning: "What every object must be; one that is not never leaves a volunteer.",
        },
        Key {
            name: "defaults",
            shape: Shape::List(&Shape::Text(r"^-\S+$")),
            otherwise: Otherwise::Unset,
            example: "[-march=rv64gc]",
            meaning: "Options of code generation with which the boards' own compiler is configured. They come before \
                      a job's own, which win.",
        },
        Key {
            name: "gcc",
            shape: Shape::Keys(&GCC),
            otherwise: Otherwise::Unset,
            example: "{ packages: 'g++-{version}-riscv64-linux-gnu', c: '/usr/bin/riscv64-linux-gnu-gcc-{version}', \
                      c++: '/usr/bin/riscv64-linux-gnu-g++-{version}' }",
            meaning: "Its compilers. What is not said here, `common.yaml` says, key by key.",
        },
    ]],
};

pub(in crate::manifest) static COMMON_FILE: Group = Group {
    name: "common-file",
    place: "common.yaml",
    meaning: "What holds for every target's file of the same directory that does not say otherwise.",
    parts: &[&[Key {
        name: "gcc",
        shape: Shape::Keys(&GCC),
        otherwise: Otherwise::Unset,
        example: "{ default: 14, stable: [12, 13, 14] }",
        meaning: "Compilers.",
    }]],
};

pub(in crate::manifest) static OBJECT: Group = Group {
    name: "object",
    place: "object:",
    meaning: "What objects are.",
    parts: &[&[
        Key {
            name: "class",
            shape: Shape::Words(&["elf32", "elf64"]),
            otherwise: Otherwise::Required,
            example: "elf64",
            meaning: "Whether objects are of 32 or of 64 bits.",
        },
        Key {
            name: "machine",
            shape: Shape::Words(&["arm", "aarch64", "x86-64", "i386", "riscv"]),
            otherwise: Otherwise::Required,
            example: "riscv",
            meaning: "The machine in the header of an object.",
        },
        Key {
            name: "attributes",
            shape: Shape::Named(Names::Matching("."), &Shape::Text("")),
            otherwise: Otherwise::Unset,
            example: "{ CPU_arch: v7 }",
            meaning: "Attributes of ARM objects that the defaults decide, as `readelf -A` names them, without `Tag_`.",
        },
    ]],
};

pub(in crate::manifest) static GCC: Group = Group {
    name: "gcc",
    place: "gcc:",
    meaning: "Which versions of GCC there are and which packages of the Debian archive hold them.",
    parts: &[
        &[
            Key {
                name: "default",
                shape: GCC_MAJOR,
                otherwise: Otherwise::Unset,
                example: "14",
                meaning: "The version that is installed where a manifest names none.",
            },
            Key {
                name: "leave_out",
                shape: Shape::List(&Shape::Text("^[a-z0-9+.*-]+$")),
                otherwise: Otherwise::Unset,
                example: "['*-cross', binutils-common]",
                meaning: "Packages that compiling does without; `*` stands for any text.",
            },
        ],
        VERSIONS_KEYS,
        COMPILERS_KEYS,
        EXCEPT_KEYS,
        &[Key {
            name: "on",
            shape: Shape::Named(
                Names::Matching("^(amd64|x86_64|arm64|aarch64)$"),
                &Shape::Keys(&ON),
            ),
            otherwise: Otherwise::Unset,
            example: "{ arm64: { packages: ['g++-{version}'] } }",
            meaning: "Architectures of hosts on which some of this is different: a native compiler, say, comes from \
                      other packages than a cross compiler.",
        }],
    ],
};

pub(in crate::manifest) static ON: Group = Group {
    name: "on",
    place: "gcc: on: ARCHITECTURE:",
    meaning: "What is different on hosts of one architecture. It goes before what is said of all, also before what is \
              said of all for one version.",
    parts: &[VERSIONS_KEYS, COMPILERS_KEYS, EXCEPT_KEYS],
};

pub(in crate::manifest) static COMPILERS: Group = Group {
    name: "compilers",
    place: "except: VERSION:",
    meaning: "What is different for one version.",
    parts: &[COMPILERS_KEYS],
};

static VERSIONS_KEYS: &[Key] = &[
    Key {
        name: "stable",
        shape: Shape::Set(&GCC_MAJOR),
        otherwise: Otherwise::Unset,
        example: "[12, 13, 14]",
        meaning: "The versions that the stable suite carries.",
    },
    Key {
        name: "testing",
        shape: Shape::Set(&GCC_MAJOR),
        otherwise: Otherwise::Unset,
        example: "[15, 16]",
        meaning: "The versions that the testing suite carries.",
    },
];

static EXCEPT_KEYS: &[Key] = &[Key {
    name: "except",
    shape: Shape::Named(Names::Matching("^[0-9]+$"), &Shape::Keys(&COMPILERS)),
    otherwise: Otherwise::Unset,
    example: "{ 12: { packages: [g++-12] } }",
    meaning: "Versions for which some of this is different.",
}];

/// `{version}` stands for the major version of GCC in all of them.
static COMPILERS_KEYS: &[Key] = &[
    Key {
        name: "packages",
        shape: Shape::Set(&PACKAGE),
        otherwise: Otherwise::Unset,
        example: "['g++-{version}-riscv64-linux-gnu']",
        meaning: "The packages that install the compilers; what they depend on follows by itself. `{version}` stands \
                  for the major version.",
    },
    Key {
        name: "headers",
        shape: Shape::Set(&PACKAGE),
        otherwise: Otherwise::Unset,
        example: "['libstdc++-{version}-dev-riscv64-cross', libc6-dev-riscv64-cross]",
        meaning: "The packages that install the library's headers, for volunteers with `headers: true`.",
    },
    Key {
        name: "c",
        shape: PATH,
        otherwise: Otherwise::Unset,
        example: "'/usr/bin/riscv64-linux-gnu-gcc-{version}'",
        meaning: "The C compiler that these packages install.",
    },
    Key {
        name: "c++",
        shape: PATH,
        otherwise: Otherwise::Unset,
        example: "'/usr/bin/riscv64-linux-gnu-g++-{version}'",
        meaning: "The C++ compiler that these packages install.",
    },
];

const NAME: Shape = Shape::Text("^[a-z0-9][a-z0-9_-]{0,39}$");
const WORD: Shape = Shape::Text("^[A-Za-z0-9][A-Za-z0-9_.-]*$");
const PACKAGE: Shape = Shape::Text("^([a-z0-9+.-]|[{]version[}])+$");
const PATH: Shape = Shape::Text("^/");
const GCC_MAJOR: Shape = Shape::Whole {
    least: 1,
    most: 999,
};
