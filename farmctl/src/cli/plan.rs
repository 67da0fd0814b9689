//! `farmctl plan`: what `up` would do.

use clap::Args;

use super::context::Context;
use super::fleet::{Fleet, HostArgs};
use super::prepare::{Planned, Prepared, prepare};
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
    #[command(flatten)]
    hosts: HostArgs,
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
    let fleet = Fleet::choose(&args.hosts, &args.targets, context)?;
    let prepared = prepare(&args.images, fleet, Intent::Keep, context).await?;
    warn_if_open(&prepared, context);
    prepared.tell_drained(context);
    match args.output {
        Output::Json => {
            let steps: Vec<_> = prepared.planned().flat_map(json).collect();
            stdout::print_json(&serde_json::json!({ "version": 1, "steps": steps }))?;
        }
        Output::Text if prepared.is_empty() => context
            .report
            .note("nothing to do: the farm is as described"),
        Output::Text => stdout::print(&text(&prepared))?,
    }
    let changes = args.exit_code && !prepared.is_empty();
    prepared.hosts.end(if changes {
        Exit::ChangesPending
    } else {
        Exit::Done
    })
}

/// A line for each step, host after host.
fn text(prepared: &Prepared) -> String {
    let lines = |planned: &Planned| {
        let line = |step: &Step| format!("{}{step}\n", planned.label);
        planned.plan.steps().iter().map(line).collect::<String>()
    };
    prepared.planned().map(lines).collect()
}

/// One host's steps; their JSON names are a contract.
fn json(planned: &Planned) -> Vec<serde_json::Value> {
    let step = |step: &Step| {
        serde_json::json!({
            "host": planned.wanted.host.name.as_str(),
            "action": step.action.verb(),
            "target": step.action.target().map(ToString::to_string),
            "resource": step.action.to_string(),
            "cause": step.cause.to_string(),
        })
    };
    planned.plan.steps().iter().map(step).collect()
}
