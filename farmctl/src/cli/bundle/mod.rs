//! `farmctl bundle`: a farm in one file, for machines without any network.

mod load;
mod names;
mod place;
mod save;

use std::ops::ControlFlow;

use clap::{Args, Subcommand};

use super::context::Context;
use super::{Exit, Failure};
use crate::bundle::BundleError;
use crate::converge::Interrupt;
use crate::report::ByteReport;

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

/// Shows on `bar` how far a file is, and ends the work once the user wants that.
fn watch(bar: &ByteReport, interrupt: &Interrupt) -> impl Fn(u64) -> ControlFlow<()> + Sync {
    |bytes| {
        bar.advance(bytes);
        if interrupt.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
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
