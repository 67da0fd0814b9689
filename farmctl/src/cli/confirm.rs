//! Asks before something goes that gets no successor.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use super::context::Context;
use super::prepare::{Planned, Prepared};
use super::{Exit, Failure};
use crate::converge::{Action, Cause, Contained};
use crate::swarm::SwarmAction;

/// Lets plans pass that lose nothing; asks once about all targets that left the manifest, or refuses where nobody can
/// answer.
pub(super) async fn losses(
    prepared: &Prepared,
    yes: bool,
    context: &Context,
) -> Result<(), Failure> {
    let lost: BTreeSet<String> = prepared.planned().flat_map(lost_by).collect();
    if yes || lost.is_empty() {
        return Ok(());
    }
    let lost = lost.into_iter().collect::<Vec<_>>().join(", ");
    let can_ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if can_ask && answers_yes(&lost, context).await {
        return Ok(());
    }
    let error = anyhow::anyhow!("the manifest no longer has {lost}, and nothing was changed");
    let hint =
        "confirm the removal with --yes, or name the targets to bring up: farmctl up TARGET…";
    Err(Failure::new(Exit::Usage, error, Some(hint.to_owned())))
}

/// What goes from one host.
fn lost_by(planned: &Planned) -> Vec<String> {
    let lost = |container: &Contained| match &container.target {
        Some(target) => format!("target {target}"),
        None => format!("container {}", container.name),
    };
    let at_host = |what: String| match planned.label.name() {
        Some(host) => format!("{what} on {host}"),
        None => what,
    };
    let steps = planned.plan.steps().iter();
    let removals = steps.filter(|step| step.cause == Cause::LeftManifest);
    removals
        .filter_map(|step| match &step.action {
            Action::RemoveContainer(container) => Some(at_host(lost(container))),
            Action::Swarm(SwarmAction::RemoveService { name, target }) => {
                Some(at_host(target.as_ref().map_or_else(
                    || format!("service {name}"),
                    |target| format!("target {target}"),
                )))
            }
            _ => None,
        })
        .collect()
}

async fn answers_yes(lost: &str, context: &Context) -> bool {
    context.report.warning(&format!(
        "the manifest no longer has {lost}: it will be removed. Go on? [y/N]"
    ));
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_bytes| answer)
    });
    let answer = read.await.ok().and_then(Result::ok).unwrap_or_default();
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
