//! `farmctl undrain`: lets targets serve again.

use clap::Args;

use super::apply::settle;
use super::context::Context;
use super::images::ImageArgs;
use super::prepare::prepare;
use super::up::{Wait, check_ports};
use super::{Exit, Failure};
use crate::converge::Intent;

/// Let drained targets serve again
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  farmctl undrain armv7h")]
pub(super) struct Undrain {
    /// Which targets
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    wait: Wait,
}

pub(super) async fn undrain(args: &Undrain, context: &Context) -> Result<Exit, Failure> {
    let prepared = prepare(&args.images, &args.targets, Intent::Undrain, context).await?;
    prepared.images.save_lock()?;
    if prepared.plan.is_empty() {
        context
            .report
            .note("nothing to do: nothing of it is drained");
    }
    check_ports(&prepared)?;
    settle(&prepared, args.wait.patience(), context).await?;
    Ok(Exit::Done)
}
