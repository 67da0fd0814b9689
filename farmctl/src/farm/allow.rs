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
    fn refuses_what_is_no_range() {
        for bad in ["", "lan", "10.0.0.0/33", "10.0.0", "Private"] {
            assert!(bad.parse::<AllowRule>().is_err(), "{bad}");
        }
    }
}
