//! Names of hosts, as other programs of this machine know them.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::super::{Fact, Unknown};
use super::program::{find, run};

/// The first address of `name`; `None` if this machine does not know it.
///
/// The C library's own lookup decides, by way of its `getent`: what the client can dial may be in /etc/hosts or come from mDNS.
pub async fn address(name: &str, port: u16, path: &str) -> Fact<Option<SocketAddr>> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(Some(SocketAddr::new(ip, port)));
    }
    let getent = find("getent", path)
        .ok_or_else(|| Unknown("there is no getent to look names up with".to_owned()))?;
    let ran = run(Path::new(&getent), ["ahosts", name], |_command| {}).await?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let first = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    Ok(first.map(|ip: IpAddr| SocketAddr::new(ip, port)))
}
