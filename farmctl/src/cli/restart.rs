//! `farmctl restart`: new volunteers in the place of old ones.

use clap::Args;

use super::apply::settle;
use super::context::Context;
use super::fleet::{Fleet, HostArgs};
use super::images::ImageArgs;
use super::prepare::prepare;
use super::up::{Wait, warn_if_open};
use super::{Exit, Failure};
use crate::converge::Intent;

/// Replace volunteers by new ones, whether anything changed or not; no job fails
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl restart\n  farmctl restart armv7h\n\nThe new volunteer compiles before the old one finishes its jobs and ends."
)]
pub(super) struct Restart {
    /// Only these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    wait: Wait,
}

pub(super) async fn restart(args: &Restart, context: &Context) -> Result<Exit, Failure> {
    let mut fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    fleet.name_every_target();
    let prepared = prepare(&args.images, fleet, Intent::Restart, context).await?;
    warn_if_open(&prepared, context);
    prepared.images.save_lock()?;
    prepared.tell_drained(context);
    let prepared = prepared.with_free_ports(context).await?;
    let up = settle(prepared, args.wait.patience(), context).await;
    up.end(Exit::Done)
}
