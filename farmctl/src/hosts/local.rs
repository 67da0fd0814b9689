//! The address by which others reach this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::farm::{Address, DialAddress};

/// Addresses that nobody has (RFC 5737, RFC 3849): the way to them is the default route.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// This machine has no address on a default route.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell which address of this machine masters should dial")]
pub struct NoRoute(#[source] io::Error);

impl NoRoute {
    /// What to do about it.
    pub fn hint(&self) -> String {
        "name it with --address, or with `address:` in the manifest".to_owned()
    }
}

/// What masters dial where the manifest says `address`.
pub fn dialled(address: &Address) -> Result<DialAddress, NoRoute> {
    match address {
        Address::Auto => self::address().map(DialAddress::from),
        Address::Given(given) => Ok(given.clone()),
    }
}

/// This machine's address on its default route, IPv4 if there is one.
pub fn address() -> Result<IpAddr, NoRoute> {
    let [v4, v6] = ELSEWHERE;
    address_towards(v4)
        .or_else(|no_v4| address_towards(v6).map_err(|_no_v6| no_v4))
        .map_err(NoRoute)
}

/// The address that the kernel would send from. Connecting a datagram socket chooses it and sends nothing.
fn address_towards(remote: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(SocketAddr::new(remote, DISCARD))?;
    let address = socket.local_addr()?.ip();
    if address.is_unspecified() || address.is_loopback() {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    Ok(address)
}

/// The discard service (RFC 863); any port but 0 would do.
const DISCARD: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_loopback_is_no_address_for_masters() {
        assert!(address_towards(Ipv4Addr::LOCALHOST.into()).is_err());
    }

    #[test]
    fn an_address_found_is_one_of_this_machine() {
        match address() {
            Ok(ip) => assert!(UdpSocket::bind((ip, 0)).is_ok(), "{ip}"),
            Err(no_route) => assert!(no_route.hint().contains("--address")),
        }
    }
}
