//! A farm of several hosts: what is done everywhere, and what becomes of a host that cannot be reached or fails.

use std::time::Duration;

use crate::engine::{FakeEngine, Fault};
use crate::machine::{Machine, interrupt};
use crate::text::{Run, assert_runs};

/// `box`, this machine's own engine, with both targets, and `nas` with one of them and more room for it.
struct Fleet {
    machine: Machine,
    nas: FakeEngine,
}

const NAS: (&str, &str) = ("nas", "targets: [aarch64], jobs: 30");

impl Fleet {
    fn new() -> Self {
        let mut machine = Machine::new();
        let nas = machine.add_host("nas");
        machine.describe_hosts(&[NAS]);
        Self { machine, nas }
    }

    fn up() -> Self {
        let fleet = Self::new();
        fleet.machine.prepare(&["up"]);
        fleet
    }

    /// The engine of `nas` is gone, with its socket.
    fn lose_nas(&self) {
        self.nas.state().faults.push(Fault::Die("GET /"));
        let run = self.machine.run(&["status", "--host", "nas"]);
        assert_ne!(run.code, Some(0), "{run}");
        self.nas.wait_for_death();
    }
}

#[test]
fn all_hosts_come_up_and_go() {
    let Fleet { machine, nas } = Fleet::new();
    assert_runs!("fleet-plan", machine.run(&["plan"]));
    assert_runs!("fleet-up", machine.run(&["up"]), machine.run(&["up"]));
    assert_eq!(nas.state().images.len(), 1, "only what it compiles for");
    assert_eq!(machine.engine.state().images.len(), 2);
    assert_runs!(
        "fleet-status",
        machine.run(&["status"]),
        machine.run(&["status", "--host", "nas"]),
        machine.run(&["hosts"]),
        machine.run(&["hosts", "x86_64"]),
    );
    let down = machine.run(&["down"]);
    assert_eq!(down.code, Some(0), "{down}");
    for host in ["box", "nas"] {
        let told = format!("{host}: farm attic is down");
        assert!(down.stderr.contains(&told), "{down}");
    }
    for engine in [&machine.engine, &nas] {
        let state = engine.state();
        assert!(state.containers.is_empty() && state.networks.is_empty());
    }
}

#[test]
fn a_part_of_the_hosts_is_chosen() {
    let Fleet { machine, nas } = Fleet::new();
    machine.prepare(&["up", "--host", "nas"]);
    assert!(machine.engine.state().containers.is_empty());
    assert!(!nas.state().containers.is_empty());
    assert_runs!(
        "fleet-choice",
        machine.run(&["plan", "--host", "nas", "--exit-code"]),
        machine.run(&["up", "--host", "attic"]),
        machine.run(&["up", "x86_64", "--host", "nas"]),
        machine.run(&["hosts", "--address", "box.lan"]),
        machine.run(&["hosts", "--address", "box.lan", "--host", "nas"]),
    );
    machine.prepare(&["up", "x86_64"]);
    let changes = nas.state().changes.len();
    machine.prepare(&["restart", "x86_64"]);
    assert_eq!(
        nas.state().changes.len(),
        changes,
        "it does not compile for that"
    );
    machine.prepare(&["down", "--host", "nas"]);
    assert!(nas.state().containers.is_empty());
    assert!(!machine.engine.state().containers.is_empty());
}

#[test]
fn an_image_is_loaded_only_where_it_is_missing() {
    let Fleet { machine, nas } = Fleet::new();
    machine.prepare(&["build", "aarch64", "--host", "nas"]);
    assert_eq!(machine.engine.state().images.len(), 0);
    assert_runs!(
        "fleet-build",
        machine.run(&["build"]),
        machine.run(&["build"])
    );
    let tags = |engine: &FakeEngine| {
        let state = engine.state();
        let tags = state.images.iter().flat_map(|image| image.tags.clone());
        tags.collect::<Vec<_>>()
    };
    let of_nas = tags(&nas);
    assert!(tags(&machine.engine).contains(&of_nas[0]), "one for both");
    let loads = nas.state().changes.len();
    machine.prepare(&["up"]);
    let state = nas.state();
    let again = &state.changes[loads..];
    assert!(
        !again.iter().any(|call| call.contains("/images/load")),
        "{again:?}"
    );
}

/// Which step ended first is chance, and so is the order of what is told of two hosts.
fn says(run: &Run, lines: &[&str]) {
    for line in lines {
        assert!(run.stderr.contains(line), "no '{line}' in {run}");
    }
}

#[test]
fn a_host_out_of_reach_is_told_and_the_others_go_on() {
    let mut machine = Machine::new();
    let nas = machine.add_host("nas");
    let mill = machine.add_host("mill");
    machine.describe_hosts(&[NAS, ("mill", "targets: [x86_64]")]);
    drop(mill);
    assert_runs!(
        "fleet-out-of-reach",
        machine.run(&["up"]),
        machine.run(&["up"]),
        machine.run(&["status"]),
        machine.run(&["hosts"]),
        machine.run(&["plan", "--output", "json"]),
    );
    assert!(!nas.state().containers.is_empty());
    for verb in [
        &["build"][..],
        &["restart", "x86_64"],
        &["logs"],
        &["prune"],
        &["down"],
    ] {
        let run = machine.run(verb);
        assert_eq!(run.code, Some(1), "{run}");
        says(&run, &["error: host mill: ", "hosts failed: mill"]);
    }
    assert!(nas.state().containers.is_empty());
}

#[test]
fn a_host_out_of_reach_whose_slots_are_known_is_offered() {
    let fleet = Fleet::up();
    fleet.lose_nas();
    let hosts = fleet.machine.run(&["hosts", "aarch64", "--for", "plain"]);
    assert_eq!(hosts.code, Some(0), "{hosts}");
    assert!(hosts.stdout.starts_with("[NAS]:21636/30,lzo "), "{hosts}");
    says(&hosts, &["warning: nas: "]);
}

#[test]
fn without_any_host_in_reach_nothing_is_done() {
    let fleet = Fleet::up();
    fleet.lose_nas();
    fleet
        .machine
        .engine
        .state()
        .faults
        .push(Fault::Die("GET /"));
    assert_ne!(fleet.machine.run(&["status"]).code, Some(0));
    fleet.machine.engine.wait_for_death();
    assert_runs!(
        "fleet-no-engine",
        fleet.machine.run(&["up"]),
        fleet.machine.run(&["status"]),
        fleet.machine.run(&["down"]),
    );
}

#[test]
fn a_host_that_fails_midway_leaves_the_others_alone() {
    let Fleet { machine, nas } = Fleet::new();
    nas.state().faults.push(Fault::Refuse(
        "POST /containers/create",
        500,
        "no space left on device",
    ));
    let run = machine.run(&["up"]);
    assert_eq!(run.code, Some(1), "{run}");
    says(
        &run,
        &[
            "nas: 2 of 4 steps are done",
            "error: host nas: ",
            "no space left on device",
            "1 of 2 hosts failed: nas",
        ],
    );
    // Only hosts that are up are offered.
    assert!(run.stdout.contains("[ADDRESS]:21636/"), "{run}");
    assert!(!run.stdout.contains("[NAS]"), "{run}");
    nas.state().faults.clear();
    machine.prepare(&["up"]);
    let plan = machine.run(&["plan", "--exit-code"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn ctrl_c_stops_every_host_between_two_steps() {
    let Fleet { machine, nas } = Fleet::new();
    machine.prepare(&["build"]);
    for engine in [&machine.engine, &nas] {
        let slow = Fault::Slow("POST /networks/create", Duration::from_secs(2));
        engine.state().faults.push(slow);
    }
    let child = machine.command(&["up"]).spawn().unwrap();
    for engine in [&machine.engine, &nas] {
        while engine.state().changes.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    while !asked_for_network(&machine.engine) || !asked_for_network(&nas) {
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    let run = machine.finish(&["up"], child);
    assert_eq!(run.code, Some(130), "{run}");
    for host in ["box", "nas"] {
        says(
            &run,
            &[
                &format!("not yet {host}: "),
                &format!("{host}: 1 of "),
                &format!("done {host}: + network"),
            ],
        );
    }
    for engine in [&machine.engine, &nas] {
        engine.state().faults.clear();
        assert!(engine.state().containers.is_empty());
    }
    machine.prepare(&["up"]);
}

fn asked_for_network(engine: &FakeEngine) -> bool {
    let state = engine.state();
    let mut changes = state.changes.iter();
    changes.any(|call| call.contains("/networks/create"))
}

#[test]
fn a_host_is_drained_and_no_longer_offered() {
    let Fleet { machine, nas } = Fleet::up();
    let offers_nas = || {
        let hosts = machine.run(&["hosts", "aarch64"]);
        assert_eq!(hosts.code, Some(0), "{hosts}");
        hosts.stdout.contains("[NAS]")
    };
    machine.prepare(&["drain", "--host", "nas"]);
    assert!(!offers_nas());
    let up = machine.run(&["up"]);
    says(
        &up,
        &[
            "nas: target aarch64 is drained",
            "undrain aarch64 --host nas",
        ],
    );
    assert!(!up.stdout.contains("[NAS]"), "{up}");
    machine.prepare(&["undrain", "--host", "nas"]);
    assert!(offers_nas());
    assert_eq!(machine.run(&["drain"]).code, Some(2), "what?");
    drop(nas);
}

#[test]
fn what_left_the_manifest_is_asked_for_once() {
    let Fleet { machine, nas } = Fleet::up();
    machine.describe_hosts(&[("box", "targets: [aarch64]"), ("nas", "targets: [x86_64]")]);
    assert_runs!("fleet-losses", machine.run(&["up"]));
    machine.prepare(&["up", "--yes"]);
    let state = nas.state();
    let targets = state.containers.iter();
    let targets: Vec<_> = targets
        .map(|container| container.label("farmctl.target"))
        .collect();
    assert_eq!(targets, [Some("x86_64"); 2]);
}

#[test]
fn logs_of_all_hosts_are_merged() {
    let Fleet { machine, nas } = Fleet::up();
    for (engine, second, message) in [
        (&machine.engine, 1, "first"),
        (&nas, 2, "second"),
        (&machine.engine, 3, "third"),
    ] {
        let time = format!("2026-01-01T00:00:{second:02}.500000000Z");
        let mut state = engine.state();
        let is_volunteer = |container: &&mut crate::engine::Container| {
            container.label("farmctl.target") == Some("aarch64")
                && container.label("farmctl.role") != Some("door")
        };
        let mut containers = state.containers.iter_mut();
        containers.find(is_volunteer).unwrap().log(&time, message);
    }
    assert_runs!(
        "fleet-logs",
        machine.run(&["logs"]),
        machine.run(&["logs", "--host", "nas", "--output", "json"]),
    );
}

#[test]
fn the_doctor_examines_every_host() {
    let fleet = Fleet::up();
    let run = fleet.machine.run(&["doctor", "--all", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    for host in ["box", "nas"] {
        let mut findings = document["findings"].as_array().unwrap().iter();
        assert!(findings.any(|finding| finding["host"] == host), "{run}");
    }
    fleet.lose_nas();
    let run = fleet.machine.run(&["doctor"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stdout.contains("problem: nas: ") && run.stdout.contains("[engine-unreachable]"),
        "{run}"
    );
}

#[test]
fn two_hosts_with_one_address_are_a_mistake() {
    let Fleet { machine, .. } = Fleet::new();
    let folder = machine.folder.path().display();
    machine.write(
        "twins.yaml",
        &format!(
            "toolchains: toolchains\naddress: 127.0.0.1\nhosts:\n  box: {{}}\n  \
             nas: {{ docker: \"unix://{folder}/nas.sock\" }}\n"
        ),
    );
    assert_runs!(
        "fleet-twins",
        machine.run(&["validate", "-f", "twins.yaml"])
    );
}
