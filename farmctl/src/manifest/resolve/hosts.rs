//! Which volunteers run on which host.

use std::path::Path;

use crate::farm::{Address, DockerEndpoint, Host, HostName, TargetName};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::sections::{HostSection, HostTargetSection, Named};
use crate::manifest::settings::Settings;
use crate::manifest::source::Located;
use crate::manifest::toolchains::Catalogue;

use super::addresses;
use super::engine::engine;
use super::ports;
use super::swarm;
use super::targets::{self, FarmTarget, Seen};
use super::volunteer::volunteer;

/// What hosts find in their farm.
pub(super) struct Surroundings<'f> {
    pub(super) targets: &'f [FarmTarget],
    pub(super) settings: &'f Settings,
    pub(super) address: Address,
    pub(super) catalogue: &'f Catalogue,
    /// Where the manifest lies.
    pub(super) folder: &'f Path,
}

/// The hosts that the manifest lists; this machine if it lists none.
pub(super) fn all(
    mut listed: Named<HostName, HostSection>,
    farm: &Surroundings<'_>,
    findings: &mut Findings,
) -> Vec<Host> {
    refuse_shared_engines(&listed, findings);
    if listed.is_empty() {
        listed.push((None, HostSection::default()));
    }
    let mut hosts = Vec::new();
    let mut spots = Vec::new();
    for (name, section) in listed {
        let (name, spot) = name.map_or_else(Default::default, |name| (name.value, Some(name.spot)));
        hosts.push(host(name, section, farm, findings));
        spots.push(spot);
    }
    addresses::refuse_shared(&hosts, &spots, findings);
    check_unused(&hosts, farm, findings);
    hosts
}

/// Two hosts on one engine would fight for its ports.
fn refuse_shared_engines(listed: &Named<HostName, HostSection>, findings: &mut Findings) {
    let named = |entry: &'_ (Option<Located<HostName>>, HostSection)| {
        Some((entry.0.clone()?, endpoint(&entry.1)))
    };
    let hosts: Vec<_> = listed.iter().filter_map(named).collect();
    for (index, (second, own)) in hosts.iter().enumerate() {
        if let Some((first, _)) = hosts[..index].iter().find(|(_, other)| other == own) {
            let problem = Problem::SameEngine {
                first: first.value.clone(),
                second: second.value.clone(),
            };
            findings.clash(problem, &second.spot, &first.spot);
        }
    }
}

fn endpoint(section: &HostSection) -> DockerEndpoint {
    let written = section.docker.as_ref();
    written.map_or(DockerEndpoint::Local, |written| written.value.clone())
}

/// A host with a volunteer for each of the targets that it chooses, or for all if there is no choice.
fn host(
    name: HostName,
    section: HostSection,
    farm: &Surroundings<'_>,
    findings: &mut Findings,
) -> Host {
    let docker = engine(section.docker, section.tls, farm.folder, findings);
    let is_swarm = swarm::Parts {
        engine: section.engine,
        registry: section.registry,
        placement: section.placement,
        address: section.address.as_ref().map(|address| address.spot.clone()),
    };
    let address = section
        .address
        .map_or_else(|| farm.address.clone(), |address| address.value);
    let nothing = HostTargetSection::default();
    let chosen = section.targets.map(|listed| choose(listed, farm, findings));
    let mut volunteers = Vec::new();
    for known in farm.targets {
        let own = match &chosen {
            None => &nothing,
            Some(chosen) => match chosen.iter().find(|(name, _)| *name == known.target.name) {
                Some((_, own)) => own,
                None => continue,
            },
        };
        let made = volunteer(known, own, &section.settings, farm.settings, findings);
        volunteers.push((made, &known.port));
    }
    ports::refuse_shared(&volunteers, &address, findings);
    volunteers.sort_by_key(|(volunteer, _)| volunteer.target.port);
    let volunteers: Vec<_> = volunteers.into_iter().map(|(made, _)| made).collect();
    let swarm = is_swarm.swarm(&volunteers, findings);
    Host {
        name,
        docker,
        address,
        volunteers,
        swarm,
    }
}

/// The targets of one host, all of which must be targets of the farm.
fn choose(
    listed: Named<String, HostTargetSection>,
    farm: &Surroundings<'_>,
    findings: &mut Findings,
) -> Vec<(TargetName, HostTargetSection)> {
    let mut seen = Seen::default();
    let mut chosen = Vec::new();
    for (name, section) in listed {
        let Some(name) = name else { continue };
        let Some(target) = targets::find(&name, farm.catalogue, findings) else {
            continue;
        };
        if !seen.accepts(&name, &target, findings) {
            continue;
        }
        let mut known = farm.targets.iter();
        if known.any(|known| known.target.name == target.name) {
            chosen.push((target.name.clone(), section));
        } else {
            let problem = Problem::TargetNotInFarm(target.name.clone());
            findings.at(problem, &name.spot);
        }
    }
    chosen
}

/// What no host compiles for may be wrong all the same.
fn check_unused(hosts: &[Host], farm: &Surroundings<'_>, findings: &mut Findings) {
    let is_used = |known: &FarmTarget| {
        let mut volunteers = hosts.iter().flat_map(|host| &host.volunteers);
        volunteers.any(|volunteer| volunteer.target.name == known.target.name)
    };
    for known in farm.targets.iter().filter(|known| !is_used(known)) {
        let (own, host) = (HostTargetSection::default(), Settings::default());
        let _checked = volunteer(known, &own, &host, farm.settings, findings);
    }
}
