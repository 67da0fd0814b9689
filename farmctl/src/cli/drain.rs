//! `farmctl drain`: targets stop serving until they are told otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;

use super::apply::{Work, carry_out, finish};
use super::context::{Context, only_host, publish_address};
use super::images::NoImages;
use super::observe::snapshot;
use super::{Exit, Failure, targets};
use crate::converge::{Intent, Scope, Surroundings, desired, diff};
use crate::farm::{ImageTag, TargetName};

/// Let targets finish their jobs and stop serving: their ports refuse until `undrain`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl drain armv7h\n  farmctl drain armv7h aarch64\n\nThey stay drained whatever happens: `up` and a restarted engine leave them alone."
)]
pub(super) struct Drain {
    /// Which targets
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
}

pub(super) async fn drain(args: &Drain, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let host = only_host(&farm)?;
    let chosen = targets::chosen(&farm, &args.targets)?;
    let snapshot = snapshot(context, &farm.name).await?;
    // Whatever they run: nothing is made, so no image has to be known.
    let images = images(&snapshot.observed, &chosen)?;
    let mut host = host.clone();
    host.volunteers
        .retain(|volunteer| images.contains_key(&volunteer.target.name));
    let surroundings = Surroundings {
        engine: &snapshot.facts,
        publish: publish_address(&host)?,
        images: &images,
    };
    let wish = desired(&farm.name, &farm.allow, &host, &surroundings)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?
        .only(Scope::of(chosen))
        .with(Intent::Drain);
    let plan = diff(&wish, &snapshot.observed)?;
    if plan.is_empty() {
        context.report.note("nothing to do: it is drained");
        return Ok(Exit::Done);
    }
    let work = Work {
        engine: &snapshot.engine,
        images: &NoImages,
        patience: Duration::ZERO,
    };
    let outcome = carry_out(&plan, &work, &context.interrupt(), context).await;
    finish(&plan, outcome, context)?;
    Ok(Exit::Done)
}

fn images(
    observed: &crate::engine::Observed,
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
