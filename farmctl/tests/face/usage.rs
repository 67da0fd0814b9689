//! What is wrong before anything begins.

use crate::machine::Machine;
use crate::text::assert_runs;

#[test]
fn words_that_are_not_understood() {
    let machine = Machine::new();
    assert_runs!(
        "usage",
        machine.run(&["upp"]),
        machine.run(&["status", "--output", "xml"]),
        machine.run(&["logs", "--tail", "few"]),
        machine.run(&["logs", "--since", "yesterday"]),
        machine.run(&["hosts", "--jobs", "0"]),
        machine.run(&["completions"]),
    );
}

#[test]
fn a_manifest_with_mistakes() {
    let machine = Machine::new();
    machine.write(
        "farm.yaml",
        "farm: attic\nadress: auto\ntargets:\n  armv8: {}\n",
    );
    assert_runs!(
        "manifest",
        machine.run(&["up"]),
        machine.run(&["down", "-f", "missing.yaml"])
    );
}

#[test]
fn an_engine_that_is_not_there() {
    let mut machine = Machine::new();
    let nowhere = format!("unix://{}/nothing.sock", machine.folder.path().display());
    machine.set("DOCKER_HOST", Some(&nowhere));
    assert_runs!(
        "no-engine",
        machine.run(&["status"]),
        machine.run(&["up", "-q"])
    );
    machine.set("DOCKER_HOST", Some("ftp://box"));
    assert_runs!("bad-docker-host", machine.run(&["status"]));
    // Nothing listens on the discard port of this machine's last loopback address.
    machine.set("DOCKER_HOST", Some("tcp://127.255.255.254:9"));
    assert_eq!(machine.run(&["status"]).code, Some(3));
}

#[test]
fn a_manifest_is_written_and_checked() {
    let machine = Machine::new();
    let check = machine.run(&["validate"]);
    assert_eq!(check.code, Some(0), "{check}");
    machine.write("mistakes.yaml", "adress: auto\n");
    assert_runs!(
        "validate-mistakes",
        machine.run(&["validate", "-f", "mistakes.yaml"]),
        machine.run(&["validate", "-f", "mistakes.yaml", "--output", "json"]),
    );
    // What init writes depends on the machine; that it is valid, and that it spares what is there, does not.
    assert_ne!(machine.run(&["init"]).code, Some(0), "there is one");
    machine.prepare(&["init", "-f", "new.yaml"]);
    machine.prepare(&["validate", "-f", "new.yaml"]);
    let schema = machine.run(&["schema"]);
    serde_json::from_str::<serde_json::Value>(&schema.stdout).unwrap();
}
