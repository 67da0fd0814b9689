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
}

/// Why a text is no entry of an allow list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither 'private', 'local' nor an address range")]
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
        }
    }
}

/// Private ranges: RFC 1918, RFC 4193, link-local (RFC 3927, RFC 4291) and loopback.
const PRIVATE: [&str; 8] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];
const LOCAL: [&str; 2] = ["127.0.0.0/8", "::1/128"];

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

    /// The ranges of this machine alone.
    pub fn loopback() -> impl Iterator<Item = IpNet> {
        ranges_of(&AllowRule::Local).into_iter()
    }

    /// The entries as written.
    pub fn rules(&self) -> &[AllowRule] {
        &self.rules
    }

    /// The address ranges that the entries stand for, in order.
    pub fn ranges(&self) -> Vec<IpNet> {
        self.rules.iter().flat_map(ranges_of).collect()
    }
}

fn ranges_of(rule: &AllowRule) -> Vec<IpNet> {
    let named = |ranges: &[&str]| {
        ranges
            .iter()
            .filter_map(|range| range.parse().ok())
            .collect()
    };
    match rule {
        AllowRule::Private => named(&PRIVATE),
        AllowRule::Local => named(&LOCAL),
        AllowRule::Range(range) => vec![*range],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_means_private_networks() {
        assert_eq!(AllowList::new(Vec::new()).ranges().len(), PRIVATE.len());
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
    fn refuses_what_is_no_range() {
        for bad in ["", "lan", "10.0.0.0/33", "10.0.0", "Private"] {
            assert!(bad.parse::<AllowRule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_named_range_parses() {
        assert_eq!(ranges_of(&AllowRule::Local).len(), LOCAL.len());
        assert_eq!(ranges_of(&AllowRule::Private).len(), PRIVATE.len());
    }
}
