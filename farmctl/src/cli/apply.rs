//! Carries plans out under the user's eyes, until every volunteer compiles.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use distccd::ProbeReport;

use super::Failure;
use super::context::Context;
use super::prepare::Prepared;
use crate::converge::{
    Desired, Execution, ImageSource, Intent, Interrupt, Outcome, Plan, Step, StepId, diff, drained,
    execute,
};
use crate::engine::{DockerEngine, Engine, Health, LiveContainer, LiveState};
use crate::farm::VolunteerSpec;
use crate::health::{self, Check, Unhealthy};
use crate::report::StepReport;

/// How long to wait for volunteers before looking again whether all of them are still there: an engine goes on with
/// what an interrupted command told it, and a container that ran a moment ago may be stopping.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What a plan could not foresee, such as the image that a tag of a registry means, is put right by the next one; more
/// of them would mean that somebody else changes the farm all the time.
const MOST_PLANS: usize = 4;

/// Applies the plan, and further ones if need be, until every volunteer compiles.
pub(super) async fn settle(
    prepared: &Prepared,
    patience: Duration,
    context: &Context,
) -> Result<(), Failure> {
    let interrupt = context.interrupt();
    let engine = &prepared.snapshot.engine;
    // What the user asked for is done once.
    let lasting = match prepared.desired.intent {
        Intent::Drain => prepared.desired.clone(),
        Intent::Keep | Intent::Restart | Intent::Undrain => {
            prepared.desired.clone().with(Intent::Keep)
        }
    };
    let begun = Instant::now();
    let mut plan = prepared.plan.clone();
    let mut unfit = to_check(prepared);
    let mut plans = 0;
    loop {
        let applied = !plan.is_empty();
        if applied {
            plans += 1;
            let work = Work {
                engine,
                images: &prepared.images,
                patience,
            };
            let outcome = carry_out(&plan, &work, &interrupt, context).await;
            finish(&plan, outcome, context)?;
        }
        let left = patience.saturating_sub(begun.elapsed());
        let unhealthy = wait(&unfit, left.min(LOOK_AGAIN), &interrupt, context).await?;
        if unhealthy.is_empty() && !applied {
            return Ok(());
        }
        if !unhealthy.is_empty() && begun.elapsed() >= patience {
            return Err(unhealthy.into());
        }
        unfit.retain(|check| unhealthy.iter().any(|failed| failed.target == check.target));
        plan = diff(&lasting, &engine.observe(&prepared.farm.name).await?)?;
        if plans == MOST_PLANS && !plan.is_empty() {
            return Err(unstable(&plan));
        }
    }
}

fn unstable(plan: &Plan) -> Failure {
    let error = anyhow::anyhow!(
        "the farm does not stay as described; once more would be done:\n{}",
        plan.to_string().trim_end()
    );
    let hint = "look for something else that changes these containers, and run farmctl up again";
    Failure::new(super::Exit::Failed, error, Some(hint.to_owned()))
}

/// What plans are carried out with.
pub(super) struct Work<'a, I> {
    pub(super) engine: &'a DockerEngine,
    pub(super) images: &'a I,
    pub(super) patience: Duration,
}

/// Executes `plan` under the user's eyes; the first Ctrl-C stops it between two steps.
pub(super) async fn carry_out<I: ImageSource>(
    plan: &Plan,
    work: &Work<'_, I>,
    interrupt: &Interrupt,
    context: &Context,
) -> Outcome {
    let steps = StepReport::new(&context.report);
    let report = |step: &Step, event| steps.on(step, event);
    execute(
        plan,
        &Execution {
            engine: work.engine,
            images: work.images,
            report,
            interrupt: interrupt.clone(),
            patience: work.patience,
        },
    )
    .await
}

/// Says what was not done, and why.
pub(super) fn finish(plan: &Plan, outcome: Outcome, context: &Context) -> Result<(), Failure> {
    if outcome.is_complete(plan) {
        return Ok(());
    }
    let step = |id: &StepId| plan.steps().iter().find(|step| step.id == *id);
    for step in outcome.not_attempted.iter().filter_map(step) {
        context.report.note(&format!("not yet {step}"));
    }
    context.report.note(&format!(
        "{} of {} steps are done; the next run goes on from there",
        outcome.done.len(),
        plan.steps().len()
    ));
    if outcome.failed.is_empty() && outcome.interrupted {
        return Err(Failure::interrupted());
    }
    Err(Failure::all(
        outcome.failed.into_iter().map(|(_, error)| error.into()),
    ))
}

/// Volunteers that a plan step touches, or whose own health check has not passed.
fn to_check(prepared: &Prepared) -> Vec<Check> {
    let Prepared {
        host,
        snapshot,
        desired,
        plan,
        ..
    } = prepared;
    if desired.intent == Intent::Drain {
        return Vec::new();
    }
    let drained = drained(desired, &snapshot.observed);
    let is_touched = |spec: &VolunteerSpec| {
        let mut steps = plan.steps().iter();
        steps.any(|step| step.action.target() == Some(&spec.target))
    };
    let is_healthy = |spec: &VolunteerSpec| {
        let serves = |live: &LiveContainer| {
            live.target.as_ref() == Some(&spec.target)
                && live.state == LiveState::Running
                && live.health == Health::Healthy
        };
        snapshot.observed.volunteers.iter().any(serves)
    };
    let check = |spec: &VolunteerSpec| {
        let mut volunteers = host.volunteers.iter();
        let volunteer = volunteers.find(|volunteer| volunteer.target.name == spec.target)?;
        Some(Check {
            target: spec.target.clone(),
            address: SocketAddr::new(reachable(spec.publish), spec.port.number()),
            object: volunteer.target.object.clone(),
        })
    };
    let unsure = |spec: &&VolunteerSpec| is_touched(spec) || !is_healthy(spec);
    serving(desired)
        .filter(|spec| !drained.contains(&spec.target))
        .filter(unsure)
        .filter_map(check)
        .collect()
}

fn serving(desired: &Desired) -> impl Iterator<Item = &VolunteerSpec> {
    desired
        .volunteers
        .iter()
        .filter(|spec| desired.scope.holds(Some(&spec.target)))
}

/// A port that is open on every address is so on the loopback.
fn reachable(publish: IpAddr) -> IpAddr {
    match publish {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

async fn wait(
    checks: &[Check],
    patience: Duration,
    interrupt: &Interrupt,
    context: &Context,
) -> Result<Vec<Unhealthy>, Failure> {
    let ready = |check: &Check, found: &ProbeReport| {
        let (target, address, elapsed) = (&check.target, check.address, found.elapsed.as_millis());
        context.report.note(&format!(
            "  ready volunteer {target} at {address} ({elapsed} ms)"
        ));
    };
    tokio::select! {
        () = interrupt.cancelled() => Err(Failure::interrupted()),
        waited = health::wait(checks, patience, ready) => Ok(waited.err().unwrap_or_default()),
    }
}
