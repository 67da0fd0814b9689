//! `farmctl down`: the same way as `up`, with an empty wish.

use clap::Args;

use super::apply::carry_out;
use super::context::Context;
use super::fleet::{Fleet, HostArgs, Hosts, Snapshot};
use super::{Exit, Failure, swarm, targets};
use crate::converge::{Desired, Scope, diff};
use crate::engine::Observed;
use crate::farm::{Farm, TargetName};

/// Remove every container, volume and network of the farm, or of some targets, and nothing else
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl down\n  farmctl down armv7h\n  farmctl down --host nas       before it leaves the manifest\n\nJobs that are running may finish. Images stay for the next up."
)]
pub(super) struct Down {
    /// Only these targets, whether the manifest still has them or not
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
}

pub(super) async fn down(args: &Down, context: &Context) -> Result<Exit, Failure> {
    let fleet = Fleet::of(&args.hosts, context)?;
    let snapshots = fleet.snapshot(context).await?;
    let scope = scope(&args.targets, &fleet.farm, &snapshots)?;
    let what = what(&scope, &fleet.farm);
    let nothing = Desired::nothing(fleet.farm.name.clone()).only(scope);
    let plans = snapshots
        .each(async |_member, snapshot| {
            let plan = match &snapshot.swarm {
                Some(observed) => {
                    swarm::plan_to_leave(&fleet.farm, nothing.scope.clone(), observed)?
                }
                None => diff(&nothing, &snapshot.observed)?,
            };
            Ok((snapshot.engine, plan))
        })
        .await
        .go_on(context)?;
    if plans.present.iter().all(|(_, (_, plan))| plan.is_empty()) {
        context
            .report
            .note(&format!("{what} not up: nothing to do"));
        return plans.end(Exit::Done);
    }
    let down = carry_out(plans, context).await;
    for (member, ()) in &down.present {
        context.report.note(&format!("{}{what} down", member.label));
    }
    down.end(Exit::Done)
}

/// What is to go: targets of the manifest, or ones that only an engine still knows.
fn scope(names: &[String], farm: &Farm, snapshots: &Hosts<Snapshot>) -> Result<Scope, Failure> {
    let observed: Vec<_> = snapshots
        .present
        .iter()
        .map(|(_member, snapshot)| &snapshot.observed)
        .collect();
    let targets = names.iter().map(|name| target(name, farm, &observed));
    Ok(Scope::of(targets.collect::<Result<Vec<_>, _>>()?))
}

fn target(name: &str, farm: &Farm, observed: &[&Observed]) -> Result<TargetName, Failure> {
    let is_there = |target: &TargetName| {
        observed
            .iter()
            .flat_map(|observed| observed.containers())
            .any(|live| live.target.as_ref() == Some(target))
    };
    match name.parse::<TargetName>().ok().filter(is_there) {
        Some(target) => Ok(target),
        None => targets::one(farm, name),
    }
}

/// The beginning of a sentence.
fn what(scope: &Scope, farm: &Farm) -> String {
    match scope {
        Scope::Farm => format!("farm {} is", farm.name),
        Scope::Targets(names) => {
            let verb = if names.len() == 1 { "is" } else { "are" };
            let names: Vec<_> = names.iter().map(TargetName::as_str).collect();
            format!("{} of farm {} {verb}", names.join(", "), farm.name)
        }
    }
}
