//! `farmctl down`: the same way as `up`, with an empty wish.

use clap::Args;

use super::context::Context;
use super::images::NoImages;
use super::observe::snapshot;
use super::up::{carry_out, finish};
use super::{Exit, Failure};
use crate::converge::{Desired, diff};

/// Remove every container and network of the farm, and nothing else
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  farmctl down\n\nJobs that are running may finish. Images stay for the next up."
)]
pub(super) struct Down {}

pub(super) async fn down(_args: &Down, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let snapshot = snapshot(context, &farm.name).await?;
    let plan = diff(&Desired::nothing(farm.name.clone()), &snapshot.observed)?;
    if plan.is_empty() {
        context
            .report
            .note(&format!("farm {} is not up: nothing to do", farm.name));
        return Ok(Exit::Done);
    }
    let outcome = carry_out(
        &plan,
        &snapshot.engine,
        &NoImages,
        &context.interrupt(),
        context,
    )
    .await;
    finish(&plan, outcome, context)?;
    context.report.note(&format!("farm {} is down", farm.name));
    Ok(Exit::Done)
}
