//! `farmctl plan`: what `up` would do.

use clap::Args;

use super::context::Context;
use super::prepare::prepare;
use super::up::warn_if_open;
use super::{Exit, Failure, Output, stdout};
use crate::converge::{Intent, Step};

/// Show what `up` would do, and do nothing
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl plan\n  farmctl plan armv7h\n  farmctl plan --exit-code || echo 'not as described'"
)]
pub(super) struct PlanArgs {
    /// Only these targets
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Exit with 5 if there is something to do
    #[arg(long)]
    exit_code: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    images: super::images::ImageArgs,
}

pub(super) async fn plan(args: &PlanArgs, context: &Context) -> Result<Exit, Failure> {
    let prepared = prepare(&args.images, &args.targets, Intent::Keep, context).await?;
    warn_if_open(&prepared, context);
    prepared.tell_drained(context);
    let plan = &prepared.plan;
    match args.output {
        Output::Json => {
            let steps: Vec<_> = plan.steps().iter().map(json).collect();
            stdout::print_json(&serde_json::json!({ "version": 1, "steps": steps }))?;
        }
        Output::Text if plan.is_empty() => context
            .report
            .note("nothing to do: the farm is as described"),
        Output::Text => stdout::print(&plan.to_string())?,
    }
    Ok(if args.exit_code && !plan.is_empty() {
        Exit::ChangesPending
    } else {
        Exit::Done
    })
}

/// One step; its JSON names are a contract.
fn json(step: &Step) -> serde_json::Value {
    serde_json::json!({
        "action": step.action.verb(),
        "target": step.action.target().map(ToString::to_string),
        "resource": step.action.to_string(),
        "cause": step.cause.to_string(),
    })
}
