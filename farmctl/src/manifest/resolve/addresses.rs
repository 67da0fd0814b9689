//! One address and port lead masters to one host.

use std::collections::HashMap;

use crate::farm::{Address, DialAddress, DockerEndpoint, Host, Port};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::source::Spot;

/// What masters dial, as far as the manifest alone tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Dialled {
    At(DialAddress),
    ThisMachine,
}

/// Notes hosts that would be dialled at the same address and port: masters could not tell them apart, and on one machine
/// only one of them could open the port. `spots` say where the hosts' names are written.
pub(super) fn refuse_shared(hosts: &[Host], spots: &[Option<Spot>], findings: &mut Findings) {
    let mut dialled: HashMap<(Dialled, Port), usize> = HashMap::new();
    for (index, second) in hosts.iter().enumerate() {
        let Some(address) = address(second) else {
            continue;
        };
        let ports = second
            .volunteers
            .iter()
            .map(|volunteer| volunteer.target.port);
        let mut clash = None;
        for port in ports {
            let first = *dialled.entry((address.clone(), port)).or_insert(index);
            if clash.is_none() && first != index && !is_one_engine(&hosts[first], second) {
                clash = Some((first, port));
            }
        }
        if let Some((first, port)) = clash
            && let (Some(second_spot), Some(first_spot)) = (&spots[index], &spots[first])
        {
            let problem = Problem::SameAddress {
                first: hosts[first].name.clone(),
                second: second.name.clone(),
                port,
            };
            findings.clash(problem, second_spot, first_spot);
        }
    }
}

/// That is a mistake of its own.
fn is_one_engine(first: &Host, second: &Host) -> bool {
    match (&first.docker, &second.docker) {
        (DockerEndpoint::Tls(first), DockerEndpoint::Tls(second)) => {
            (&first.host, first.port) == (&second.host, second.port)
        }
        (first, second) => first == second,
    }
}

/// Where a context leads is not written in the manifest, and a swarm's nodes have addresses of their own.
fn address(host: &Host) -> Option<Dialled> {
    if host.swarm.is_some() {
        return None;
    }
    let of_name = |name: &str| name.parse().ok().map(Dialled::At);
    match (&host.address, &host.docker) {
        (Address::Given(address), _) => Some(Dialled::At(address.clone())),
        (Address::Auto, DockerEndpoint::Local | DockerEndpoint::Unix(_)) => {
            Some(Dialled::ThisMachine)
        }
        (Address::Auto, DockerEndpoint::Ssh(engine)) => of_name(&engine.host),
        (Address::Auto, DockerEndpoint::Tls(engine)) => of_name(&engine.host),
        (Address::Auto, DockerEndpoint::Context(_)) => None,
    }
}
