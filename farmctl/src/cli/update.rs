//! `farmctl update`: refreshes the lock.

use clap::Args;

use super::context::{Context, only_host};
use super::images::{ImageArgs, Images, Pins};
use super::{Exit, Failure};

/// Resolve every package anew and write farm.lock; the next `up` uses it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  farmctl update && farmctl up")]
pub(super) struct Update {
    #[command(flatten)]
    images: ImageArgs,
}

pub(super) async fn update(args: &Update, context: &Context) -> Result<Exit, Failure> {
    let farm = context.farm()?;
    let host = only_host(&farm)?;
    let changed = Images::resolve(&farm, host, Pins::Renewed, &args.images, context)
        .await?
        .save_lock()?;
    let path = context.lock_path()?;
    context.report.note(&if changed {
        format!(
            "{} is renewed: farmctl up brings the farm up to it",
            path.display()
        )
    } else {
        format!("{} is up to date", path.display())
    });
    Ok(Exit::Done)
}
