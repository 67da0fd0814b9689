//! Carries a plan out: every step as soon as its prerequisites are done. Decides nothing.
//!
//! The first failure, or the user's interruption, stops *new* steps. Running ones finish, so that a container is
//! never left between made and started; only loading images is broken off, because a part of it does no harm.

use std::collections::BTreeSet;
use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Outcome, StepError};
use super::plan::{Action, Plan, Step, StepId};
use crate::engine::{Engine, ImageArchive};
use crate::farm::ImageTag;
use crate::image::Error as ImageError;

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
    /// Watched between steps.
    pub interrupt: Interrupt,
}

/// Executes `plan` to its end, or as far as it goes.
pub async fn execute<E: Engine, I: ImageSource, R: Fn(&Step, Event)>(
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

async fn run<'a, E: Engine, I: ImageSource, R>(
    step: &'a Step,
    execution: &Execution<'_, E, I, R>,
) -> (&'a Step, Result<(), StepError>) {
    let engine = execution.engine;
    let result = match &step.action {
        Action::LoadImages(tags) => load_images(tags, execution).await,
        Action::CreateNetwork(farm) => engine.create_network(farm).await.map_err(StepError::from),
        Action::RunVolunteer(spec) => engine.run_volunteer(spec).await.map_err(StepError::from),
        Action::StartContainer { id, .. } => {
            engine.start_container(id).await.map_err(StepError::from)
        }
        Action::RemoveContainer { id, .. } => {
            engine.remove_container(id).await.map_err(StepError::from)
        }
        Action::RemoveNetwork { id, .. } => {
            engine.remove_network(id).await.map_err(StepError::from)
        }
    };
    (step, result)
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
mod tests {
    use std::sync::Mutex;

    use futures_util::stream;
    use proptest::prelude::*;

    use super::super::fixture::{attic, live, spec, standing};
    use super::super::{Desired, diff};
    use super::*;
    use crate::engine::{LiveState, MemoryEngine, Observed};
    use crate::farm::VolunteerSpec;

    struct NoImages;

    impl ImageSource for NoImages {
        async fn archive(&self, _tags: &[ImageTag]) -> Result<ImageArchive, ImageError> {
            Ok(Box::pin(stream::empty()))
        }
    }

    async fn apply(
        engine: &MemoryEngine,
        desired: &Desired,
        interrupt: Interrupt,
    ) -> (Plan, Outcome) {
        let observed = engine.observe(&desired.farm).await.expect("a snapshot");
        let plan = diff(desired, &observed).expect("no conflict");
        let report = |_: &Step, _: Event| ();
        let outcome = execute(
            &plan,
            &Execution {
                engine,
                images: &NoImages,
                report,
                interrupt,
            },
        )
        .await;
        (plan, outcome)
    }

    fn images() -> Vec<ImageTag> {
        attic()
            .volunteers
            .iter()
            .map(|spec| spec.image.clone())
            .collect()
    }

    #[tokio::test]
    async fn a_second_application_has_nothing_to_do() {
        let engine = MemoryEngine::new(Observed::default(), images());
        let (plan, outcome) = apply(&engine, &attic(), Interrupt::new()).await;
        assert!(outcome.is_complete(&plan), "{outcome:?}");
        let (plan, _) = apply(&engine, &attic(), Interrupt::new()).await;
        assert!(plan.is_empty(), "{plan}");
    }

    #[tokio::test]
    async fn a_failure_stops_new_steps_and_says_what_was_not_done() {
        let engine = MemoryEngine::new(Observed::default(), images());
        engine.fail_calls_with("create network");
        let (plan, outcome) = apply(&engine, &attic(), Interrupt::new()).await;
        assert!(!outcome.is_complete(&plan));
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!(outcome.not_attempted, [StepId(2), StepId(3)]);
        assert!(
            !engine.calls().iter().any(|call| call.starts_with("run")),
            "{:?}",
            engine.calls()
        );
    }

    #[tokio::test]
    async fn an_interrupted_execution_begins_nothing() {
        let engine = MemoryEngine::new(Observed::default(), images());
        let interrupt = Interrupt::new();
        interrupt.cancel();
        let (plan, outcome) = apply(&engine, &attic(), interrupt).await;
        assert!(outcome.interrupted);
        assert_eq!(outcome.not_attempted.len(), plan.steps().len());
        assert_eq!(engine.calls(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn steps_run_only_after_what_they_wait_for() {
        let engine = MemoryEngine::new(standing(), vec![ImageTag::new("farmctl/armv7h:2")]);
        let mut desired = attic();
        desired.volunteers[0].image = ImageTag::new("farmctl/armv7h:2");
        let (_, outcome) = apply(&engine, &desired, Interrupt::new()).await;
        assert!(outcome.failed.is_empty(), "{outcome:?}");
        assert_eq!(
            engine.calls(),
            ["load images", "remove a", "run farmctl-attic-armv7h"]
        );
    }

    #[tokio::test]
    async fn every_step_is_reported_started_and_done() {
        let engine = MemoryEngine::new(Observed::default(), images());
        let plan = diff(&attic(), &Observed::default()).expect("no conflict");
        let seen = Mutex::new(Vec::new());
        let report = |_: &Step, event: Event| seen.lock().expect("not poisoned").push(event);
        execute(
            &plan,
            &Execution {
                engine: &engine,
                images: &NoImages,
                report,
                interrupt: Interrupt::new(),
            },
        )
        .await;
        let seen = seen.lock().expect("not poisoned");
        for step in plan.steps() {
            assert!(
                seen.contains(&Event::Started(step.id)) && seen.contains(&Event::Done(step.id)),
                "{seen:?}"
            );
        }
    }

    const TARGETS: [(&str, u64); 4] = [
        ("armv5", 3633),
        ("armv6h", 3634),
        ("armv7h", 3635),
        ("aarch64", 3636),
    ];

    fn some_specs() -> impl Strategy<Value = Vec<VolunteerSpec>> {
        proptest::sample::subsequence(TARGETS.to_vec(), 0..=TARGETS.len())
            .prop_flat_map(|targets| {
                let count = targets.len();
                (
                    Just(targets),
                    proptest::collection::vec((1u64..4, 0..3u8), count),
                )
            })
            .prop_map(|(targets, variants)| {
                let variant = |((name, port), (slots, image)): ((&str, u64), (u64, u8))| {
                    let mut spec = spec(name, port);
                    spec.slots = crate::farm::Slots::clamped(slots);
                    spec.image = ImageTag::new(format!("farmctl/{name}:{image}"));
                    spec
                };
                targets.into_iter().zip(variants).map(variant).collect()
            })
    }

    fn some_observed() -> impl Strategy<Value = Observed> {
        const STATES: [LiveState; 5] = [
            LiveState::Running,
            LiveState::Created,
            LiveState::Paused,
            LiveState::Exited,
            LiveState::Dead,
        ];
        (
            some_specs(),
            proptest::collection::vec(0..STATES.len(), TARGETS.len()),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(specs, states, network, renamed)| {
                let mut observed = Observed::default();
                for (number, (spec, state)) in specs.iter().zip(states).enumerate() {
                    let mut volunteer = live(spec, &format!("old{number}"));
                    volunteer.state = STATES[state];
                    if renamed {
                        volunteer.name.push_str("-by-hand");
                    }
                    observed.images.insert(spec.image.clone(), 1);
                    observed.volunteers.push(volunteer);
                }
                if network {
                    observed.networks = standing().networks;
                }
                observed
            })
    }

    proptest! {
        #[test]
        fn a_plan_that_was_applied_leaves_nothing_to_plan(specs in some_specs(), observed in some_observed()) {
            let desired = Desired { farm: attic().farm, volunteers: specs };
            let images = desired.volunteers.iter().map(|spec| spec.image.clone()).collect();
            let engine = MemoryEngine::new(observed, images);
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let (plan, outcome) = apply(&engine, &desired, Interrupt::new()).await;
                prop_assert!(outcome.is_complete(&plan), "{plan}{outcome:?}");
                let (again, _) = apply(&engine, &desired, Interrupt::new()).await;
                prop_assert!(again.is_empty(), "{plan}then\n{again}");
                Ok(())
            })?;
        }
    }
}
