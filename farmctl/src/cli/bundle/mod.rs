//! `farmctl bundle`: a farm in one file, for machines without any network.

mod load;
mod place;
mod save;

use clap::{Args, Subcommand};

use super::context::Context;
use super::{Exit, Failure};
use crate::bundle::BundleError;

/// Put a farm into one file, or take it out on a machine without any network
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl bundle save attic.bundle        here, where the network is\n  \
                  tar xf attic.bundle farmctl             there, where nothing is but an engine\n  \
                  ./farmctl bundle load attic.bundle\n  ./farmctl up"
)]
pub(super) struct Bundle {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Save(save::Save),
    Load(load::Load),
}

pub(super) async fn bundle(args: &Bundle, context: &Context) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Save(args) => Box::pin(save::save(args, context)).await,
        Verb::Load(args) => Box::pin(load::load(args, context)).await,
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Stopped => Self::interrupted(),
            error => {
                let hint = error.hint();
                Self::new(Exit::Failed, error, hint)
            }
        }
    }
}
