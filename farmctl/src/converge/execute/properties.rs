//! For any farm and any observed state: what was planned and applied leaves nothing to plan, no stranger is touched, and
//! in whatever order the steps happen, a target that was served is served.

use std::collections::BTreeSet;

use futures_util::stream;
use proptest::prelude::*;

use super::super::desired::Intent;
use super::super::fixture::{spec, standing_of, wanted};
use super::super::{Desired, Plan, diff};
use super::*;
use crate::engine::{Health, LiveContainer, LiveState, MemoryEngine, Observed};
use crate::farm::{Slots, TargetName, VolunteerSpec};

struct NoImages;

impl ImageSource for NoImages {
    async fn archive(&self, _tags: &[ImageTag]) -> Result<ImageArchive, ImageError> {
        Ok(Box::pin(stream::empty()))
    }
}

const TARGETS: [(&str, u64); 4] = [
    ("armv5", 3633),
    ("armv6h", 3634),
    ("armv7h", 3635),
    ("aarch64", 3636),
];

const STATES: [LiveState; 6] = [
    LiveState::Running,
    LiveState::Created,
    LiveState::Paused,
    LiveState::Exited,
    LiveState::Dead,
    LiveState::Restarting,
];

fn some_specs() -> impl Strategy<Value = Vec<VolunteerSpec>> {
    proptest::sample::subsequence(TARGETS.to_vec(), 0..=TARGETS.len())
        .prop_flat_map(|targets| {
            let count = targets.len();
            let variants = proptest::collection::vec((1u64..3, 0..2u8, 0..3u8), count);
            (Just(targets), variants)
        })
        .prop_map(|(targets, variants)| {
            let variant = |((name, port), (slots, image, door))| {
                let mut spec = spec(name, port);
                spec.slots = Slots::clamped(slots);
                spec.image = ImageTag::new(format!("farmctl/{name}:{image}"));
                match door {
                    0 => {}
                    1 => spec.network = crate::farm::Network::Host,
                    _ => spec.stats = crate::farm::Stats::Lan,
                }
                spec
            };
            targets.into_iter().zip(variants).map(variant).collect()
        })
}

/// What others did to one container.
#[derive(Debug, Clone)]
struct Mischief {
    state: usize,
    health: bool,
    /// Which of some tempting names it has; its own if there is none of that number.
    name: usize,
    /// What about it was changed.
    drift: u8,
    is_lost: bool,
    /// A second one beside it.
    twin: bool,
}

fn some_mischief() -> impl Strategy<Value = Mischief> {
    (
        0..12usize,
        any::<bool>(),
        0..24usize,
        0..8u8,
        0..8u8,
        0..6u8,
    )
        .prop_map(|(state, health, name, drift, lost, twin)| Mischief {
            // Mostly running, as containers are.
            state: if state < STATES.len() { state } else { 0 },
            health,
            name,
            drift,
            is_lost: lost == 0,
            twin: twin == 0,
        })
}

fn tempting_names() -> Vec<String> {
    let all = TARGETS.iter().flat_map(|(target, _)| {
        ["", "-2", "-door", "-drained"].map(|end| format!("farmctl-attic-{target}{end}"))
    });
    all.chain(["by-hand".to_owned(), "farmctl-aside-x".to_owned()])
        .collect()
}

fn disturb(live: &mut LiveContainer, mischief: &Mischief, taken: &mut BTreeSet<String>) {
    live.state = STATES[mischief.state];
    live.health = if mischief.health {
        Health::Healthy
    } else {
        Health::Starting
    };
    match mischief.drift {
        0 => live.shape.memory += 1,
        1 => {
            live.shape.foreign.insert("Privileged".to_owned());
        }
        // Made of what the tag meant before it was moved.
        2 => {
            "sha256:moved".clone_into(&mut live.image_id);
            for labels in [&mut live.shape.labels, &mut live.inherited] {
                labels.insert(crate::farm::labels::IMAGE.to_owned(), "moved".to_owned());
            }
        }
        3 => live.shape.labels.clear(),
        4 if live.role == Some(crate::farm::Role::Volunteer) => live.target = None,
        _ => {}
    }
    if let Some(name) = tempting_names().get(mischief.name) {
        live.name.clone_from(name);
    }
    let mut number = 0;
    let name = live.name.clone();
    while !taken.insert(live.name.clone()) {
        number += 1;
        live.name = format!("{name}-x{number}");
    }
}

fn some_observed() -> impl Strategy<Value = Observed> {
    let all = TARGETS.len() * 4;
    (
        some_specs(),
        proptest::collection::vec(some_mischief(), all),
        any::<[bool; 2]>(),
        proptest::collection::vec(0..6u8, TARGETS.len()),
    )
        .prop_map(|(specs, mischief, [network, isolated], lost)| {
            let made = standing_of(&wanted(specs));
            let mut observed = Observed {
                networks: made.networks.clone(),
                ..Observed::default()
            };
            let mut taken = BTreeSet::new();
            let mut mischief = mischief.iter();
            for (list, containers) in [
                (&mut observed.volunteers, &made.volunteers),
                (&mut observed.doors, &made.doors),
            ] {
                for live in containers {
                    let Some(one) = mischief.next() else { continue };
                    let mut changed = live.clone();
                    if one.twin {
                        let mut twin = live.clone();
                        twin.id.push_str("-twin");
                        twin.state = LiveState::Exited;
                        if live.role == Some(crate::farm::Role::Volunteer) {
                            twin.state = STATES[one.state];
                        }
                        twin.name = format!("twin-of-{}", live.id);
                        taken.insert(twin.name.clone());
                        list.push(twin);
                    }
                    disturb(&mut changed, one, &mut taken);
                    if !one.is_lost {
                        list.push(changed);
                    }
                }
            }
            for (number, (tag, image)) in made.images.into_iter().enumerate() {
                match lost.get(number) {
                    Some(0) => {}
                    Some(1) => {
                        let stray = crate::engine::TaggedImage::assembled(&ImageTag::new("else"));
                        observed.images.insert(tag, stray);
                    }
                    _ => drop(observed.images.insert(tag, image)),
                }
            }
            for (number, mut volume) in made.volumes.into_iter().enumerate() {
                match lost.get(number) {
                    Some(2) => {}
                    Some(3) => {
                        volume.options = None;
                        observed.volumes.push(volume);
                    }
                    _ => observed.volumes.push(volume),
                }
            }
            if !network {
                observed.networks.clear();
            }
            for network in &mut observed.networks {
                network.is_isolated = isolated;
            }
            observed
        })
}

fn engine(desired: &Desired, observed: Observed) -> MemoryEngine {
    let images = desired
        .targets
        .iter()
        .map(|spec| spec.image.clone())
        .collect();
    MemoryEngine::new(observed, images)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(future)
}

async fn plan(engine: &MemoryEngine, desired: &Desired) -> Plan {
    let observed = engine.observe(&desired.farm).await.expect("a snapshot");
    diff(desired, &observed).expect("no conflict")
}

fn execution(
    engine: &MemoryEngine,
) -> Execution<'_, MemoryEngine, NoImages, impl Fn(&Step, Event)> {
    Execution {
        engine,
        images: &NoImages,
        report: |_: &Step, _| (),
        interrupt: Interrupt::new(),
        patience: Duration::ZERO,
    }
}

/// Targets that a started volunteer is there for.
fn served(observed: &Observed) -> BTreeSet<TargetName> {
    let running = observed
        .volunteers
        .iter()
        .filter(|live| live.state == LiveState::Running);
    running.filter_map(|live| live.target.clone()).collect()
}

/// Targets whose volunteers nothing of the plan has to stop: no mark, and a directory that serves on.
fn lasting(desired: &Desired, observed: &Observed) -> BTreeSet<TargetName> {
    let is_whole = |spec: &&VolunteerSpec| {
        let drained = VolunteerSpec::drained_name(&spec.farm, &spec.target);
        let mut volunteers = observed.volunteers.iter();
        let is_drained = volunteers
            .any(|live| live.name == drained && live.target.as_ref() == Some(&spec.target));
        let name = crate::farm::volume_name(&spec.farm, &spec.target);
        let bad = observed
            .volumes
            .iter()
            .any(|volume| volume.name == name && volume.options.is_none());
        !is_drained && !bad
    };
    let whole = desired.targets.iter().filter(is_whole);
    whole.map(|spec| spec.target.clone()).collect()
}

/// Carries a plan out one step at a time, in an order that `choices` pick among those that are possible.
async fn in_some_order(
    engine: &MemoryEngine,
    desired: &Desired,
    plan: &Plan,
    choices: &[usize],
) -> Result<(), TestCaseError> {
    let before = engine.observe(&desired.farm).await.expect("a snapshot");
    let to_be_served = &served(&before) & &lasting(desired, &before);
    let execution = execution(engine);
    let mut done = BTreeSet::new();
    let mut choices = choices.iter().cycle();
    while done.len() < plan.steps().len() {
        let is_ready = |step: &&Step| {
            !done.contains(&step.id) && step.after.iter().all(|before| done.contains(before))
        };
        let ready: Vec<&Step> = plan.steps().iter().filter(is_ready).collect();
        prop_assert!(!ready.is_empty(), "{plan} never ends");
        let step = ready[choices.next().unwrap_or(&0) % ready.len()];
        let (_, result) = run(step, &execution).await;
        prop_assert!(result.is_ok(), "{plan}{step}: {result:?}");
        done.insert(step.id);
        let now = engine.observe(&desired.farm).await.expect("a snapshot");
        let lost = &to_be_served - &served(&now);
        prop_assert!(lost.is_empty(), "{plan}after {step}: {lost:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_that_was_applied_leaves_nothing_to_plan(
        specs in some_specs(),
        observed in some_observed(),
        choices in proptest::collection::vec(0..64usize, 16),
        restart in any::<bool>(),
    ) {
        let desired = wanted(specs);
        let first = desired.clone().with(if restart { Intent::Restart } else { Intent::Keep });
        let engine = engine(&desired, observed);
        block_on(async {
            let once = plan(&engine, &first).await;
            in_some_order(&engine, &first, &once, &choices).await?;
            let again = plan(&engine, &desired).await;
            prop_assert!(again.is_empty(), "{once}then\n{again}");
            Ok(())
        })?;
    }

    #[test]
    fn a_plan_that_was_broken_off_anywhere_is_finished_by_the_next(
        specs in some_specs(),
        observed in some_observed(),
        steps in 0..24usize,
    ) {
        let desired = wanted(specs);
        let engine = engine(&desired, observed);
        block_on(async {
            let once = plan(&engine, &desired).await;
            let execution = execution(&engine);
            for step in once.steps().iter().take(steps) {
                let (_, result) = run(step, &execution).await;
                prop_assert!(result.is_ok(), "{once}{step}: {result:?}");
            }
            let rest = plan(&engine, &desired).await;
            in_some_order(&engine, &desired, &rest, &[0]).await?;
            let again = plan(&engine, &desired).await;
            prop_assert!(again.is_empty(), "{once}then\n{rest}then\n{again}");
            Ok(())
        })?;
    }

    #[test]
    fn a_drained_target_serves_again_and_the_others_never_stopped(
        specs in some_specs(),
        observed in some_observed(),
    ) {
        let desired = wanted(specs);
        let Some(spec) = desired.targets.first() else { return Ok(()) };
        let target = spec.target.clone();
        let of_target = |intent| {
            let scope = super::super::Scope::of([target.clone()]);
            desired.clone().only(scope).with(intent)
        };
        let engine = engine(&desired, observed);
        block_on(async {
            in_some_order(&engine, &desired, &plan(&engine, &desired).await, &[0]).await?;
            let drain = of_target(Intent::Drain);
            for step in plan(&engine, &drain).await.steps() {
                run(step, &execution(&engine)).await.1.expect("it is done");
            }
            let drained = engine.observe(&desired.farm).await.expect("a snapshot");
            prop_assert!(!served(&drained).contains(&target));
            let kept = plan(&engine, &desired).await;
            prop_assert!(kept.is_empty(), "{kept}");
            let undrain = of_target(Intent::Undrain);
            in_some_order(&engine, &undrain, &plan(&engine, &undrain).await, &[0]).await?;
            let again = plan(&engine, &desired).await;
            prop_assert!(again.is_empty(), "{again}");
            prop_assert!(served(&engine.observe(&desired.farm).await.expect("a snapshot")).contains(&target));
            Ok(())
        })?;
    }
}
