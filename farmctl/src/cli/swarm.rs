//! Hosts that are whole swarms: the few places in which they go another way than hosts with an engine alone.

use std::collections::BTreeSet;

use super::context::Context;
use super::fleet::{Member, Snapshot};
use super::images::Images;
use super::{Exit, Failure};
use crate::converge::{Intent, Plan, Scope};
use crate::engine::{DockerEngine, LiveNode, ObservedSwarm, SwarmEngine};
use crate::farm::{DialAddress, Farm, ServicePowers, TargetName, Volunteer};
use crate::hosts::Line;
use crate::swarm::{
    Desired, Surroundings, desired, diff, drain, drained_nodes, node, node_slots, undrain,
};

/// What is wanted of a swarm, and the first plan to it.
pub(super) struct Wish {
    /// What is to last.
    pub(super) desired: Desired,
    pub(super) plan: Plan,
}

/// Plans for what `member` is about; `None` for a host with an engine alone.
pub(super) async fn wish(
    farm: &Farm,
    (images, intent): (&Images, Intent),
    member: &Member,
    snapshot: &Snapshot,
) -> Result<Option<Wish>, Failure> {
    let (Some(swarm), Some(observed)) = (&member.host.swarm, &snapshot.swarm) else {
        return Ok(None);
    };
    let surroundings = Surroundings {
        engine: &snapshot.facts,
        powers: observed.powers,
        images: &images.tags(&member.host.name),
    };
    let scope = Scope::of(member.targets.clone());
    let desired = desired(
        &farm.name,
        &farm.allow,
        (&member.host, swarm),
        &surroundings,
    )
    .map_err(|error| Failure::new(Exit::Failed, error, None))?
    .only(scope.clone());
    let plan = match intent {
        Intent::Undrain => undrain(observed, &scope, &nodes(member, observed)?),
        Intent::Drain => drain(observed, &scope, &nodes(member, observed)?),
        Intent::Keep | Intent::Restart => {
            plan(&desired.clone().with(intent), observed, &snapshot.engine).await?
        }
    };
    Ok(Some(Wish { desired, plan }))
}

async fn plan(
    desired: &Desired,
    observed: &ObservedSwarm,
    engine: &DockerEngine,
) -> Result<Plan, Failure> {
    let scope = &desired.scope;
    let references: BTreeSet<_> = desired
        .targets
        .iter()
        .filter(|wanted| scope.holds(Some(&wanted.target)))
        .map(|wanted| wanted.reference.clone())
        .collect();
    let digests = engine.registry_digests(&references).await?;
    Ok(diff(desired, observed, &digests)?)
}

/// What is still to be done, and what there is meanwhile.
pub(super) async fn plan_again(
    desired: &Desired,
    engine: &DockerEngine,
) -> Result<(Plan, ObservedSwarm), Failure> {
    let observed = engine.observe_swarm(&desired.farm).await?;
    let plan = plan(desired, &observed, engine).await?;
    Ok((plan, observed))
}

/// What takes the part in `scope` of the farm away.
pub(super) fn plan_to_leave(
    farm: &Farm,
    scope: Scope,
    observed: &ObservedSwarm,
) -> Result<Plan, Failure> {
    let nothing = Desired::nothing(farm.name.clone()).only(scope);
    Ok(diff(
        &nothing,
        observed,
        &std::collections::BTreeMap::new(),
    )?)
}

/// What takes the nodes that `member` names out of service, or its targets if it names none.
pub(super) fn plan_to_drain(member: &Member, observed: &ObservedSwarm) -> Result<Plan, Failure> {
    let scope = Scope::of(member.targets.clone());
    Ok(drain(observed, &scope, &nodes(member, observed)?))
}

/// The ids of the nodes that `member` names.
fn nodes(member: &Member, observed: &ObservedSwarm) -> Result<BTreeSet<String>, Failure> {
    let id = |name: &String| Ok(node(name, &observed.nodes)?.id.clone());
    member.nodes.iter().map(id).collect()
}

/// The lines of the nodes that serve now, those of the target with the manifest's settings.
pub(super) fn lines<'a>(
    volunteers: impl Iterator<Item = &'a Volunteer>,
    observed: &ObservedSwarm,
) -> Vec<Line> {
    let of_target = |volunteer: &Volunteer| {
        let line = |node: &&LiveNode| {
            let address = DialAddress::from(node.address?);
            Some(Line::new(
                &volunteer.target,
                address,
                node_slots(volunteer, node),
            ))
        };
        let serving = observed.serving(&volunteer.target.name);
        serving.iter().filter_map(line).collect::<Vec<_>>()
    };
    volunteers.flat_map(of_target).collect()
}

/// Says what is drained and stays so.
pub(super) fn tell_drained(
    targets: &[TargetName],
    observed: &ObservedSwarm,
    label: &impl std::fmt::Display,
    context: &Context,
) {
    for target in targets {
        let drained = drained_nodes(observed, target);
        if drained.is_empty() {
            continue;
        }
        let nodes: Vec<_> = drained.iter().map(|node| node.hostname.as_str()).collect();
        context.report.note(&format!(
            "{label}target {target} is drained on {} and stays so until farmctl undrain",
            nodes.join(", ")
        ));
    }
}

/// Says once what this manager cannot ask of its nodes.
pub(super) fn tell_limits(
    powers: ServicePowers,
    label: &impl std::fmt::Display,
    context: &Context,
) {
    let missing: Vec<_> = [
        ("no-new-privileges", powers.no_new_privileges),
        ("an OOM score", powers.oom_score),
        ("a limit of swap", powers.swap),
    ]
    .into_iter()
    .filter(|(_, has)| !has)
    .map(|(name, _)| name)
    .collect();
    if !missing.is_empty() {
        context.report.note(&format!(
            "{label}this swarm's manager is too old to give services {}; ports are open on every address of a node",
            missing.join(" and ")
        ));
    }
}
