//! `farmctl down`: the same way as `up`, with an empty wish.

use std::time::Duration;

use clap::Args;

use super::apply::{Work, carry_out, finish};
use super::context::Context;
use super::images::NoImages;
use super::observe::snapshot;
use super::{Exit, Failure, targets};
use crate::converge::{Desired, Scope, diff};
use crate::engine::Observed;
use crate::farm::{Farm, TargetName};

/// Remove every container, volume and network of the farm, or of some targets, and nothing else
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl down\n  farmctl down armv7h\n\nJobs that are running may finish. Images stay for the next up."
)]
pub(super) struct Down {
    /// Only these targets, whether the manifest still has them or not
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

pub(super) async fn down(args: &Down, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let snapshot = snapshot(context, &farm.name).await?;
    let names = args
        .targets
        .iter()
        .map(|name| target(name, &farm, &snapshot.observed));
    let scope = Scope::of(names.collect::<Result<Vec<_>, _>>()?);
    let what = match &scope {
        Scope::Farm => format!("farm {} is", farm.name),
        Scope::Targets(names) => {
            let names: Vec<_> = names.iter().map(TargetName::as_str).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            format!("{} of farm {} {verb}", names.join(", "), farm.name)
        }
    };
    let nothing = Desired::nothing(farm.name.clone()).only(scope);
    let plan = diff(&nothing, &snapshot.observed)?;
    if plan.is_empty() {
        context
            .report
            .note(&format!("{what} not up: nothing to do"));
        return Ok(Exit::Done);
    }
    let work = Work {
        engine: &snapshot.engine,
        images: &NoImages,
        patience: Duration::ZERO,
    };
    let outcome = carry_out(&plan, &work, &context.interrupt(), context).await;
    finish(&plan, outcome, context)?;
    context.report.note(&format!("{what} down"));
    Ok(Exit::Done)
}

/// A target of the manifest, or one that only the engine still knows.
fn target(name: &str, farm: &Farm, observed: &Observed) -> Result<TargetName, Failure> {
    let is_there = |target: &TargetName| {
        observed
            .containers()
            .any(|live| live.target.as_ref() == Some(target))
    };
    match name.parse::<TargetName>().ok().filter(is_there) {
        Some(target) => Ok(target),
        None => targets::one(farm, name),
    }
}
