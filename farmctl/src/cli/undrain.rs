//! `farmctl undrain`: lets targets serve again.

use clap::Args;

use super::apply::settle;
use super::context::Context;
use super::fleet::{Fleet, HostArgs};
use super::images::ImageArgs;
use super::prepare::prepare;
use super::up::Wait;
use super::{Exit, Failure};
use crate::converge::Intent;

/// Let drained targets serve again
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl undrain armv7h\n  farmctl undrain --host nas\n  farmctl undrain --node rack-7"
)]
pub(super) struct Undrain {
    /// Which targets; with --host all of its targets if none is named
    #[arg(required_unless_present_any = ["hosts", "nodes"], value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    hosts: HostArgs,
    /// Only this node of a swarm, by its host name, address or id; may be given several times
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<String>,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    wait: Wait,
}

pub(super) async fn undrain(args: &Undrain, context: &Context) -> Result<Exit, Failure> {
    let mut fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    fleet.name_every_target();
    fleet.on_nodes(&args.nodes)?;
    let prepared = prepare(&args.images, fleet, Intent::Undrain, context).await?;
    prepared.images.save_lock()?;
    if prepared.is_empty() {
        context
            .report
            .note("nothing to do: nothing of it is drained");
    }
    let prepared = prepared.with_free_ports(context).await?;
    let up = settle(prepared, args.wait.patience(), context).await;
    up.end(Exit::Done)
}
