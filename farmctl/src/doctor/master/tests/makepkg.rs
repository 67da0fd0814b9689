//! What can be wrong with makepkg.conf.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
    case(
        |f| configuration(f, "BUILDENV=(!distcc color)\nDISTCC_HOSTS=a:3635/4\n"),
        Code::BuildEnv,
        Problem,
        "does not use distcc",
    ),
    case(
        |f| f.makepkg_files[0].text = Err(unknown()),
        Code::Unknown,
        Note,
        "what /etc/makepkg.conf says",
    ),
    case(
        |f| further(f, "MAKEFLAGS="),
        Code::MakeFlags,
        Problem,
        "one job at a time",
    ),
    case(
        |f| further(f, "MAKEFLAGS=\"-j$(nproc)\""),
        Code::MakeFlags,
        Note,
        "as this machine has processors",
    ),
];
