//! Which volunteers run on which host.

use crate::farm::{
    Address, DockerEndpoint, Grace, Host, HostName, ImageSource, Labels, Network, Nice, Publish,
    Restart, Slots, Stats, TargetName, Volunteer,
};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::sections::HostSection;
use crate::manifest::source::Located;
use crate::manifest::toolchains::Catalogue;

use super::targets::{self, FarmTarget, Seen};

/// The hosts that the manifest lists; this machine if it lists none.
pub(super) fn all(
    listed: Vec<(Located<HostName>, HostSection)>,
    targets: &[FarmTarget],
    address: &Address,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Vec<Host> {
    refuse_shared_engines(&listed, findings);
    let mut hosts: Vec<Host> = listed
        .into_iter()
        .map(|(name, section)| {
            let chosen = section
                .targets
                .as_ref()
                .map(|names| choose(names, targets, catalogue, findings));
            host(name.value, section, chosen.as_deref(), targets, address)
        })
        .collect();
    if hosts.is_empty() {
        let section = HostSection::default();
        hosts.push(host(HostName::default(), section, None, targets, address));
    }
    hosts
}

/// Two hosts on one engine would fight for its ports.
fn refuse_shared_engines(listed: &[(Located<HostName>, HostSection)], findings: &mut Findings) {
    for (index, (second, section)) in listed.iter().enumerate() {
        let same = |(_, other): &&(_, HostSection)| engine(other) == engine(section);
        if let Some((first, _)) = listed[..index].iter().find(same) {
            let problem = Problem::SameEngine {
                first: first.value.clone(),
                second: second.value.clone(),
            };
            findings.clash(problem, &second.spot, &first.spot);
        }
    }
}

fn engine(section: &HostSection) -> DockerEndpoint {
    section.docker.clone().unwrap_or(DockerEndpoint::Local)
}

/// The targets of one host, all of which must be targets of the farm.
fn choose(
    names: &[Located<String>],
    targets: &[FarmTarget],
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Vec<TargetName> {
    let mut seen = Seen::default();
    let mut chosen = Vec::new();
    for name in names {
        let Some(target) = targets::find(name, catalogue, findings) else {
            continue;
        };
        if !seen.accepts(name, &target, findings) {
            continue;
        }
        if targets.iter().any(|known| known.target.name == target.name) {
            chosen.push(target.name.clone());
        } else {
            let problem = Problem::TargetNotInFarm(target.name.clone());
            findings.at(problem, &name.spot);
        }
    }
    chosen
}

/// A host with a volunteer for each of the `chosen` targets, or for all if there is no choice.
fn host(
    name: HostName,
    section: HostSection,
    chosen: Option<&[TargetName]>,
    targets: &[FarmTarget],
    address: &Address,
) -> Host {
    let mut volunteers: Vec<_> = targets
        .iter()
        .filter(|known| chosen.is_none_or(|chosen| chosen.contains(&known.target.name)))
        .map(|known| volunteer(known, section.jobs))
        .collect();
    volunteers.sort_by_key(|volunteer| volunteer.target.port);
    Host {
        name,
        docker: engine(&section),
        address: section.address.unwrap_or_else(|| address.clone()),
        volunteers,
    }
}

fn volunteer(known: &FarmTarget, host_jobs: Option<Slots>) -> Volunteer {
    Volunteer {
        target: known.target.clone(),
        gcc: known.gcc.clone(),
        slots: fewer(known.settings.jobs, host_jobs),
        cpus: None,
        memory: known.settings.memory,
        nice: known.settings.nice.unwrap_or(Nice::DEFAULT),
        headers: known
            .settings
            .headers
            .as_ref()
            .is_some_and(|headers| headers.value),
        publish: Publish::default(),
        network: Network::default(),
        restart: Restart::default(),
        stop_grace: Grace::DEFAULT,
        stats: Stats::default(),
        image: ImageSource::default(),
        labels: Labels::new(),
    }
}

/// Both the target and the host set limits, so the lower one holds.
fn fewer(target: Option<Slots>, host: Option<Slots>) -> Option<Slots> {
    match (target, host) {
        (Some(target), Some(host)) => Some(target.min(host)),
        (one, other) => one.or(other),
    }
}
