//! Who may send jobs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// One entry of an allow list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AllowRule {
    /// Private and link-local networks and this machine.
    Private,
    /// This machine only.
    Local,
    /// Any address of a range.
    Range(IpNet),
    /// Everybody, also from the internet.
    Any,
}

/// Why a text is no entry of an allow list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither 'private', 'local', 'any' nor an address range")]
pub struct AllowRuleError(String);

impl AllowRuleError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        "write private, local, an address such as 10.30.5.9, or a range such as 10.30.0.0/16"
            .to_owned()
    }
}

impl FromStr for AllowRule {
    type Err = AllowRuleError;

    fn from_str(text: &str) -> Result<Self, AllowRuleError> {
        match text {
            "private" => Ok(Self::Private),
            "local" => Ok(Self::Local),
            "any" => Ok(Self::Any),
            _ => text
                .parse::<IpNet>()
                .or_else(|_not_a_range| text.parse::<IpAddr>().map(IpNet::from))
                .map(|range| Self::Range(range.trunc()))
                .map_err(|_neither| AllowRuleError(text.to_owned())),
        }
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str("private"),
            Self::Local => f.write_str("local"),
            Self::Range(range) => range.fmt(f),
            Self::Any => f.write_str("any"),
        }
    }
}

/// Everyone who may send jobs; any entry that matches is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList {
    rules: Vec<AllowRule>,
}

impl AllowList {
    /// A list of `rules`; an empty one lets private networks in.
    pub fn new(rules: Vec<AllowRule>) -> Self {
        if rules.is_empty() {
            Self {
                rules: vec![AllowRule::Private],
            }
        } else {
            Self { rules }
        }
    }

    /// The entries as written.
    pub fn rules(&self) -> &[AllowRule] {
        &self.rules
    }

    /// Whether everybody may send jobs: whoever starts such a farm is to be warned.
    pub fn is_open(&self) -> bool {
        self.rules.contains(&AllowRule::Any)
    }

    /// Whether the ranges together hold more of the internet than anybody owns who shares a farm: more than
    /// `MOST_OF_IPV4` or `MOST_OF_IPV6` says. Addresses that are not routed there do not count.
    pub fn holds_much_of_the_internet(&self) -> bool {
        let ranges = self.rules.iter().filter_map(|rule| match rule {
            AllowRule::Range(range) => Some(unmapped(*range)),
            AllowRule::Private | AllowRule::Local | AllowRule::Any => None,
        });
        let ranges = IpNet::aggregate(&ranges.collect());
        let reachable = |is_family: fn(&IpNet) -> bool| -> u128 {
            let sizes = ranges.iter().filter(|range| is_family(range));
            sizes.map(public_addresses).fold(0, u128::saturating_add)
        };
        reachable(|range| matches!(range, IpNet::V4(_))) > addresses(32 - MOST_OF_IPV4)
            || reachable(|range| matches!(range, IpNet::V6(_))) > addresses(128 - MOST_OF_IPV6)
    }
}

/// The widest public range that needs no word of its own, as the length of its prefix.
const MOST_OF_IPV4: u8 = 16;
/// The same for IPv6: what a provider gets.
const MOST_OF_IPV6: u8 = 32;

/// Ranges that the internet does not route (IANA's registries of special-purpose addresses); none holds another.
const NOT_ROUTED: [&str; 9] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// How many addresses differ in that many last bits.
fn addresses(bits: u8) -> u128 {
    1u128.checked_shl(bits.into()).unwrap_or(u128::MAX)
}

/// How many addresses of a range the internet routes.
fn public_addresses(range: &IpNet) -> u128 {
    let size = |range: &IpNet| addresses(range.max_prefix_len() - range.prefix_len());
    let not_routed: Vec<IpNet> = NOT_ROUTED
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    if not_routed.iter().any(|whole| whole.contains(range)) {
        return 0;
    }
    let inside = not_routed.iter().filter(|part| range.contains(*part));
    size(range) - inside.map(size).sum::<u128>()
}

/// A range of IPv4-mapped addresses as the IPv4 range, because the daemon compares clients in that form.
fn unmapped(range: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let IpNet::V6(v6) = range else { return range };
    v6.prefix_len()
        .checked_sub(MAPPED)
        .zip(v6.addr().to_ipv4_mapped())
        .and_then(|(length, address)| IpNet::new(address.into(), length).ok())
        .unwrap_or(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_means_private_networks() {
        assert_eq!(AllowList::new(Vec::new()).rules(), [AllowRule::Private]);
    }

    #[test]
    fn an_address_alone_is_a_range_of_one() {
        assert_eq!(
            "10.1.2.3".parse::<AllowRule>().map(|r| r.to_string()),
            Ok("10.1.2.3/32".to_owned())
        );
        assert_eq!(
            "10.1.2.3/16".parse::<AllowRule>().map(|r| r.to_string()),
            Ok("10.1.0.0/16".to_owned())
        );
        assert_eq!(
            "fe80::1/10".parse::<AllowRule>().map(|r| r.to_string()),
            Ok("fe80::/10".to_owned())
        );
    }

    #[test]
    fn knows_which_lists_let_the_internet_in() {
        let much = |rules: &[&str]| {
            let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
            AllowList::new(rules).holds_much_of_the_internet()
        };
        for few in [
            &["private"][..],
            &["203.0.113.0/24"],
            &["198.51.0.0/16", "198.51.100.0/24"],
            &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
            &["2001:db8::/32"],
            &["::ffff:10.0.0.0/104"],
        ] {
            assert!(!much(few), "{few:?}");
        }
        for many in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["10.0.0.0/7"],
            &["198.51.0.0/16", "198.52.0.1"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["2001:db8::/31"],
            &["::ffff:0.0.0.0/96"],
        ] {
            assert!(much(many), "{many:?}");
        }
        assert!(AllowList::new(vec![AllowRule::Any]).is_open());
    }

    #[test]
    fn refuses_what_is_no_range() {
        for bad in ["", "lan", "10.0.0.0/33", "10.0.0", "Private"] {
            assert!(bad.parse::<AllowRule>().is_err(), "{bad}");
        }
    }
}
