//! Names of machines, resolved in Rust: a static program has no NSS.

use std::io;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;

/// Where `host` may be, in the order in which it should be tried.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_a_name) => look_up(host).await?,
    };
    let with_port = |address| SocketAddr::new(address, port);
    Ok(addresses.into_iter().map(with_port).collect())
}

async fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    let unknown = |reason: String| io::Error::new(io::ErrorKind::NotFound, reason);
    let resolver = TokioResolver::builder_tokio()
        .and_then(hickory_resolver::ResolverBuilder::build)
        .map_err(|error| unknown(format!("cannot read /etc/resolv.conf: {error}")))?;
    let found = resolver.lookup_ip(name).await;
    let found = found.map_err(|_unknown| unknown(format!("the name {name} is not known")))?;
    Ok(found.iter().collect())
}
