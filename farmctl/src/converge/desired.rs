//! The farm's wish for one host, decided down to every container. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::engine::EngineFacts;
use crate::farm::{
    AllowList, AllowRule, FarmName, Host, ImageTag, Memory, Publish, Slots, TargetName, Volunteer,
    VolunteerSpec,
};

/// What one host should run: `T` decides everything of one target, for an engine or (see [`crate::swarm`]) for a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired<T = VolunteerSpec> {
    /// The farm.
    pub farm: FarmName,
    /// Its targets on this host; none of them means that the farm should be gone.
    pub targets: Vec<T>,
    /// What of the farm may be touched.
    pub scope: Scope,
    /// What the user asks for beyond that.
    pub intent: Intent,
}

/// What of a farm may be touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Farm,
    /// These targets, whether the manifest names them or not.
    Targets(BTreeSet<TargetName>),
}

impl Scope {
    /// These targets; without any, the whole farm.
    pub fn of(targets: impl IntoIterator<Item = TargetName>) -> Self {
        let targets: BTreeSet<_> = targets.into_iter().collect();
        if targets.is_empty() {
            Self::Farm
        } else {
            Self::Targets(targets)
        }
    }

    /// Whether something of `target` may be touched; what says of no target that it is for it belongs to the whole farm.
    pub fn holds(&self, target: Option<&TargetName>) -> bool {
        match self {
            Self::Farm => true,
            Self::Targets(targets) => target.is_some_and(|target| targets.contains(target)),
        }
    }
}

/// What is to be done with targets that are as described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Nothing. Drained ones stay so.
    Keep,
    /// They get new volunteers, unless they are drained.
    Restart,
    /// They stop serving until further notice.
    Drain,
    /// They serve again if they were drained.
    Undrain,
}

impl<T> Desired<T> {
    /// Nothing of `farm`: what `down` wants.
    pub fn nothing(farm: FarmName) -> Self {
        Self {
            farm,
            targets: Vec::new(),
            scope: Scope::Farm,
            intent: Intent::Keep,
        }
    }

    /// The same wish for a part of the farm.
    #[must_use]
    pub fn only(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same farm, to do this with it.
    #[must_use]
    pub fn with(self, intent: Intent) -> Self {
        Self { intent, ..self }
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
    let spec = |volunteer: &Volunteer| {
        let target = volunteer.target.name.clone();
        let image = surroundings.images.get(&target).cloned();
        let publish = match volunteer.publish {
            Publish::Auto => surroundings.publish,
            Publish::On(address) => address,
        };
        Ok(VolunteerSpec {
            farm: farm.clone(),
            image: image.ok_or_else(|| DesiredError::NoImage(target.clone()))?,
            source: volunteer.image.clone(),
            target,
            port: volunteer.target.port,
            publish,
            network: volunteer.network,
            slots: slots(volunteer, surroundings.engine),
            cpus: volunteer.cpus,
            nice: volunteer.nice,
            memory: volunteer
                .memory
                .unwrap_or_else(|| most_memory(surroundings.engine)),
            allow: admitted(allow, publish),
            gcc: volunteer.gcc.clone(),
            restart: volunteer.restart,
            stop_grace: volunteer.stop_grace,
            stats: volunteer.stats,
            labels: volunteer.labels.clone(),
            swap_limit: surroundings.engine.swap_limit,
            process_limit: surroundings.engine.process_limit,
        })
    };
    let volunteers = host.volunteers.iter().map(spec).collect::<Result<_, _>>()?;
    Ok(Desired {
        farm: farm.clone(),
        targets: volunteers,
        scope: Scope::Farm,
        intent: Intent::Keep,
    })
}

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
    let published = (!publish.is_unspecified()).then(|| AllowRule::Range(IpNet::from(publish)));
    for own in [Some(AllowRule::Local), published].into_iter().flatten() {
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
