//! Whether a host is a whole swarm, and what of its settings a swarm cannot do.

use crate::farm::{Constraint, EngineKind, Network, Publish, Registry, Stats, Swarm, Volunteer};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::source::{Located, Spot};

/// What a host says of it.
pub(super) struct Parts {
    pub(super) engine: Option<Located<EngineKind>>,
    pub(super) registry: Option<Located<Registry>>,
    pub(super) placement: Option<Located<Vec<Constraint>>>,
    /// Where it has an address of its own.
    pub(super) address: Option<Spot>,
}

impl Parts {
    /// The swarm, if it is one.
    pub(super) fn swarm(self, volunteers: &[Volunteer], findings: &mut Findings) -> Option<Swarm> {
        let Some(engine) = self
            .engine
            .filter(|engine| engine.value == EngineKind::Swarm)
        else {
            let registry = self.registry.map(|registry| ("registry", registry.spot));
            let placement = self
                .placement
                .map(|placement| ("placement", placement.spot));
            for (key, spot) in [registry, placement].into_iter().flatten() {
                findings.at(Problem::OnlySwarm(key), &spot);
            }
            return None;
        };
        if let Some(spot) = &self.address {
            findings.at(Problem::SwarmAddress, spot);
        }
        for problem in volunteers.iter().filter_map(impossible) {
            findings.at(problem, &engine.spot);
        }
        let Some(registry) = self.registry else {
            findings.at(Problem::NoRegistry, &engine.spot);
            return None;
        };
        Some(Swarm {
            registry: registry.value,
            placement: self
                .placement
                .map(|placement| placement.value)
                .unwrap_or_default(),
        })
    }
}

/// A swarm opens a port on every address of a node, and has no word for one of them.
fn impossible(volunteer: &Volunteer) -> Option<Problem> {
    let target = volunteer.target.name.clone();
    match (volunteer.publish, volunteer.stats, volunteer.network) {
        (Publish::On(address), _, _) if !address.is_unspecified() || address.is_ipv6() => {
            Some(Problem::SwarmPublish { target, address })
        }
        (_, Stats::Loopback, Network::Bridge) => Some(Problem::SwarmStats(target)),
        _ => None,
    }
}
