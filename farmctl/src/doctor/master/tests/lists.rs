//! What can be wrong with lists of hosts.

use super::*;

pub(super) const CASES: &[Case<MasterFacts>] = &[
    case(
        |f| configuration(f, "BUILDENV=(distcc)"),
        Code::HostsNone,
        Problem,
        "is told no host",
    ),
    case(
        |f| hosts(f, "localhost/2"),
        Code::HostsNone,
        Problem,
        "names no other machine",
    ),
    case(
        |f| hosts(f, "a:3635/4 b,c"),
        Code::HostsSyntax,
        Problem,
        "'b,c'",
    ),
    case(
        |f| hosts(f, "10.30.5.9/20:3635"),
        Code::HostsOrder,
        Note,
        "the limit before the port",
    ),
    case(
        |f| hosts(f, "10.30.5.9/20"),
        Code::HostsPort,
        Note,
        "names no port",
    ),
    case(
        |f| hosts(f, "10.30.5.9:3635"),
        Code::HostsLimit,
        Note,
        "four jobs",
    ),
    case(
        |f| hosts(f, "localhost/2 10.30.5.9:3635/20"),
        Code::HostsLocal,
        Note,
        "stands first",
    ),
    case(
        |f| hosts(f, "127.0.0.1"),
        Code::HostsLocal,
        Note,
        "this machine itself",
    ),
    case(
        |f| hosts(f, "+zeroconf"),
        Code::HostsZeroconf,
        Problem,
        "refuses the whole list",
    ),
    case(
        |f| {
            hosts(f, "+zeroconf");
            f.client.as_mut().unwrap().as_mut().unwrap().has_zeroconf = true;
        },
        Code::HostsZeroconf,
        Note,
        "announce themselves",
    ),
    case(
        |f| hosts(f, "10.30.5.9:3635/20,lzo,cpp"),
        Code::HostsPump,
        Note,
        "pump mode",
    ),
    case(
        |f| set(f, "DISTCC_HOSTS", "10.30.5.10:3635/4"),
        Code::HostsTwice,
        Note,
        "DISTCC_HOSTS and makepkg.conf",
    ),
    case(
        |f| hosts(f, "10.30.5.9:3635/4 10.30.5.9:3635/4"),
        Code::HostsTwin,
        Note,
        "in the list twice",
    ),
    case(
        |f| hosts(f, "[fd00::9]:3635/4"),
        Code::HostsIpv6,
        Note,
        "an IPv6 address",
    ),
    case(
        |f| hosts(f, "me@ryzen"),
        Code::Unknown,
        Note,
        "does not go through ssh",
    ),
    case(|_| (), Code::Hosts, Well, "10.30.5.9:3635/20,lzo"),
];
