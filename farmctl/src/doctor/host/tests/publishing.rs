//! What can be wrong with whose addresses volunteers see.

use super::*;

pub(super) const CASES: &[Case<HostFacts>] = &[
    case(
        |_| (),
        Code::AddressesSeen,
        Well,
        "see who their clients are (armv5)",
    ),
    case(
        |f| volunteer(f).address.set_ip(IpAddr::from([127, 0, 0, 1])),
        Code::AddressesSeen,
        Well,
        "only this machine reaches",
    ),
    case(
        |f| {
            engine(f).security.push(Confinement {
                name: "rootless".to_owned(),
                profile: None,
            });
        },
        Code::AddressesHidden,
        Problem,
        "without root privileges",
    ),
    case(
        |f| {
            f.daemon = Ok(DaemonSettings {
                packet_rules: false,
                packet_rules_for_ipv6: None,
            });
        },
        Code::AddressesHidden,
        Problem,
        "cannot be trusted (armv5)",
    ),
    case(
        |f| f.daemon = Err(unknown()),
        Code::Unknown,
        Note,
        "who their clients are could not be found out",
    ),
    case(
        |f| f.farm.allow = AllowList::new(vec!["0.0.0.0/0".parse().unwrap()]),
        Code::AllowEveryone,
        Note,
        "lets every address",
    ),
    case(
        |f| f.firewall.ufw = Ok(true),
        Code::FirewallBypassed,
        Note,
        "ufw is active",
    ),
    case(
        |f| f.firewall.firewalld = Ok(true),
        Code::FirewallBypassed,
        Note,
        "firewalld is active",
    ),
    case(
        |f| f.firewall.ufw = Err(unknown()),
        Code::Unknown,
        Note,
        "whether ufw is active",
    ),
    case(|_| (), Code::Firewall, Well, "ufw is not active"),
];
