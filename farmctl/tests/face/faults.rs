//! The engine misbehaves: what is said, and that the next `up` puts it right.

use std::time::Duration;

use crate::engine::Fault;
use crate::machine::Machine;
use crate::text::{Run, assert_runs};

fn fault(machine: &Machine, fault: Fault) {
    machine.engine.state().faults.push(fault);
}

/// `up` brings the farm up, and then there is nothing left to do.
fn assert_comes_up(machine: &Machine) {
    machine.engine.state().faults.clear();
    machine.prepare(&["up"]);
    let plan = machine.run(&["plan", "--exit-code"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

/// Which steps were under way when it failed is chance; that it says what was not done is not.
fn assert_tells_what_is_left(run: &Run) {
    assert!(run.stderr.contains("steps are done"), "{run}");
    assert!(run.stderr.contains("error: "), "{run}");
}

#[test]
fn an_engine_that_dies_between_two_calls() {
    for call in [
        "POST /networks/create",
        "POST /images/load",
        "POST /containers/create",
        "POST /containers/c0ffee",
    ] {
        let machine = Machine::new();
        fault(&machine, Fault::Die(call));
        let run = machine.run(&["up"]);
        assert_ne!(run.code, Some(0), "{call}: {run}");
        assert_tells_what_is_left(&run);
        machine.engine.wait_for_death();
        assert_eq!(machine.run(&["status"]).code, Some(3));
        machine.engine.revive();
        assert_comes_up(&machine);
    }
}

#[test]
fn an_engine_that_is_too_old() {
    let machine = Machine::new();
    machine.engine.state().version = Some(("19.03.15", "1.40"));
    assert_runs!("fault-old", machine.run(&["status"]), machine.run(&["up"]));
}

#[test]
fn an_engine_that_refuses() {
    let machine = Machine::new();
    fault(
        &machine,
        Fault::Refuse("POST /images/load", 500, "no space left on device"),
    );
    let run = machine.run(&["up"]);
    assert_tells_what_is_left(&run);
    assert_runs!("fault-disk-full", run);
    assert_comes_up(&machine);
}

#[test]
fn an_engine_that_refuses_once_during_a_look() {
    let machine = Machine::new();
    fault(
        &machine,
        Fault::RefuseOnce("GET /containers/json", 500, "layer does not exist"),
    );
    assert_runs!(
        "fault-look",
        machine.run(&["status"]),
        machine.run(&["status"])
    );
}

#[test]
fn an_engine_that_answers_slowly() {
    let machine = Machine::new();
    for call in ["GET /", "POST /"] {
        fault(&machine, Fault::Slow(call, Duration::from_millis(200)));
    }
    machine.prepare(&["up"]);
    assert_comes_up(&machine);
}

#[test]
fn an_image_that_is_lost() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    {
        let mut state = machine.engine.state();
        state.images.clear();
        for mut container in state.containers.drain(..) {
            container.stop();
        }
    }
    assert_comes_up(&machine);
    assert_eq!(machine.engine.state().images.len(), 2);
}

#[test]
fn an_engine_that_was_restarted() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    fault(&machine, Fault::Die("GET /info"));
    // It died under one call; another one may have found nobody there.
    let code = machine.run(&["up"]).code;
    assert!(matches!(code, Some(1 | 3)), "{code:?}");
    machine.engine.wait_for_death();
    machine.engine.revive();
    let run = machine.run(&["up"]);
    assert!(run.stderr.contains("nothing to do"), "{run}");
}
