//! What can be wrong with its environment.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
    case(
        |f| set(f, "DISTCC_FALLBACK", "0"),
        Code::Fallback,
        Note,
        "DISTCC_FALLBACK=0",
    ),
    case(
        |f| f.state.is_writable = Ok(false),
        Code::StateFolder,
        Problem,
        "cannot write its folder /home/me/.distcc",
    ),
    case(
        |f| f.state.is_writable = Err(unknown()),
        Code::Unknown,
        Note,
        "can write its folder",
    ),
    case(
        |f| {
            f.state.back_offs.push(BackOff {
                host: "tcp_10.30.5.9_3635_0".to_owned(),
                age: Duration::from_secs(9),
            });
        },
        Code::BackOff,
        Note,
        "avoids tcp_10.30.5.9_3635_0",
    ),
    case(
        |f| set(f, "DISTCC_IO_TIMEOUT", "20"),
        Code::IoTimeout,
        Note,
        "longer than 20 s",
    ),
    case(
        |f| set(f, "DISTCC_IO_TIMEOUT", "0"),
        Code::IoTimeout,
        Note,
        "no limit to others",
    ),
    case(
        |f| set(f, "DISTCC_IO_TIMEOUT", "long"),
        Code::IoTimeout,
        Problem,
        "no number",
    ),
    case(
        |f| set(f, "DISTCC_BACKOFF_PERIOD", "0"),
        Code::BackOffPeriod,
        Problem,
        "without a pause",
    ),
    case(
        |f| set(f, "DISTCC_NO_CROSS_REWRITE", "1"),
        Code::NoRewrite,
        Note,
        "does nothing",
    ),
    case(
        |f| set(f, "DISTCC_NO_REWRITE_CROSS", "1"),
        Code::NoRewrite,
        Note,
        "plain names are sent",
    ),
    case(
        |f| {
            f.masquerade[0].position = Some(0);
            f.ccache_position = Some(1);
        },
        Code::Ccache,
        Note,
        "before ccache's",
    ),
    case(
        |f| {
            f.masquerade[0].position = Some(0);
            set(f, "CCACHE_PREFIX", "distcc");
        },
        Code::Ccache,
        Note,
        "calls itself",
    ),
    case(
        |f| {
            f.makepkg_files.clear();
            f.ccache_position = Some(0);
        },
        Code::Ccache,
        Note,
        "does not call distcc",
    ),
];
