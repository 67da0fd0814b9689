//! `farmctl up`: manifest -> observe -> diff -> apply -> wait.

use std::time::Duration;

use clap::Args;

use super::apply::settle;
use super::context::Context;
use super::fleet::{Fleet, HostArgs};
use super::images::ImageArgs;
use super::prepare::{Prepared, prepare};
use super::{Exit, Failure, confirm, hosts, stdout};
use crate::converge::Intent;

/// Stand the farm up: make, replace or start whatever is not as described, and wait until it compiles
///
/// A volunteer is replaced without anyone noticing: the new one compiles before the old one ends.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl up\n  farmctl up -f attic/farm.yaml\n  farmctl up armv7h             \
                        this target, and nothing of the others\n  farmctl up --allow-expired   \
                        take compilers from a suite whose index has expired"
)]
pub(super) struct Up {
    /// Only these targets; all others are left as they are
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Remove targets that left the manifest without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    wait: Wait,
}

/// The option of every command that makes volunteers.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Wait {
    /// How long new volunteers may take until they compile, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
}

impl Wait {
    pub(super) fn patience(self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

pub(super) async fn up(args: &Up, context: &Context) -> Result<Exit, Failure> {
    let fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    let prepared = prepare(&args.images, fleet, Intent::Keep, context).await?;
    warn_if_open(&prepared, context);
    prepared.tell_chosen(context);
    prepared.images.save_lock()?;
    prepared.tell_drained(context);
    let prepared = if prepared.is_empty() {
        context
            .report
            .note(&format!("farm {} is up: nothing to do", prepared.farm.name));
        prepared
    } else {
        prepared.tell_limits(context);
        confirm::losses(&prepared, args.yes, context).await?;
        prepared.with_free_ports(context).await?
    };
    let up = settle(prepared, args.wait.patience(), context).await;
    stdout::print(&hosts::lines_for_makepkg(&up))?;
    up.end(Exit::Done)
}

/// A farm that compiles for everybody is told about at every run: forgotten, it is somebody else's.
pub(super) fn warn_if_open(prepared: &Prepared, context: &Context) {
    if prepared.farm.allow.is_open() {
        context.report.warning(
            "`allow: [any]` lets everybody who reaches a published port send jobs, also from the internet",
        );
    }
}
