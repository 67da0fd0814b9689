//! The farm's wish for one host, decided down to every container. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::engine::EngineFacts;
use crate::farm::{
    AllowList, AllowRule, FarmName, Host, ImageTag, Memory, Slots, TargetName, Volunteer,
    VolunteerSpec,
};

/// What one host should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The farm.
    pub farm: FarmName,
    /// Its containers on this host; none of them means that the farm should be gone.
    pub volunteers: Vec<VolunteerSpec>,
}

impl Desired {
    /// Nothing of `farm`: what `down` wants.
    pub fn nothing(farm: FarmName) -> Self {
        Self {
            farm,
            volunteers: Vec::new(),
        }
    }
}

/// What the manifest leaves to the machine.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// What the engine says of itself.
    pub engine: &'a EngineFacts,
    /// The host's own address, on which ports are published.
    pub publish: IpAddr,
    /// The image of every target.
    pub images: &'a BTreeMap<TargetName, ImageTag>,
}

/// A wish that this machine cannot fulfil.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesiredError {
    /// There is no image for a target.
    #[error("no image was resolved for target {0}")]
    NoImage(TargetName),
}

/// Decides every container of `host`.
pub fn desired(
    farm: &FarmName,
    allow: &AllowList,
    host: &Host,
    surroundings: &Surroundings<'_>,
) -> Result<Desired, DesiredError> {
    let allow = admitted(allow, surroundings.publish);
    let spec = |volunteer: &Volunteer| {
        let target = volunteer.target.name.clone();
        let image = surroundings.images.get(&target).cloned();
        Ok(VolunteerSpec {
            farm: farm.clone(),
            image: image.ok_or_else(|| DesiredError::NoImage(target.clone()))?,
            target,
            port: volunteer.target.port,
            publish: surroundings.publish,
            slots: slots(volunteer, surroundings.engine),
            nice: volunteer.nice,
            memory: volunteer
                .memory
                .unwrap_or_else(|| most_memory(surroundings.engine)),
            allow: allow.clone(),
            gcc: volunteer.gcc.clone(),
            stop_grace: STOP_GRACE,
        })
    };
    let volunteers = host.volunteers.iter().map(spec).collect::<Result<_, _>>()?;
    Ok(Desired {
        farm: farm.clone(),
        volunteers,
    })
}

/// How long jobs in flight may finish when a volunteer is replaced; long C++ compiles take a minute or two.
const STOP_GRACE: Duration = Duration::from_mins(2);

/// As many jobs as the manifest says, or else as the stock daemon takes: two more than there are processors, so
/// that these stay busy while bodies travel.
pub fn slots(volunteer: &Volunteer, engine: &EngineFacts) -> Slots {
    let by_processors = Slots::clamped(u64::from(engine.processors) + 2);
    volunteer.slots.unwrap_or(by_processors)
}

/// Without a limit in the manifest a volunteer may use three quarters of the machine's memory: a runaway compile
/// then ends in its own container and not in its neighbours.
fn most_memory(engine: &EngineFacts) -> Memory {
    Memory::from_bytes(engine.memory.bytes() / 4 * 3).max(Memory::LEAST)
}

/// The farm's rules, and what farmctl itself needs to check a volunteer: the container's own loopback for the health
/// check, and the host's published address, which need not be a private one.
fn admitted(allow: &AllowList, publish: IpAddr) -> Vec<AllowRule> {
    let mut rules = allow.rules().to_vec();
    for own in [AllowRule::Local, AllowRule::Range(IpNet::from(publish))] {
        if !rules.contains(&own) {
            rules.push(own);
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_health_check_are_always_admitted() {
        let publish = IpAddr::from([203, 0, 113, 7]);
        for (rules, expected) in [
            (vec![], vec!["private", "local", "203.0.113.7/32"]),
            (vec!["local"], vec!["local", "203.0.113.7/32"]),
            (
                vec!["203.0.113.7", "10.0.0.0/8"],
                vec!["203.0.113.7/32", "10.0.0.0/8", "local"],
            ),
        ] {
            let list = AllowList::new(rules.iter().map(|rule| rule.parse().unwrap()).collect());
            let admitted: Vec<_> = admitted(&list, publish)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(admitted, expected);
        }
    }
}
