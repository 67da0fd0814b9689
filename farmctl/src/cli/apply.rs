//! Carries plans out under the user's eyes, until every volunteer compiles.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use distccd::ProbeReport;

use super::Failure;
use super::context::Context;
use super::fleet::{Hosts, Label, Member};
use super::images::NoImages;
use super::prepare::{Planned, Prepared, Wanted};
use crate::converge::{
    Desired, Execution, ImageSource, Intent, Interrupt, Outcome, Plan, Step, StepId, diff, drained,
    execute,
};
use crate::engine::{DockerEngine, Engine, Health, LiveContainer, LiveState, ObservedSwarm};
use crate::farm::{Farm, VolunteerSpec};
use crate::health::{self, Check, Unhealthy};
use crate::report::StepReport;
use crate::swarm;

/// How long to wait for volunteers before looking again whether all of them are still there: an engine goes on with
/// what an interrupted command told it, and a container that ran a moment ago may be stopping.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What a plan could not foresee, such as the image that a tag of a registry means, is put right by the next one; more
/// of them would mean that somebody else changes the farm all the time.
const MOST_PLANS: usize = 4;

/// Carries out every host's plan, and further ones if need be, until every volunteer compiles. What is left are the
/// hosts that are up.
pub(super) async fn settle(
    prepared: Prepared,
    patience: Duration,
    context: &Context,
) -> Hosts<Planned> {
    let interrupt = context.interrupt();
    let Prepared {
        farm,
        images,
        hosts,
    } = prepared;
    let settle = async |member: &Member, mut planned: Planned| {
        let work = Work {
            label: &member.label,
            engine: &planned.snapshot.engine,
            images: &images,
            patience,
            interrupt: &interrupt,
            context,
        };
        match planned.swarm.clone() {
            Some(desired) => {
                let settled = work.settle_swarm(&planned.plan, &desired).await?;
                planned.snapshot.swarm = Some(settled);
            }
            None => work.settle(&planned, &farm).await?,
        }
        Ok(planned)
    };
    hosts.each(settle).await
}

/// Carries out every host's plan, which neither loads images nor makes anything that would have to be waited for.
pub(super) async fn carry_out(hosts: Hosts<(DockerEngine, Plan)>, context: &Context) -> Hosts<()> {
    let interrupt = context.interrupt();
    let carry_out = async |member: &Member, (engine, plan): (DockerEngine, Plan)| {
        let work = Work {
            label: &member.label,
            engine: &engine,
            images: &NoImages,
            patience: Duration::ZERO,
            interrupt: &interrupt,
            context,
        };
        work.carry_out(&plan).await
    };
    hosts.each(carry_out).await
}

/// What one host's plans are carried out with.
struct Work<'a, I> {
    label: &'a Label,
    engine: &'a DockerEngine,
    images: &'a I,
    patience: Duration,
    interrupt: &'a Interrupt,
    context: &'a Context,
}

impl<I: ImageSource> Work<'_, I> {
    async fn settle(&self, planned: &Planned, farm: &Farm) -> Result<(), Failure> {
        let lasting = lasting(&planned.wanted.desired);
        let begun = Instant::now();
        let mut plan = planned.plan.clone();
        let mut unfit = to_check(planned);
        let mut plans = 0;
        loop {
            let applied = !plan.is_empty();
            if applied {
                plans += 1;
                self.carry_out(&plan).await?;
            }
            let left = self.patience.saturating_sub(begun.elapsed());
            let unhealthy = self.wait(&unfit, left.min(LOOK_AGAIN)).await?;
            if unhealthy.is_empty() && !applied {
                return Ok(());
            }
            if !unhealthy.is_empty() && begun.elapsed() >= self.patience {
                return Err(unhealthy.into());
            }
            unfit.retain(|check| unhealthy.iter().any(|failed| failed.target == check.target));
            plan = diff(&lasting, &self.engine.observe(&farm.name).await?)?;
            if plans == MOST_PLANS && !plan.is_empty() {
                return Err(unstable(&plan));
            }
        }
    }

    /// Services are waited for by steps of their plans; what is left at the end is what the swarm then has.
    async fn settle_swarm(
        &self,
        first: &Plan,
        desired: &swarm::Desired,
    ) -> Result<ObservedSwarm, Failure> {
        let mut plan = first.clone();
        for _plan in 0..MOST_PLANS {
            if !plan.is_empty() {
                self.carry_out(&plan).await?;
            }
            let (next, observed) = super::swarm::plan_again(desired, self.engine).await?;
            if next.is_empty() {
                return Ok(observed);
            }
            plan = next;
        }
        Err(unstable(&plan))
    }

    /// Executes `plan` under the user's eyes; the first Ctrl-C stops it between two steps.
    async fn carry_out(&self, plan: &Plan) -> Result<(), Failure> {
        let steps = StepReport::new(&self.context.report, self.label.to_string());
        let report = |step: &Step, event| steps.on(step, event);
        let execution = Execution {
            engine: self.engine,
            images: self.images,
            report,
            interrupt: self.interrupt.clone(),
            patience: self.patience,
        };
        self.finish(plan, execute(plan, &execution).await)
    }

    /// Says what was not done, and why.
    fn finish(&self, plan: &Plan, outcome: Outcome) -> Result<(), Failure> {
        if outcome.is_complete(plan) {
            return Ok(());
        }
        let (label, report) = (self.label, &self.context.report);
        let step = |id: &StepId| plan.steps().iter().find(|step| step.id == *id);
        for step in outcome.not_attempted.iter().filter_map(step) {
            report.note(&format!("not yet {label}{step}"));
        }
        report.note(&format!(
            "{label}{} of {} steps are done; the next run goes on from there",
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

    async fn wait(&self, checks: &[Check], patience: Duration) -> Result<Vec<Unhealthy>, Failure> {
        let label = self.label;
        let ready = |check: &Check, found: &ProbeReport| {
            let (target, address, elapsed) =
                (&check.target, check.address, found.elapsed.as_millis());
            self.context.report.note(&format!(
                "  ready {label}volunteer {target} at {address} ({elapsed} ms)"
            ));
        };
        tokio::select! {
            () = self.interrupt.cancelled() => Err(Failure::interrupted()),
            waited = health::wait(checks, patience, ready) => Ok(waited.err().unwrap_or_default()),
        }
    }
}

/// What the user asked for is done once.
fn lasting(desired: &Desired) -> Desired {
    match desired.intent {
        Intent::Drain => desired.clone(),
        Intent::Keep | Intent::Restart | Intent::Undrain => desired.clone().with(Intent::Keep),
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

/// Volunteers that a plan step touches, or whose own health check has not passed.
fn to_check(planned: &Planned) -> Vec<Check> {
    let Planned {
        wanted: Wanted { host, desired, .. },
        snapshot,
        plan,
        ..
    } = planned;
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
            address: SocketAddr::new(planned.place.reachable(spec.publish)?, spec.port.number()),
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
        .targets
        .iter()
        .filter(|spec| desired.scope.holds(Some(&spec.target)))
}
