//! The farm comes up, is looked at, and goes.

use crate::machine::Machine;
use crate::text::assert_runs;

#[test]
fn a_farm_comes_up_once() {
    let machine = Machine::new();
    assert_runs!("up", machine.run(&["up"]));
    let before = machine.engine.state().changes.len();
    assert_runs!("up-again", machine.run(&["up"]));
    assert_eq!(
        machine.engine.state().changes.len(),
        before,
        "the second one changes nothing"
    );
    assert_runs!("up-quiet", machine.run(&["up", "--quiet"]));
}

#[test]
fn a_plan_is_what_up_would_do() {
    let machine = Machine::new();
    assert_runs!(
        "plan",
        machine.run(&["plan"]),
        machine.run(&["plan", "--exit-code"]),
        machine.run(&["plan", "--output", "json"]),
    );
    machine.prepare(&["up"]);
    assert_runs!(
        "plan-nothing",
        machine.run(&["plan"]),
        machine.run(&["plan", "--exit-code", "--output", "json"]),
    );
}

#[test]
fn the_status_tells_what_runs() {
    let machine = Machine::new();
    assert_runs!("status-nothing", machine.run(&["status"]));
    machine.prepare(&["up"]);
    assert_runs!(
        "status",
        machine.run(&["status"]),
        machine.run(&["status", "--output", "json"]),
    );
    for container in &mut machine.engine.state().containers {
        if container.label("farmctl.target") == Some("x86_64") {
            container.stop();
        }
    }
    assert_runs!("status-stopped", machine.run(&["status"]));
}

#[test]
fn hosts_are_lines_for_masters() {
    let machine = Machine::new();
    assert_runs!(
        "hosts",
        machine.run(&["hosts"]),
        machine.run(&["hosts", "aarch64", "--for", "plain"]),
        machine.run(&[
            "hosts",
            "--for",
            "env",
            "--address",
            "box.lan",
            "--jobs",
            "9"
        ]),
        machine.run(&["hosts", "sparc"]),
    );
}

#[test]
fn a_farm_goes_down_once() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    assert_runs!("down", machine.run(&["down"]), machine.run(&["down"]));
    let state = machine.engine.state();
    assert!(state.containers.is_empty() && state.networks.is_empty() && state.volumes.is_empty());
    assert_eq!(state.images.len(), 2, "images stay");
}

#[test]
fn targets_are_restarted_and_drained_and_come_back() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    assert_runs!(
        "restart",
        machine.run(&["restart", "aarch64"]),
        machine.run(&["drain", "aarch64"]),
        machine.run(&["status"]),
        machine.run(&["up"]),
        machine.run(&["undrain", "aarch64"]),
        machine.run(&["status"]),
    );
}
