use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::converge::Scope;
use crate::engine::{LiveUpdate, MemoryEngine, SwarmEngine, TaskState};
use crate::swarm::fixture::{carry_out, farm, swarm, wish};
use crate::swarm::{drain, undrain};

async fn plan(desired: &Desired, engine: &MemoryEngine) -> Result<Plan, Vec<Conflict>> {
    let references: BTreeSet<_> = desired
        .targets
        .iter()
        .map(|wanted| wanted.reference.clone())
        .collect();
    let digests = engine.registry_digests(&references).await.unwrap();
    diff(desired, &engine.swarm().observed(), &digests)
}

/// Applies plans until there is nothing to do; returns the first one.
async fn settle(desired: &Desired, engine: &MemoryEngine) -> Plan {
    let first = plan(desired, engine).await.unwrap();
    let mut next = first.clone();
    for _ in 0..3 {
        let outcome = carry_out(&next, engine).await;
        assert!(outcome.failed.is_empty(), "{:?}\n{next}", outcome.failed);
        let lasting = desired.clone().with(Intent::Keep);
        next = plan(&lasting, engine).await.unwrap();
        if next.is_empty() {
            return first;
        }
    }
    panic!("still to do:\n{next}");
}

#[tokio::test(start_paused = true)]
async fn a_farm_comes_up_changes_and_goes() {
    let engine = swarm(3);
    let first = settle(&wish(&farm("", "armv7h")), &engine).await;
    insta::assert_snapshot!("up", first);
    let serving = engine.swarm().observed();
    let target = "armv7h".parse().unwrap();
    assert_eq!(serving.serving(&target).len(), 3);
    let changed = settle(&wish(&farm("memory: 1GiB", "armv7h, aarch64")), &engine).await;
    insta::assert_snapshot!("changed", changed);
    let restarted = wish(&farm("memory: 1GiB", "armv7h, aarch64")).with(Intent::Restart);
    insta::assert_snapshot!("restart", settle(&restarted, &engine).await);
    let less = settle(&wish(&farm("memory: 1GiB", "aarch64")), &engine).await;
    insta::assert_snapshot!("less", less);
    let down = settle(&Desired::nothing("attic".parse().unwrap()), &engine).await;
    insta::assert_snapshot!("down", down);
    assert_eq!(engine.swarm().observed().services, []);
    assert_eq!(engine.swarm().observed().networks, []);
}

#[tokio::test(start_paused = true)]
async fn drained_nodes_stay_so_through_changes() {
    let engine = swarm(3);
    settle(&wish(&farm("", "armv7h, aarch64")), &engine).await;
    let nodes = BTreeSet::from(["node2".to_owned()]);
    let before = engine.swarm().observed();
    let plan = drain(&before, &Scope::Farm, &nodes);
    insta::assert_snapshot!("drain", plan);
    assert!(carry_out(&plan, &engine).await.failed.is_empty());
    let target = "armv7h".parse().unwrap();
    let serving = |engine: &MemoryEngine| {
        let observed = engine.swarm().observed();
        let ids: Vec<_> = observed
            .serving(&target)
            .iter()
            .map(|node| node.id.clone())
            .collect();
        ids
    };
    assert_eq!(serving(&engine), ["node1", "node3"]);
    let others = |observed: &ObservedSwarm| -> Vec<_> {
        let tasks = observed.services.iter().flat_map(|live| &live.tasks);
        tasks
            .filter(|task| task.node != "node2")
            .map(|task| task.id.clone())
            .collect()
    };
    assert_eq!(
        others(&before),
        others(&engine.swarm().observed()),
        "what runs elsewhere is left alone"
    );
    assert!(drain(&engine.swarm().observed(), &Scope::Farm, &nodes).is_empty());

    settle(&wish(&farm("memory: 1GiB", "armv7h, aarch64")), &engine).await;
    assert_eq!(serving(&engine), ["node1", "node3"]);
    let back = undrain(&engine.swarm().observed(), &Scope::Farm, &nodes);
    insta::assert_snapshot!("undrain", back);
    assert!(carry_out(&back, &engine).await.failed.is_empty());
    assert_eq!(serving(&engine), ["node1", "node2", "node3"]);
}

#[tokio::test(start_paused = true)]
async fn a_drained_target_is_neither_restarted_nor_raised() {
    let engine = swarm(2);
    let desired = wish(&farm("", "armv7h, aarch64"));
    settle(&desired, &engine).await;
    let scope = Scope::of(["armv7h".parse().unwrap()]);
    let drained = drain(&engine.swarm().observed(), &scope, &BTreeSet::new());
    assert!(carry_out(&drained, &engine).await.failed.is_empty());
    let restart = settle(&desired.clone().with(Intent::Restart), &engine).await;
    assert!(!restart.to_string().contains("armv7h"), "{restart}");
    let target = "armv7h".parse().unwrap();
    assert_eq!(engine.swarm().observed().serving(&target).len(), 0);
    let back = undrain(&engine.swarm().observed(), &scope, &BTreeSet::new());
    assert!(carry_out(&back, &engine).await.failed.is_empty());
    assert_eq!(engine.swarm().observed().serving(&target).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn strangers_are_in_the_way_and_not_touched() {
    let engine = swarm(1);
    engine.swarm().disturb(|observed| {
        observed
            .taken_names
            .insert("farmctl-attic-armv7h".to_owned());
        observed.taken_ports.insert(3636, "web".to_owned());
    });
    let conflicts = plan(&wish(&farm("", "armv7h, aarch64")), &engine)
        .await
        .unwrap_err();
    let told: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "a service named farmctl-attic-armv7h exists and does not belong to this farm",
            "port 3636 for target aarch64 is taken by service web",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_nobody_may_make_must_be_in_the_registry() {
    let engine = swarm(1);
    let desired = wish(&farm("image: never", "armv7h"));
    let conflicts = plan(&desired, &engine).await.unwrap_err();
    assert_eq!(
        conflicts[0].to_string(),
        "image registry.lan:5000/farmctl/armv7h:1f0c for target armv7h is not in its registry"
    );
    let [wanted] = desired.targets.as_slice() else {
        panic!()
    };
    engine
        .push_image(&wanted.image, &wanted.reference)
        .await
        .unwrap();
    settle(&desired, &engine).await;
}

#[tokio::test(start_paused = true)]
async fn drift_of_a_service_is_told_by_name_and_put_right() {
    let engine = swarm(2);
    let desired = wish(&farm("", "armv7h"));
    settle(&desired, &engine).await;
    engine.swarm().disturb(|observed| {
        observed.services[0].shape.container.memory = 7;
        observed.services[0].shape.container.read_only = false;
        observed.services[1].shape.parallelism = 0;
        observed.services[1]
            .shape
            .constraints
            .insert("node.id!=gone".to_owned());
    });
    let plan = settle(&desired, &engine).await;
    insta::assert_snapshot!("drift", plan);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_run_is_waited_for() {
    let engine = swarm(2);
    let desired = wish(&farm("", "armv7h"));
    settle(&desired, &engine).await;
    let disturbed = |change: fn(&mut LiveService)| {
        let mut observed = engine.swarm().observed();
        change(&mut observed.services[0]);
        let pushed =
            |wanted: &Wanted| (wanted.reference.clone(), format!("sha256:{}", wanted.image));
        let digests: BTreeMap<_, _> = desired.targets.iter().map(pushed).collect();
        diff(&desired, &observed, &digests).unwrap().to_string()
    };
    let waiting = "= until farmctl-attic-armv7h compiles on every node (not running)\n";
    assert_eq!(
        disturbed(|live| live.tasks[0].state = TaskState::Starting),
        waiting
    );
    assert_eq!(disturbed(|live| live.tasks[0].is_current = false), waiting);
    assert_eq!(disturbed(|live| live.update = LiveUpdate::Going), waiting);
    assert_eq!(disturbed(|live| live.tasks.clear()), waiting);
    assert_eq!(disturbed(|live| live.tasks[0].is_wanted = false), "");
}

/// Any part of what a swarm may be left with.
#[derive(Debug, Clone)]
enum Disturbance {
    RemoveService(usize),
    Unlabel(usize),
    Relabel(usize),
    Limit(usize),
    Exclude(usize),
    Ended(usize),
    NodeDown(usize),
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    (0..7_usize, 0..8_usize).prop_map(|(kind, at)| match kind {
        0 => Disturbance::RemoveService(at),
        1 => Disturbance::Unlabel(at),
        2 => Disturbance::Relabel(at),
        3 => Disturbance::Limit(at),
        4 => Disturbance::Exclude(at),
        5 => Disturbance::Ended(at),
        _ => Disturbance::NodeDown(at),
    })
}

impl Disturbance {
    fn apply(&self, observed: &mut ObservedSwarm) {
        let services = observed.services.len();
        if let Self::NodeDown(at) = self {
            // One stays: a farm without a node has nobody to wait for, and never settles.
            let others = observed.nodes.len() - 1;
            observed.nodes[1 + at % others].is_ready = false;
            return;
        }
        if services == 0 {
            return;
        }
        let live = |at: &usize| at % services;
        match self {
            Self::RemoveService(at) => drop(observed.services.remove(live(at))),
            Self::Unlabel(at) => {
                let live = &mut observed.services[live(at)];
                live.shape.container.labels.clear();
            }
            Self::Relabel(at) => {
                let live = &mut observed.services[live(at)];
                live.shape
                    .container
                    .labels
                    .insert("x".to_owned(), "y".to_owned());
            }
            Self::Limit(at) => observed.services[live(at)].shape.container.processes += 1,
            Self::Exclude(at) => {
                let live = &mut observed.services[live(at)];
                live.shape.constraints.insert("node.id!=node1".to_owned());
            }
            Self::Ended(at) => observed.services[live(at)].tasks.clear(),
            Self::NodeDown(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_was_there_becomes_what_is_wanted_and_stays(
        first in prop::sample::subsequence(vec!["armv7h", "aarch64", "armv5"], 1..=3),
        second in prop::sample::subsequence(vec!["armv7h", "aarch64", "armv5"], 1..=3),
        keys in prop::sample::select(vec!["", "memory: 1GiB", "jobs: 3", "network: host", "gcc: [14]"]),
        disturbances in prop::collection::vec(disturbance(), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let engine = swarm(3);
            settle(&wish(&farm("", &first.join(", "))), &engine).await;
            engine.swarm().disturb(|observed| {
                for disturbance in &disturbances {
                    disturbance.apply(observed);
                }
            });
            // What the swarm lost by itself it brings back by itself; in memory a change does it.
            let wanted = wish(&farm(keys, &second.join(", ")));
            engine.swarm().disturb(|observed| {
                for live in &mut observed.services {
                    if live.tasks.is_empty() && !live.shape.is_nowhere() {
                        live.shape.container.nano_cpus += 1;
                    }
                }
            });
            settle(&wanted, &engine).await;
            let down = Desired::nothing("attic".parse().unwrap());
            settle(&down, &engine).await;
            assert!(engine.swarm().observed().services.is_empty());
        });
    }
}
