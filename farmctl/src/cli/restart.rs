//! `farmctl restart`: new volunteers in the place of old ones.

use clap::Args;

use super::apply::settle;
use super::context::Context;
use super::images::ImageArgs;
use super::prepare::prepare;
use super::up::{Wait, check_ports, warn_if_open};
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
    images: ImageArgs,
    #[command(flatten)]
    wait: Wait,
}

pub(super) async fn restart(args: &Restart, context: &Context) -> Result<Exit, Failure> {
    let named = if args.targets.is_empty() {
        // Without names it is every target of the manifest; what left it is none of this command's business.
        let farm = context.farm()?;
        let hosts = farm.hosts.iter();
        hosts
            .flat_map(|host| &host.volunteers)
            .map(|volunteer| volunteer.target.name.to_string())
            .collect()
    } else {
        args.targets.clone()
    };
    let prepared = prepare(&args.images, &named, Intent::Restart, context).await?;
    warn_if_open(&prepared, context);
    prepared.images.save_lock()?;
    prepared.tell_drained(context);
    check_ports(&prepared)?;
    settle(&prepared, args.wait.patience(), context).await?;
    Ok(Exit::Done)
}
