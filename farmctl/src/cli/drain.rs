//! `farmctl drain`: targets stop serving until they are told otherwise.

use std::collections::BTreeMap;

use clap::Args;

use super::apply::carry_out;
use super::context::Context;
use super::fleet::{Fleet, HostArgs, Member, Place, Snapshot, place};
use super::{Exit, Failure, swarm};
use crate::converge::{Intent, Plan, Scope, Surroundings, desired, diff};
use crate::engine::Observed;
use crate::farm::{Farm, ImageTag, TargetName};

/// Let targets finish their jobs and stop serving: their ports refuse until `undrain`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl drain armv7h\n  farmctl drain armv7h aarch64\n  farmctl drain --host nas\n  farmctl drain --node rack-7      one node of a swarm; what else runs there goes on\n\nThey stay drained whatever happens: `up` and a restarted engine leave them alone."
)]
pub(super) struct Drain {
    /// Which targets; with --host all of its targets if none is named
    #[arg(required_unless_present_any = ["hosts", "nodes"], value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Only this node of a swarm, by its host name, address or id; may be given several times
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<String>,
}

pub(super) async fn drain(args: &Drain, context: &Context) -> Result<Exit, Failure> {
    let mut fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    fleet.name_every_target();
    fleet.on_nodes(&args.nodes)?;
    let farm = &fleet.farm;
    let plans = fleet
        .snapshot(context)
        .await?
        .each(async |member, snapshot| {
            let plan = if let Some(observed) = &snapshot.swarm {
                swarm::plan_to_drain(member, observed)?
            } else {
                let place = place(&member.host, context).await?;
                plan(farm, member, &snapshot, &place)?
            };
            Ok((snapshot.engine, plan))
        })
        .await
        .go_on(context)?;
    if plans.present.iter().all(|(_, (_, plan))| plan.is_empty()) {
        context.report.note("nothing to do: it is drained");
        return plans.end(Exit::Done);
    }
    carry_out(plans, context).await.end(Exit::Done)
}

fn plan(farm: &Farm, member: &Member, snapshot: &Snapshot, place: &Place) -> Result<Plan, Failure> {
    // Whatever they run: nothing is made, so no image has to be known.
    let images = images(&snapshot.observed, &member.targets)?;
    let mut host = member.host.clone();
    host.volunteers
        .retain(|volunteer| images.contains_key(&volunteer.target.name));
    let surroundings = Surroundings {
        engine: &snapshot.facts,
        publish: place.publish,
        images: &images,
    };
    let wish = desired(&farm.name, &farm.allow, &host, &surroundings)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?
        .only(Scope::of(member.targets.clone()))
        .with(Intent::Drain);
    Ok(diff(&wish, &snapshot.observed)?)
}

fn images(
    observed: &Observed,
    chosen: &[TargetName],
) -> Result<BTreeMap<TargetName, ImageTag>, Failure> {
    let live = |target: &TargetName| {
        let mut volunteers = observed.volunteers.iter();
        volunteers.find(|live| live.target.as_ref() == Some(target))
    };
    let mut images = BTreeMap::new();
    let mut missing = Vec::new();
    for target in chosen {
        match live(target) {
            Some(live) => drop(images.insert(target.clone(), live.image.clone())),
            None => missing.push(target.to_string()),
        }
    }
    if missing.is_empty() {
        return Ok(images);
    }
    let error = anyhow::anyhow!("there is no volunteer for {} to drain", missing.join(", "));
    let hint = "make it with farmctl up; a target that is to stay away altogether is left out of the manifest";
    Err(Failure::new(Exit::Failed, error, Some(hint.to_owned())))
}
