use std::sync::Mutex;

use futures_util::stream;

use super::super::fixture::{attic, standing};
use super::super::{Desired, diff};
use super::*;
use crate::engine::{MemoryEngine, Observed};

struct NoImages;

impl ImageSource for NoImages {
    async fn archive(&self, _tags: &[ImageTag]) -> Result<ImageArchive, ImageError> {
        Ok(Box::pin(stream::empty()))
    }
}

async fn apply(engine: &MemoryEngine, desired: &Desired, interrupt: Interrupt) -> (Plan, Outcome) {
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
            patience: Duration::ZERO,
        },
    )
    .await;
    (plan, outcome)
}

fn images() -> Vec<ImageTag> {
    attic()
        .targets
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
    assert_eq!(
        outcome.not_attempted,
        [StepId(2), StepId(3), StepId(4), StepId(5)]
    );
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
    desired.targets[0].image = ImageTag::new("farmctl/armv7h:2");
    let (_, outcome) = apply(&engine, &desired, Interrupt::new()).await;
    assert!(outcome.failed.is_empty(), "{outcome:?}");
    assert_eq!(
        engine.calls(),
        [
            "load images",
            "run farmctl-attic-armv7h-2",
            "probe farmctl-attic-armv7h-2",
            "remove a"
        ]
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
            patience: Duration::ZERO,
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

#[tokio::test]
async fn a_volunteer_that_does_not_compile_leaves_its_predecessor_alone() {
    let engine = MemoryEngine::new(standing(), Vec::new());
    engine.make_unfit("armv7h-2");
    let mut desired = attic();
    desired.targets[0].slots = crate::farm::Slots::clamped(9);
    let (plan, outcome) = apply(&engine, &desired, Interrupt::new()).await;
    let [(_, error)] = outcome.failed.as_slice() else {
        panic!("{outcome:?}");
    };
    assert!(matches!(error, StepError::Unfit { .. }), "{error}");
    assert_eq!(outcome.not_attempted.len(), 1, "{plan}");
    let observed = engine.observe(&desired.farm).await.expect("a snapshot");
    let names: Vec<_> = observed
        .volunteers
        .iter()
        .map(|live| live.name.as_str())
        .collect();
    assert!(names.contains(&"farmctl-attic-armv7h"), "{names:?}");
}
