//! Who is at the other end.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A client on the network.
    Network(SocketAddr),
    /// A program on this machine: ssh, say.
    UnixDomain,
    /// Whoever holds the other ends of two pipes.
    Pipes,
}

impl Peer {
    /// Its address, an IPv4 one always in its own form; who has none is this machine.
    pub(crate) fn ip(self) -> IpAddr {
        match self {
            Self::Network(address) => address.ip().to_canonical(),
            Self::UnixDomain | Self::Pipes => Ipv4Addr::LOCALHOST.into(),
        }
    }
}

/// In the stock daemon's words, a blank at the end of the second one included.
impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => {
                write!(formatter, "{}", SocketAddr::new(self.ip(), address.port()))
            }
            Self::UnixDomain => formatter.write_str("UNIX-DOMAIN "),
            Self::Pipes => formatter.write_str("NOTSOCKET"),
        }
    }
}
