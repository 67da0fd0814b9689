//! Which addresses may send jobs.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Private networks, link-local ones and this machine: RFC 1918, RFC 3927, RFC 4193, RFC 4291.
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

/// The ranges whose addresses may send jobs; any that matches is enough. Never open by omission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList(Vec<IpNet>);

/// Neither an address nor a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither an IP address nor a range of them")]
pub(crate) struct BadRange(String);

impl BadRange {
    pub(crate) fn hint() -> String {
        "write an address such as 10.30.5.9 or a range such as 10.30.0.0/16, or a name in /etc/hosts; other names are not resolved"
            .to_owned()
    }
}

impl AllowList {
    /// The given ranges, and private networks if these are asked for or nothing else is.
    pub fn new(mut ranges: Vec<IpNet>, private: bool) -> Self {
        if private || ranges.is_empty() {
            ranges.extend(private_ranges());
        }
        Self(ranges.into_iter().map(normalised).collect())
    }

    /// Everybody: where who comes was let in by somebody else.
    pub fn everybody() -> Self {
        let unspecified = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let ranges = unspecified.map(|address| IpNet::new(address, 0));
        Self(ranges.into_iter().filter_map(Result::ok).collect())
    }

    /// Whether `address` may send jobs.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}

/// Reads an address or a range.
pub(crate) fn parse_range(text: &str) -> Result<IpNet, BadRange> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_not_a_range| address())
        .map_err(|_neither| BadRange(text.to_owned()))
}

fn private_ranges() -> impl Iterator<Item = IpNet> {
    PRIVATE.into_iter().filter_map(|range| range.parse().ok())
}

/// A range of IPv4-mapped addresses is the IPv4 range, because clients' addresses are compared in that form.
fn normalised(range: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let canonical = range.addr().to_canonical();
    match (canonical, range.prefix_len().checked_sub(MAPPED_BITS)) {
        (IpAddr::V4(_), Some(bits)) if range.addr().is_ipv6() => {
            IpNet::new(canonical, bits).unwrap_or(range).trunc()
        }
        _ => range.trunc(),
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for range in &self.0 {
            write!(formatter, "{separator}{range}")?;
            separator = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ranges: &[&str], private: bool) -> AllowList {
        AllowList::new(
            ranges
                .iter()
                .map(|range| parse_range(range).unwrap())
                .collect(),
            private,
        )
    }

    #[test]
    fn private_is_the_default_and_covers_exactly_the_private_ranges() {
        let cases = [
            ("127.0.0.1", true),
            ("127.255.255.255", true),
            ("10.1.2.3", true),
            ("11.0.0.1", false),
            ("172.15.255.255", false),
            ("172.16.0.1", true),
            ("172.31.255.255", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("192.169.0.1", false),
            ("169.254.9.9", true),
            ("8.8.8.8", false),
            ("::1", true),
            ("::2", false),
            ("fe80::1", true),
            ("fd00::1", true),
            ("2001:db8::1", false),
            ("::ffff:10.1.2.3", true),
            ("::ffff:8.8.8.8", false),
        ];
        for (address, expected) in cases {
            let address = address.parse().unwrap();
            assert_eq!(list(&[], false).allows(address), expected, "{address}");
            assert_eq!(list(&[], true).allows(address), expected, "{address}");
            assert_eq!(
                list(&["203.0.113.0/24"], true).allows(address),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn a_given_range_replaces_the_default() {
        let list = list(
            &[
                "203.0.113.7",
                "2001:db8::/32",
                "198.51.100.9/24",
                "::ffff:192.0.2.0/120",
            ],
            false,
        );
        let cases = [
            ("203.0.113.7", true),
            ("::ffff:203.0.113.7", true),
            ("203.0.113.8", false),
            ("2001:db8::1", true),
            ("198.51.100.200", true),
            ("192.0.2.77", true),
            ("192.0.3.1", false),
            ("127.0.0.1", false),
        ];
        for (address, expected) in cases {
            assert_eq!(list.allows(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn tells_the_effective_ranges() {
        assert_eq!(
            list(&["10.1.2.3/16", "::1"], false).to_string(),
            "10.1.0.0/16 ::1/128"
        );
        assert_eq!(list(&[], false).to_string(), PRIVATE.join(" "));
    }

    #[test]
    fn refuses_what_is_no_range() {
        for text in ["", "10.0.0.0/33", "host.example", "10.0.0", "0/0", "::/129"] {
            assert_eq!(parse_range(text), Err(BadRange(text.to_owned())));
        }
    }
}
