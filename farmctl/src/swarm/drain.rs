//! Nodes or whole targets out of service and back. Pure.
//!
//! A service itself says from which nodes it is kept, as conditions of its placement, so nothing of a node is changed and
//! what else runs there goes on. Only the placement changes: whatever else a service is, and its tasks on other nodes, stay.
//! (A label of the node would do as well, but then the manager rejects the task and never says when its container ended.)

use std::collections::BTreeSet;

use super::action::{ServiceEnd, SwarmAction};
use crate::converge::{Action, Cause, Plan, Scope, StepId};
use crate::engine::{LiveNode, LiveService, ObservedSwarm};
use crate::farm::{Role, ServiceShape, TargetName};

/// A name that no node goes by, or several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownNode {
    /// None does.
    #[error("the swarm has no node '{name}'")]
    None {
        /// As given.
        name: String,
        /// The nodes that there are.
        known: Vec<String>,
    },
    /// Several do.
    #[error("several nodes of the swarm are called '{name}'")]
    Several {
        /// As given.
        name: String,
        /// What tells them apart.
        known: Vec<String>,
    },
}

impl UnknownNode {
    /// What to write instead.
    pub fn hint(&self) -> String {
        let (Self::None { known, .. } | Self::Several { known, .. }) = self;
        format!("name it by its address or id: {}", known.join(", "))
    }
}

/// The node that goes by `name`: its id or the beginning of it, its address, or its host name.
///
/// # Errors
/// There is none, or more than one.
pub fn node<'n>(name: &str, nodes: &'n [LiveNode]) -> Result<&'n LiveNode, UnknownNode> {
    const SHORTEST: usize = 4;
    let has_address = |node: &&LiveNode| {
        node.address
            .is_some_and(|address| address.to_string() == name)
    };
    let has_id =
        |node: &&LiveNode| node.id == name || name.len() >= SHORTEST && node.id.starts_with(name);
    let found: Vec<_> = nodes
        .iter()
        .filter(|node| node.hostname == name || has_address(node) || has_id(node))
        .collect();
    let described = |nodes: &mut dyn Iterator<Item = &LiveNode>| nodes.map(described).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(UnknownNode::None {
            name: name.to_owned(),
            known: described(&mut nodes.iter()),
        }),
        several => Err(UnknownNode::Several {
            name: name.to_owned(),
            known: described(&mut several.iter().copied()),
        }),
    }
}

fn described(node: &LiveNode) -> String {
    match node.address {
        Some(address) => format!("{address} ({}, {})", node.hostname, node.id),
        None => format!("{} ({})", node.id, node.hostname),
    }
}

/// Takes `nodes` out of the service of the targets in `scope`, or these targets out of service altogether if no node is
/// named: jobs finish, then doors close.
pub fn drain(observed: &ObservedSwarm, scope: &Scope, nodes: &BTreeSet<String>) -> Plan {
    let kept_away = |shape: ServiceShape| {
        if nodes.is_empty() {
            shape.nowhere()
        } else {
            shape.kept_from(nodes)
        }
    };
    let mut plan = Plan::default();
    for target in targets(observed, scope) {
        let place = |role: Role, plan: &mut Plan, after: Vec<StepId>| {
            let live = observed.service(role, target)?;
            let constraints = kept_away(live.shape.clone()).constraints;
            placed(live, constraints, Cause::Drained, plan, after)
        };
        let volunteers = place(Role::Volunteer, &mut plan, Vec::new());
        let ended = volunteers.map(|step| {
            let end = ServiceEnd {
                name: observed
                    .service(Role::Volunteer, target)
                    .map(|live| live.name.clone())
                    .unwrap_or_default(),
                target: Some(target.clone()),
                nodes: nodes.clone(),
            };
            plan.add(
                Action::Swarm(SwarmAction::AwaitEnd(end)),
                Cause::Drained,
                vec![step],
            )
        });
        place(Role::Door, &mut plan, ended.into_iter().collect());
    }
    plan
}

/// Puts `nodes` back into the service of the targets in `scope`, or all of these targets' nodes if none is named.
pub fn undrain(observed: &ObservedSwarm, scope: &Scope, nodes: &BTreeSet<String>) -> Plan {
    let mut plan = Plan::default();
    for target in targets(observed, scope) {
        let mut before = Vec::new();
        for role in [Role::Door, Role::Volunteer] {
            let Some(live) = observed.service(role, target) else {
                continue;
            };
            let constraints = live.shape.let_back(nodes).constraints;
            let Some(step) = placed(
                live,
                constraints,
                Cause::Undrained,
                &mut plan,
                before.clone(),
            ) else {
                continue;
            };
            let wait = SwarmAction::AwaitService {
                name: live.name.clone(),
                target: target.clone(),
                role,
            };
            plan.add(Action::Swarm(wait), Cause::Undrained, vec![step]);
            before.push(step);
        }
    }
    plan
}

fn placed(
    live: &LiveService,
    constraints: BTreeSet<String>,
    cause: Cause,
    plan: &mut Plan,
    after: Vec<StepId>,
) -> Option<StepId> {
    (constraints != live.shape.constraints).then(|| {
        let action = SwarmAction::PlaceService {
            name: live.name.clone(),
            target: live.target.clone(),
            constraints,
        };
        plan.add(Action::Swarm(action), cause, after)
    })
}

fn targets<'o>(observed: &'o ObservedSwarm, scope: &Scope) -> BTreeSet<&'o TargetName> {
    let targets = observed
        .services
        .iter()
        .filter_map(|live| live.target.as_ref());
    targets.filter(|target| scope.holds(Some(target))).collect()
}

/// The nodes that are kept from a target's volunteers, as far as they are still in the swarm; every one where the whole
/// target is drained.
pub fn drained_nodes<'o>(observed: &'o ObservedSwarm, target: &TargetName) -> Vec<&'o LiveNode> {
    let Some(live) = observed.service(Role::Volunteer, target) else {
        return Vec::new();
    };
    let excluded = live.shape.excluded();
    let nodes = observed.nodes.iter();
    nodes
        .filter(|node| live.shape.is_nowhere() || excluded.contains(&node.id))
        .collect()
}
