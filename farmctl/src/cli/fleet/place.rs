//! Where a host's volunteers are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::cli::context::Context;
use crate::cli::{Exit, Failure};
use crate::engine::{ClientEnvironment, Route, resolve, ssh_host_name};
use crate::farm::{Address, AddressError, DialAddress, Host, Publish};
use crate::hosts::local;

/// Where a host's volunteers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Place {
    /// What masters dial.
    pub(in crate::cli) dialled: DialAddress,
    /// The host's own address: ports are published on it and on no other.
    pub(in crate::cli) publish: IpAddr,
    /// Whether the host's engine is one of this machine.
    pub(in crate::cli) is_here: bool,
}

impl Place {
    /// Where a port that is open on `publish` is dialled from here; another machine's loopback cannot be.
    pub(in crate::cli) fn reachable(&self, publish: IpAddr) -> Option<IpAddr> {
        match publish {
            any if any.is_unspecified() && !self.is_here => Some(self.publish),
            IpAddr::V4(any) if any.is_unspecified() => Some(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(any) if any.is_unspecified() => Some(Ipv6Addr::LOCALHOST.into()),
            loopback if loopback.is_loopback() && !self.is_here => None,
            address => Some(address),
        }
    }
}

/// Whether the host's engine is one of this machine, whose files, ports and processes can be looked at.
pub(in crate::cli) fn is_of_this_machine(host: &Host, client: &ClientEnvironment) -> bool {
    Route::to(&host.docker, client).is_ok_and(|route| route.is_of_this_machine())
}

/// Where the volunteers of `host` are. A name is for masters to resolve; what it stands for is the address of the
/// engine's machine all the same.
pub(in crate::cli) async fn place(host: &Host, context: &Context) -> Result<Place, Failure> {
    if host.swarm.is_some() {
        // Each node is dialled by its own address, and a service's port is open on every one of them.
        let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        return Ok(Place {
            dialled: everywhere.into(),
            publish: everywhere,
            is_here: false,
        });
    }
    let dialled = dialled(host, context).await?;
    let is_here = is_of_this_machine(host, context.client());
    let publish = match (dialled.ip(), written(host)) {
        (Some(ip), _) => ip,
        (None, _) if is_here => local::address()?,
        (None, Some(publish)) => publish,
        (None, None) => resolved(&dialled).await?,
    };
    Ok(Place {
        dialled,
        publish,
        is_here,
    })
}

/// An address on which ports are opened, where the manifest writes one for every volunteer: then no name has to be known.
fn written(host: &Host) -> Option<IpAddr> {
    let volunteers = host.volunteers.iter();
    let written = volunteers.map(|volunteer| match volunteer.publish {
        Publish::On(address) if !address.is_unspecified() => Some(address),
        _ => None,
    });
    written.collect::<Option<Vec<_>>>()?.into_iter().next()
}

/// What masters dial: of an engine of another machine, the name or address by which that is reached.
pub(in crate::cli) async fn dialled(
    host: &Host,
    context: &Context,
) -> Result<DialAddress, Failure> {
    if let Address::Given(address) = &host.address {
        return Ok(address.clone());
    }
    let name = match Route::to(&host.docker, context.client())? {
        Route::Socket(_) => return Ok(local::dialled(&host.address)?),
        Route::Open { host, .. } | Route::Tls { host, .. } => host,
        Route::Ssh(endpoint) => ssh_host_name(&endpoint).await?,
    };
    if is_own_name(&name) {
        return Ok(local::dialled(&host.address)?);
    }
    name.parse()
        .map_err(|error: AddressError| nowhere(&name, &error.to_string()))
}

/// A port of this machine may lead anywhere; nobody else can dial it in any case.
fn is_own_name(name: &str) -> bool {
    let ip = name.parse::<IpAddr>();
    name == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

async fn resolved(name: &DialAddress) -> Result<IpAddr, Failure> {
    let name = name.to_string();
    let found = resolve(&name, 0).await;
    let found = found.map_err(|error| nowhere(&name, &error.to_string()))?;
    let mut addresses = found.iter().map(SocketAddr::ip);
    let v4 = addresses.clone().find(IpAddr::is_ipv4);
    v4.or_else(|| addresses.next())
        .ok_or_else(|| nowhere(&name, "the name has no address"))
}

fn nowhere(name: &str, reason: &str) -> Failure {
    let error = anyhow::anyhow!("cannot tell at which address {name} has its ports: {reason}");
    let hint = "write `address:` for this host in the manifest";
    Failure::new(Exit::Failed, error, Some(hint.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    fn host(keys: &str) -> Host {
        let text =
            format!("targets: {{ armv7h: {{}}, aarch64: {{}} }}\nhosts: {{ nas: {{ {keys} }} }}");
        let farm = manifest::parse(&text, "farm.yaml").unwrap();
        farm.hosts.into_iter().next().unwrap()
    }

    #[test]
    fn only_addresses_for_every_volunteer_spare_a_look_up() {
        let address: IpAddr = [10, 30, 5, 9].into();
        assert_eq!(written(&host("publish: 10.30.5.9")), Some(address));
        assert_eq!(written(&host("")), None);
        assert_eq!(written(&host("publish: 0.0.0.0")), None);
        let one = "targets: { armv7h: { publish: 10.30.5.9 }, aarch64: {} }";
        assert_eq!(written(&host(one)), None);
    }

    #[test]
    fn ports_of_another_machine_are_dialled_there() {
        let place = |is_here| Place {
            dialled: IpAddr::from([10, 30, 5, 9]).into(),
            publish: [10, 30, 5, 9].into(),
            is_here,
        };
        let [any, loopback, other]: [IpAddr; 3] =
            [[0, 0, 0, 0], [127, 0, 0, 1], [10, 9, 9, 9]].map(IpAddr::from);
        assert_eq!(place(true).reachable(any), Some(loopback));
        assert_eq!(place(false).reachable(any), Some([10, 30, 5, 9].into()));
        assert_eq!(place(true).reachable(loopback), Some(loopback));
        assert_eq!(place(false).reachable(loopback), None);
        assert_eq!(place(false).reachable(other), Some(other));
    }

    #[test]
    fn a_tunnel_of_this_machine_is_no_address_for_masters() {
        for (name, own) in [
            ("localhost", true),
            ("127.0.0.9", true),
            ("::1", true),
            ("nas", false),
        ] {
            assert_eq!(is_own_name(name), own, "{name}");
        }
    }
}
