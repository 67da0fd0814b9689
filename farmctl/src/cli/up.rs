//! `farmctl up`: manifest -> observe -> diff -> apply -> wait.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use distccd::ProbeReport;

use super::context::{Context, only_host, publish_address};
use super::images::{ImageArgs, Images, Pins};
use super::observe::{Snapshot, snapshot};
use super::{Exit, Failure, hosts, stdout};
use crate::converge::{
    Action, Desired, Execution, ImageSource, Interrupt, Outcome, Plan, Step, StepId, Surroundings,
    desired, diff, execute,
};
use crate::engine::{DockerEngine, Engine, Health};
use crate::farm::{Farm, Host, VolunteerSpec};
use crate::health::{self, Check, Unhealthy};
use crate::report::StepReport;

/// Stand the farm up: make, replace or start whatever is not as described, and wait until it compiles
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  farmctl up\n  farmctl up -f attic/farm.yaml\n  farmctl up --allow-expired   \
                        take compilers from a suite whose index has expired"
)]
pub(super) struct Up {
    #[command(flatten)]
    images: ImageArgs,
    /// How long new volunteers may take until they compile, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
}

pub(super) async fn up(args: &Up, context: &Context) -> Result<Exit, Failure> {
    let prepared = prepare(&args.images, context).await?;
    prepared.images.save_lock()?;
    if prepared.plan.is_empty() {
        context
            .report
            .note(&format!("farm {} is up: nothing to do", prepared.farm.name));
    } else {
        check_ports(&prepared)?;
    }
    settle(&prepared, Duration::from_secs(args.wait), context).await?;
    stdout::print(&hosts::lines_for_makepkg(
        &prepared.host,
        &prepared.snapshot.facts,
    )?)?;
    Ok(Exit::Done)
}

/// How long to wait for volunteers before looking again whether all of them are still there: an engine goes on with
/// what an interrupted command told it, and a container that ran a moment ago may be stopping.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Applies the plan, and further ones if need be, until every volunteer compiles.
async fn settle(prepared: &Prepared, patience: Duration, context: &Context) -> Result<(), Failure> {
    let interrupt = context.interrupt();
    let engine = &prepared.snapshot.engine;
    let begun = Instant::now();
    let mut plan = prepared.plan.clone();
    let mut unfit = to_check(prepared);
    loop {
        if !plan.is_empty() {
            let outcome = carry_out(&plan, engine, &prepared.images, &interrupt, context).await;
            finish(&plan, outcome, context)?;
        }
        let left = patience.saturating_sub(begun.elapsed());
        let Err(unhealthy) = wait(&unfit, left.min(LOOK_AGAIN), &interrupt, context).await? else {
            return Ok(());
        };
        if begun.elapsed() >= patience {
            return Err(unhealthy.into());
        }
        unfit.retain(|check| unhealthy.iter().any(|failed| failed.target == check.target));
        plan = diff(
            &prepared.desired,
            &engine.observe(&prepared.farm.name).await?,
        )?;
    }
}

/// A plan with everything that it was made from.
pub(super) struct Prepared {
    pub(super) farm: Farm,
    pub(super) host: Host,
    pub(super) snapshot: Snapshot,
    pub(super) images: Images,
    pub(super) desired: Desired,
    pub(super) plan: Plan,
}

/// Everything of `up` that changes nothing.
pub(super) async fn prepare(args: &ImageArgs, context: &Context) -> Result<Prepared, Failure> {
    let farm = context.farm()?;
    let host = only_host(&farm)?.clone();
    let snapshot = snapshot(context, &farm.name).await?;
    let images = Images::resolve(&farm, &host, Pins::Kept, args, context).await?;
    let surroundings = Surroundings {
        engine: &snapshot.facts,
        publish: publish_address(&host)?,
        images: images.tags(),
    };
    let desired = desired(&farm.name, &farm.allow, &host, &surroundings)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?;
    let plan = diff(&desired, &snapshot.observed)?;
    Ok(Prepared {
        farm,
        host,
        snapshot,
        images,
        desired,
        plan,
    })
}

/// Executes `plan` under the user's eyes; the first Ctrl-C stops it between two steps.
pub(super) async fn carry_out<I: ImageSource>(
    plan: &Plan,
    engine: &DockerEngine,
    images: &I,
    interrupt: &Interrupt,
    context: &Context,
) -> Outcome {
    let steps = StepReport::new(&context.report);
    let report = |step: &Step, event| steps.on(step, event);
    execute(
        plan,
        &Execution {
            engine,
            images,
            report,
            interrupt: interrupt.clone(),
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
    if outcome.interrupted {
        return Err(Failure::interrupted());
    }
    Err(Failure::all(
        outcome.failed.into_iter().map(|(_, error)| error.into()),
    ))
}

/// Ports that the farm's own containers hold will be free when their successors start.
fn check_ports(prepared: &Prepared) -> Result<(), Failure> {
    let own: Vec<u16> = prepared
        .snapshot
        .observed
        .volunteers
        .iter()
        .filter_map(|live| live.port)
        .collect();
    let new = new_volunteers(&prepared.plan).filter(|spec| !own.contains(&spec.port.number()));
    Ok(health::check_ports(new)?)
}

fn new_volunteers(plan: &Plan) -> impl Iterator<Item = &VolunteerSpec> {
    plan.steps().iter().filter_map(|step| match &step.action {
        Action::RunVolunteer(spec) => Some(spec.as_ref()),
        _ => None,
    })
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
    let is_touched = |spec: &VolunteerSpec| {
        plan.steps().iter().any(|step| match &step.action {
            Action::RunVolunteer(new) => new.target == spec.target,
            Action::StartContainer { name, .. } => *name == spec.container_name(),
            _ => false,
        })
    };
    let is_healthy = |spec: &VolunteerSpec| {
        let mut live = snapshot.observed.volunteers.iter();
        live.any(|live| live.name == spec.container_name() && live.health == Health::Healthy)
    };
    let check = |spec: &VolunteerSpec| {
        let mut volunteers = host.volunteers.iter();
        let volunteer = volunteers.find(|volunteer| volunteer.target.name == spec.target)?;
        Some(Check {
            target: spec.target.clone(),
            address: SocketAddr::new(spec.publish, spec.port.number()),
            object: volunteer.target.object.clone(),
        })
    };
    let unsure = |spec: &&VolunteerSpec| is_touched(spec) || !is_healthy(spec);
    desired
        .volunteers
        .iter()
        .filter(unsure)
        .filter_map(check)
        .collect()
}

async fn wait(
    checks: &[Check],
    patience: Duration,
    interrupt: &Interrupt,
    context: &Context,
) -> Result<Result<(), Vec<Unhealthy>>, Failure> {
    let ready = |check: &Check, found: &ProbeReport| {
        let (target, address, elapsed) = (&check.target, check.address, found.elapsed.as_millis());
        context.report.note(&format!(
            "  ready volunteer {target} at {address} ({elapsed} ms)"
        ));
    };
    tokio::select! {
        () = interrupt.cancelled() => Err(Failure::interrupted()),
        waited = health::wait(checks, patience, ready) => Ok(waited),
    }
}
