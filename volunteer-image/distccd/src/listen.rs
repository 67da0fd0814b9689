//! Opens the port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Clients that may wait to be accepted; the stock daemon's figure.
const BACKLOG: u32 = 1024;

/// Listens on `address`, or on every address that this machine has.
///
/// Must be called inside the runtime.
pub fn listen(address: Option<IpAddr>, port: u16) -> io::Result<TcpListener> {
    match address {
        Some(address) => listen_on(address, port),
        None => listen_on(Ipv6Addr::UNSPECIFIED.into(), port).or_else(|error| match error.kind() {
            // No IPv6 in this kernel or container.
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported => {
                listen_on(Ipv4Addr::UNSPECIFIED.into(), port)
            }
            _ if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => {
                listen_on(Ipv4Addr::UNSPECIFIED.into(), port)
            }
            _ => Err(error),
        }),
    }
}

fn listen_on(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let socket = match address {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // IPv4 clients come as mapped addresses, whatever the machine's default says.
            rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
            socket
        }
    };
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(address, port))?;
    socket.listen(BACKLOG)
}
