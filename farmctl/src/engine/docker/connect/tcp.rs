//! TCP connections that notice when the other side is gone.

use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpStream;

use super::names;

/// A silent connection is asked for a sign of life after this, and so often until it counts as broken.
const SILENCE: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;

/// Data that nobody has taken for so long never arrives: a cable may be cut in the middle of an image.
const UNTAKEN: Duration = Duration::from_secs(45);

/// A connection to the first address of `host` that takes it.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for address in names::resolve(host, port).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                watch(&stream)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn watch(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, SILENCE)?;
    sockopt::set_tcp_keepintvl(stream, SILENCE)?;
    sockopt::set_tcp_keepcnt(stream, ATTEMPTS)?;
    let milliseconds = u32::try_from(UNTAKEN.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(stream, milliseconds)?)
}
