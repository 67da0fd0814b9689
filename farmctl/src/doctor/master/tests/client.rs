//! What can be wrong with its client and masquerade.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
    case(
        |f| f.client = Ok(None),
        Code::DistccMissing,
        Problem,
        "no distcc on this machine",
    ),
    case(
        |f| f.client = Err(unknown()),
        Code::Unknown,
        Note,
        "which distcc is installed",
    ),
    case(
        |f| version(f, "3.3.5"),
        Code::DistccFaults,
        Note,
        "sends gcc as TRIPLE-gcc",
    ),
    case(
        |f| version(f, "3.2rc1"),
        Code::DistccFaults,
        Note,
        "sends plain names",
    ),
    case(
        |f| version(f, "3.1"),
        Code::DistccFaults,
        Note,
        "runs whatever it is asked to",
    ),
    case(|_| (), Code::Distcc, Well, "distcc 3.4"),
    case(
        |f| f.masquerade.clear(),
        Code::MasqueradeMissing,
        Problem,
        "no folder of links",
    ),
    case(
        |f| f.masquerade[0].position = Some(1),
        Code::MasqueradeLate,
        Problem,
        "behind the compilers",
    ),
    case(
        |f| f.makepkg_files.clear(),
        Code::MasqueradeLate,
        Note,
        "is not in PATH",
    ),
    case(|_| (), Code::Masquerade, Well, "makepkg puts"),
    case(
        |f| {
            f.masquerade[0].position = Some(0);
            f.masquerade[0].compiler_position = Some(1);
        },
        Code::Masquerade,
        Well,
        "first in PATH",
    ),
    case(
        |f| f.compilers = Ok(crate::doctor::facts::compilers::Compilers::default()),
        Code::CompilerMissing,
        Note,
        "no C compiler",
    ),
    case(
        |f| f.compilers = Err(unknown()),
        Code::Unknown,
        Note,
        "which compiler",
    ),
];
