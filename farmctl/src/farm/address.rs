//! The address that masters dial.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Longest host name accepted, in bytes (RFC 1035 2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// What masters dial, as the manifest says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// This machine's address on its default route.
    Auto,
    /// An address or a name.
    Given(DialAddress),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Given),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Given(address) => address.fmt(f),
        }
    }
}

/// An IP address or a host name that may stand in a master's list of hosts.
///
/// The list's grammar gives a meaning to `@`, `/`, `:`, `,`, `#`, blanks and words that begin with `-` or `+`
/// (distcc protocol, host list), so none of them can be part of a name. An IPv6 address stands in brackets there, and
/// so [`Display`](fmt::Display) writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DialAddress(Host);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

impl DialAddress {
    /// The address, unless it is a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.0 {
            Host::Ip(ip) => Some(*ip),
            Host::Name(_) => None,
        }
    }
}

impl From<IpAddr> for DialAddress {
    fn from(ip: IpAddr) -> Self {
        Self(Host::Ip(ip))
    }
}

impl FromStr for DialAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        match bare.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => Err(AddressError::Unspecified(ip)),
            Ok(ip) => Ok(Self::from(ip)),
            Err(_no_ip) => Ok(Self(Host::Name(host_name(text)?))),
        }
    }
}

fn host_name(text: &str) -> Result<String, AddressError> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some((host, port)) = text.rsplit_once(':')
        && !port.is_empty()
        && port.chars().all(|c| c.is_ascii_digit())
        && host.chars().all(letter)
    {
        return Err(AddressError::Port(text.to_owned()));
    }
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !starts_well || !text.chars().all(letter) || text.len() > MAX_HOST_BYTES {
        return Err(AddressError::NoHost(text.to_owned()));
    }
    Ok(text.to_owned())
}

impl fmt::Display for DialAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Host::Ip(IpAddr::V6(ip)) => f.pad(&format!("[{ip}]")),
            Host::Ip(IpAddr::V4(ip)) => f.pad(&ip.to_string()),
            Host::Name(name) => f.pad(name),
        }
    }
}

/// Why a text is no address that masters can dial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither an IP address nor a host name.
    #[error("{0:?} is neither an IP address nor a host name")]
    NoHost(String),
    /// The port belongs to the target.
    #[error("{0:?} names a port, and each target has its own")]
    Port(String),
    /// An address to listen on, not one to dial.
    #[error("nobody can dial {0}")]
    Unspecified(IpAddr),
}

impl AddressError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::NoHost(_) => "write auto, an address such as 10.30.5.9, or a host name",
            Self::Port(_) => "write the address alone; a target's `port:` changes its port",
            Self::Unspecified(_) => "write auto for this machine's address on its default route",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_a_list_of_hosts_can_hold() {
        for (text, printed) in [
            ("10.30.5.9", "10.30.5.9"),
            ("ryzen.lan", "ryzen.lan"),
            ("2001:db8::9", "[2001:db8::9]"),
            ("[2001:db8::9]", "[2001:db8::9]"),
        ] {
            assert_eq!(
                text.parse::<DialAddress>().map(|a| a.to_string()),
                Ok(printed.to_owned())
            );
        }
    }

    #[test]
    fn auto_is_no_name() {
        assert_eq!("auto".parse(), Ok(Address::Auto));
    }

    #[test]
    fn refuses_what_the_list_would_read_otherwise() {
        let no_host = |text: &str| AddressError::NoHost(text.to_owned());
        for (text, error) in [
            ("", no_host("")),
            ("me@ryzen", no_host("me@ryzen")),
            ("ryzen/4", no_host("ryzen/4")),
            ("ryzen,lzo", no_host("ryzen,lzo")),
            ("ry zen", no_host("ry zen")),
            ("#ryzen", no_host("#ryzen")),
            ("--randomize", no_host("--randomize")),
            ("+zeroconf", no_host("+zeroconf")),
            ("[ryzen]", no_host("[ryzen]")),
            ("fe80::1%eth0", no_host("fe80::1%eth0")),
            ("$(id)", no_host("$(id)")),
            ("ryzen:3632", AddressError::Port("ryzen:3632".to_owned())),
            (
                "10.0.0.1:3632",
                AddressError::Port("10.0.0.1:3632".to_owned()),
            ),
            (
                "0.0.0.0",
                AddressError::Unspecified(IpAddr::from([0, 0, 0, 0])),
            ),
        ] {
            assert_eq!(text.parse::<DialAddress>(), Err(error), "{text}");
        }
        assert!("a".repeat(254).parse::<DialAddress>().is_err());
    }
}
