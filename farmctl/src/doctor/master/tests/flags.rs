//! What can be wrong with compilers' options.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
    case(
        |f| further(f, "CFLAGS='-march=native -O2'"),
        Code::FlagsNative,
        Problem,
        "-march=native in CFLAGS of makepkg.conf",
    ),
    case(
        |f| set(f, "CXXFLAGS", "-mtune=native"),
        Code::FlagsNative,
        Problem,
        "-mtune=native in CXXFLAGS of the environment",
    ),
    case(
        |f| further(f, "CFLAGS='-flto'"),
        Code::FlagsLocal,
        Problem,
        "compile every file here",
    ),
    case(
        |f| further(f, "CFLAGS='-fprofile-use=x'"),
        Code::FlagsLocal,
        Problem,
        "-fprofile-use=x",
    ),
    case(
        |f| further(f, "CXXFLAGS='-fplugin=x.so'"),
        Code::FlagsRefused,
        Problem,
        "refused by volunteers",
    ),
    case(
        |f| further(f, "CFLAGS='-flto=auto'"),
        Code::FlagsLto,
        Note,
        "same compiler version",
    ),
    case(
        |f| further(f, "OPTIONS=(lto)"),
        Code::FlagsLto,
        Note,
        "(OPTIONS)",
    ),
    case(|_| (), Code::Flags, Well, "no option"),
    case(|_| (), Code::Package, Well, "options=(!distcc)"),
];
