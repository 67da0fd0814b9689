//! `farmctl logs`.

use std::io::{BufRead, BufReader};

use crate::machine::{Machine, interrupt};
use crate::text::assert_runs;

fn write(machine: &Machine, target: &str, second: u32, message: &str) {
    let time = format!("2026-01-01T00:00:{second:02}.500000000Z");
    let mut state = machine.engine.state();
    let is_volunteer = |container: &&mut crate::engine::Container| {
        container.label("farmctl.target") == Some(target)
            && container.label("farmctl.role") != Some("door")
    };
    state
        .containers
        .iter_mut()
        .find(is_volunteer)
        .unwrap()
        .log(&time, message);
}

#[test]
fn lines_of_all_volunteers_are_merged() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    for (target, second, message) in [
        ("x86_64", 1, "serving on 21632"),
        ("aarch64", 2, "serving on 21636"),
        ("x86_64", 3, "job 1 done"),
        ("aarch64", 4, "a \u{1b}[31mclient's\u{1b}[0m word"),
    ] {
        write(&machine, target, second, message);
    }
    assert_runs!(
        "logs",
        machine.run(&["logs"]),
        machine.run(&["logs", "--tail", "1"]),
        machine.run(&["logs", "--since", "2026-01-01T00:00:03Z"]),
        machine.run(&["logs", "aarch64", "--output", "json"]),
        machine.run(&["logs", "armv7h", "sparc"]),
    );
}

#[test]
fn following_goes_on_until_ctrl_c_which_is_no_failure() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    write(&machine, "aarch64", 1, "first");
    let arguments = ["logs", "-F", "aarch64"];
    let mut child = machine.command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "aarch64 | first");

    // Replaced: everything of its successor comes.
    machine.prepare(&["down"]);
    machine.prepare(&["up"]);
    write(&machine, "aarch64", 2, "of the successor");
    assert_eq!(lines.next().unwrap().unwrap(), "aarch64 | of the successor");
    interrupt(&child);
    let run = machine.finish(&arguments, child);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_doors_wrote_comes_only_if_it_is_asked_for() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    write(&machine, "aarch64", 1, "of the volunteer");
    for container in &mut machine.engine.state().containers {
        if container.label("farmctl.role") == Some("door") {
            container.log("2026-01-01T00:00:02.000000000Z", "of a door");
        }
    }
    assert_runs!(
        "logs-doors",
        machine.run(&["logs", "aarch64"]),
        machine.run(&["logs", "aarch64", "--doors"]),
    );
}
