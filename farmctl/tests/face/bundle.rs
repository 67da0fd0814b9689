//! Bundles: a farm goes through a file from one machine to another that has no network.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::engine::Fault;
use crate::machine::Machine;
use crate::text::{Run, assert_runs};

const NOWHERE: &str = "http://127.0.0.1:1/debian";

/// A machine with an engine, and nothing else.
fn bare_machine() -> Machine {
    let mut machine = Machine::new();
    fs::remove_file(machine.folder.path().join("farm.yaml")).unwrap();
    fs::remove_dir_all(machine.folder.path().join("toolchains")).unwrap();
    machine.set("FARMCTL_MIRROR", Some(NOWHERE));
    machine
}

fn carry(from: &Machine, to: &Machine) {
    let name = "attic.bundle";
    fs::copy(from.folder.path().join(name), to.folder.path().join(name)).unwrap();
}

fn bundle() -> Machine {
    let machine = Machine::new();
    machine.prepare(&["bundle", "save", "attic.bundle"]);
    machine
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| ![".cache", "engine.sock"].contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

/// Nothing was changed, neither on the disk nor on the engine.
fn assert_untouched(machine: &Machine, files: &[&str]) {
    assert_eq!(names(machine.folder.path()), files);
    assert_eq!(machine.engine.state().changes, Vec::<String>::new());
}

fn read(machine: &Machine, name: &str) -> String {
    fs::read_to_string(machine.folder.path().join(name)).unwrap()
}

#[test]
fn a_farm_moves_to_a_machine_without_a_network() {
    let here = Machine::new();
    assert_runs!(
        "bundle-save",
        here.run(&["bundle", "save", "attic.bundle"]),
        here.run(&["bundle", "save", "attic.bundle", "riscv64"]),
    );
    assert_eq!(here.engine.state().changes, Vec::<String>::new());
    let there = bare_machine();
    carry(&here, &there);
    assert_runs!(
        "bundle-load",
        there.run(&["bundle", "load", "attic.bundle"]),
        there.run(&["bundle", "load", "attic.bundle", "--output", "json"]),
    );
    for name in ["farm.yaml", "farm.lock", "toolchains/aarch64.yaml"] {
        assert_eq!(read(&there, name), read(&here, name));
    }
    assert_eq!(there.engine.state().images.len(), 2);
    fs::remove_dir_all(there.folder.path().join(".cache")).unwrap();
    there.prepare(&["up"]);
    let state = there.engine.state();
    assert_eq!(state.images.len(), 2);
    assert_eq!(state.containers.len(), 4);
}

#[test]
fn the_same_farm_gives_the_same_bundle() {
    let machine = bundle();
    machine.prepare(&["bundle", "save", "again"]);
    let read = |name: &str| fs::read(machine.folder.path().join(name)).unwrap();
    assert!(read("attic.bundle") == read("again"));
}

#[test]
fn a_farm_without_a_manifest_has_its_lock_elsewhere() {
    let here = Machine::new();
    here.prepare(&["pull"]);
    let all = bundle_of_default(&here);
    if all.code != Some(0) {
        // The archive of the tests has compilers for two targets only.
        assert!(all.stderr.contains("error: "), "{all}");
        assert_eq!(names(here.folder.path()), ["farm.lock", "toolchains"]);
    }
}

fn bundle_of_default(machine: &Machine) -> Run {
    fs::remove_file(machine.folder.path().join("farm.yaml")).unwrap();
    machine.run(&["bundle", "save", "attic.bundle", "aarch64"])
}

#[test]
fn what_is_no_whole_bundle_changes_nothing() {
    let here = bundle();
    let bytes = fs::read(here.folder.path().join("attic.bundle")).unwrap();
    let there = bare_machine();
    let put = |name: &str, bytes: &[u8]| {
        fs::write(there.folder.path().join(name), bytes).unwrap();
    };
    put("cut", &bytes[..bytes.len() / 2]);
    put("text", b"farm: attic\n");
    let mut changed = bytes.clone();
    let name = b"farmctl\0\0\0\0";
    let program = bytes.windows(name.len()).position(|part| part == name);
    changed[program.unwrap() + 5000] ^= 1;
    put("changed", &changed);
    let index = String::from_utf8_lossy(&bytes[..600]).into_owned();
    let at = index.find("\"farmctl_bundle\": 1").unwrap() + "\"farmctl_bundle\": ".len();
    let mut newer = bytes.clone();
    newer[at] = b'7';
    put("newer", &newer);
    let files = ["changed", "cut", "newer", "text"];
    assert_runs!(
        "bundle-refused",
        there.run(&["bundle", "load", "cut"]),
        there.run(&["bundle", "load", "text"]),
        there.run(&["bundle", "load", "changed"]),
        there.run(&["bundle", "load", "newer"]),
        there.run(&["bundle", "load", "none"]),
        there.run(&["bundle", "load", "."]),
    );
    assert_untouched(&there, &files);
}

#[test]
fn what_is_described_here_is_not_replaced_unasked() {
    let here = bundle();
    let there = bare_machine();
    carry(&here, &there);
    there.describe("allow: [private]\n");
    there.write("farm.lock", "another lock\n");
    let described = read(&there, "farm.yaml");
    let refused = there.run(&["bundle", "load", "attic.bundle"]);
    assert_untouched(&there, &["attic.bundle", "farm.lock", "farm.yaml"]);
    assert_eq!(read(&there, "farm.lock"), "another lock\n");
    assert_runs!(
        "bundle-existing",
        refused,
        there.run(&["bundle", "load", "attic.bundle", "--keep-manifest"]),
        there.run(&["bundle", "load", "attic.bundle", "--replace"]),
        there.run(&[
            "bundle",
            "load",
            "attic.bundle",
            "--replace",
            "--keep-manifest"
        ]),
    );
    assert_ne!(read(&there, "farm.yaml"), described);
    assert_eq!(read(&there, "farm.yaml"), read(&here, "farm.yaml"));
    assert_eq!(read(&there, "farm.lock"), read(&here, "farm.lock"));
}

#[test]
fn an_engine_that_fails_leaves_no_files() {
    let here = bundle();
    let there = bare_machine();
    carry(&here, &there);
    let full = Fault::Refuse("POST /images/load", 500, "no space left on device");
    there.engine.state().faults.push(full);
    let refused = there.run(&["bundle", "load", "attic.bundle"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(names(there.folder.path()), ["attic.bundle"]);
    let mut there = there;
    there.set("DOCKER_HOST", Some("unix:///nonexistent/engine.sock"));
    let unreachable = there.run(&["bundle", "load", "attic.bundle"]);
    assert_eq!(unreachable.code, Some(3), "{unreachable}");
    assert_eq!(names(there.folder.path()), ["attic.bundle"]);
}

/// The same program but for one byte after its end: its images would have other names.
#[test]
fn another_farmctl_does_not_load_what_it_would_not_find_but_can_install_the_right_one() {
    let here = bundle();
    let there = bare_machine();
    carry(&here, &there);
    let other = there.folder.path().join("other-farmctl");
    fs::copy(env!("CARGO_BIN_EXE_farmctl"), &other).unwrap();
    let mut file = File::options().append(true).open(&other).unwrap();
    file.write_all(b"x").unwrap();
    drop(file);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&other);
        let template = there.command(arguments);
        command.args(arguments).env_clear();
        command.envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command
            .current_dir(there.folder.path())
            .stdin(Stdio::null());
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        there.finish(arguments, child.unwrap())
    };
    let refused = run(&["bundle", "load", "attic.bundle"]);
    assert_untouched(&there, &["attic.bundle", "other-farmctl"]);
    assert_runs!(
        "bundle-program",
        refused,
        run(&["bundle", "load", "attic.bundle", "--install", "farmctl"])
    );
    let installed = there.folder.path().join("farmctl");
    let program = fs::read(&installed).unwrap();
    assert!(program == fs::read(env!("CARGO_BIN_EXE_farmctl")).unwrap());
    assert_eq!(
        fs::metadata(&installed).unwrap().permissions().mode() & 0o111,
        0o111
    );
    there.prepare(&["up"]);
}

/// No file may become longer than this: what a full disk comes to.
#[test]
fn where_there_is_no_room_nothing_is_left() {
    let machine = Machine::new();
    machine.prepare(&["pull"]);
    machine.prepare(&["build"]);
    let before = names(machine.folder.path());
    let template = machine.command(&[]);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 4000; exec \"$0\" bundle save attic.bundle",
        ])
        .arg(env!("CARGO_BIN_EXE_farmctl"))
        .env_clear()
        .envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(machine.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = machine.finish(
        &["bundle", "save", "attic.bundle"],
        command.spawn().unwrap(),
    );
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr.contains("error: cannot write attic.bundle: "),
        "{run}"
    );
    assert_eq!(names(machine.folder.path()), before);
}

#[test]
fn a_bundle_takes_no_other_files_place() {
    let machine = Machine::new();
    let run = machine.run(&["bundle", "save", "farm.yaml"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr.contains("farm.yaml is there and is no bundle"),
        "{run}"
    );
    assert!(read(&machine, "farm.yaml").starts_with("farm: attic"));
}

#[test]
fn files_from_elsewhere_cannot_be_packed() {
    let machine = Machine::new();
    let nested = machine.folder.path().join("nested");
    fs::create_dir(&nested).unwrap();
    let manifest = read(&machine, "farm.yaml").replace("toolchains: ", "toolchains: ../");
    fs::write(nested.join("farm.yaml"), manifest).unwrap();
    let run = machine.run(&["-f", "nested/farm.yaml", "bundle", "save", "attic.bundle"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr.contains("is not below the manifest's folder"),
        "{run}"
    );
    assert!(run.stderr.contains("hint: copy that folder"), "{run}");
}
