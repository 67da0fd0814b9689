//! Carries a plan out: every step as soon as its prerequisites are done. Decides nothing.
//!
//! The first failure, or the user's interruption, stops *new* steps. Running ones finish, so that a container is
//! never left between made and started; only loading images and waiting for volunteers are broken off, because a part
//! of them does no harm.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::event::{Event, Outcome, StepError};
use super::plan::{Action, Plan, Step, StepId};
use crate::engine::{Engine, Fitness, ImageArchive, SwarmEngine};
use crate::farm::{ImageTag, Port, Shape};
use crate::image::Error as ImageError;
use crate::swarm;

/// Where missing images come from.
pub trait ImageSource: Send + Sync {
    /// Assembles the images of `tags` into one archive.
    fn archive(
        &self,
        tags: &[ImageTag],
    ) -> impl Future<Output = Result<ImageArchive, ImageError>> + Send;
}

/// Cancelled when the user wants to stop.
pub type Interrupt = CancellationToken;

/// What an execution works with.
#[derive(Debug)]
pub struct Execution<'a, E, I, R> {
    /// The engine to change.
    pub engine: &'a E,
    /// Where missing images come from.
    pub images: &'a I,
    /// Told about every step.
    pub report: R,
    /// Watched between steps, and while a volunteer is awaited.
    pub interrupt: Interrupt,
    /// How long new volunteers may take until they compile.
    pub patience: Duration,
}

/// Executes `plan` to its end, or as far as it goes.
pub async fn execute<E: Engine + SwarmEngine, I: ImageSource, R: Fn(&Step, Event)>(
    plan: &Plan,
    execution: &Execution<'_, E, I, R>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut waiting: Vec<&Step> = plan.steps().iter().collect();
    let mut done: BTreeSet<StepId> = BTreeSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        let stopping = !outcome.failed.is_empty() || execution.interrupt.is_cancelled();
        if !stopping {
            let ready = |step: &&Step| step.after.iter().all(|before| done.contains(before));
            let (start, wait): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
            waiting = wait;
            for step in start {
                (execution.report)(step, Event::Started(step.id));
                running.push(run(step, execution));
            }
        }
        let Some((step, result)) = running.next().await else {
            break;
        };
        match result {
            Ok(()) => {
                done.insert(step.id);
                (execution.report)(step, Event::Done(step.id));
            }
            Err(StepError::Interrupted) => {
                (execution.report)(step, Event::Stopped(step.id));
            }
            Err(error) => {
                (execution.report)(step, Event::Failed(step.id));
                outcome.failed.push((step.id, error));
            }
        }
    }
    outcome.interrupted = execution.interrupt.is_cancelled();
    outcome.not_attempted = waiting.iter().map(|step| step.id).collect();
    outcome.done = done.into_iter().collect();
    outcome
}

async fn run<'a, E: Engine + SwarmEngine, I: ImageSource, R>(
    step: &'a Step,
    execution: &Execution<'_, E, I, R>,
) -> (&'a Step, Result<(), StepError>) {
    let engine = execution.engine;
    let result = match &step.action {
        Action::LoadImages(tags) => load_images(tags, execution).await,
        Action::PullImage(tag) => pull_image(tag, execution).await,
        Action::AwaitVolunteer { name, port, .. } => await_volunteer(name, *port, execution).await,
        Action::CreateNetwork(farm) => engine.create_network(farm).await.map_err(Into::into),
        Action::RunDoor(spec) => run_container(engine, &spec.container_name(), &spec.shape()).await,
        Action::RunVolunteer { spec, name } => run_container(engine, name, &spec.shape()).await,
        Action::StartContainer(container) => engine
            .start_container(&container.id)
            .await
            .map_err(Into::into),
        Action::UnpauseContainer(container) => engine
            .unpause_container(&container.id)
            .await
            .map_err(Into::into),
        Action::RenameContainer { container, to } => engine
            .rename_container(&container.id, to)
            .await
            .map_err(Into::into),
        Action::HoldContainer(container) => engine
            .hold_container(&container.id)
            .await
            .map_err(Into::into),
        Action::RemoveContainer(container) => engine
            .remove_container(&container.id)
            .await
            .map_err(Into::into),
        Action::RemoveVolume { name, .. } => engine.remove_volume(name).await.map_err(Into::into),
        Action::RemoveNetwork { id, .. } => engine.remove_network(id).await.map_err(Into::into),
        Action::Swarm(action) => {
            let (patience, interrupt) = (execution.patience, &execution.interrupt);
            swarm::carry_out(action, engine, patience, interrupt).await
        }
    };
    (step, result)
}

async fn run_container<E: Engine>(engine: &E, name: &str, shape: &Shape) -> Result<(), StepError> {
    Ok(engine.run_container(name, shape).await?)
}

/// Between two attempts: a container needs a moment to start, a loaded machine a few.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

async fn await_volunteer<E: Engine, I, R>(
    name: &str,
    port: Port,
    execution: &Execution<'_, E, I, R>,
) -> Result<(), StepError> {
    let begun = Instant::now();
    let until_fit = async {
        let mut pause = FIRST_PAUSE;
        loop {
            match execution.engine.probe(name, port).await? {
                Fitness::Fit => return Ok(()),
                Fitness::Unfit(reason) if begun.elapsed() + pause > execution.patience => {
                    return Err(StepError::Unfit {
                        name: name.to_owned(),
                        waited: begun.elapsed(),
                        reason,
                    });
                }
                Fitness::Unfit(_not_yet) => sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    tokio::select! {
        () = execution.interrupt.cancelled() => Err(StepError::Interrupted),
        awaited = until_fit => awaited,
    }
}

async fn pull_image<E: Engine, I, R>(
    tag: &ImageTag,
    execution: &Execution<'_, E, I, R>,
) -> Result<(), StepError> {
    tokio::select! {
        () = execution.interrupt.cancelled() => Err(StepError::Interrupted),
        pulled = execution.engine.pull_image(tag) => Ok(pulled?),
    }
}

async fn load_images<E: Engine, I: ImageSource, R>(
    tags: &[ImageTag],
    execution: &Execution<'_, E, I, R>,
) -> Result<(), StepError> {
    let load = async {
        let archive = execution.images.archive(tags).await?;
        Ok(execution.engine.load_images(archive).await?)
    };
    tokio::select! {
        () = execution.interrupt.cancelled() => Err(StepError::Interrupted),
        loaded = load => loaded,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
