//! `docs/json.md` lists every field of every document that a command prints, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::machine::Machine;

const PAGE: &str = include_str!("../../../docs/json.md");

/// The fields of each section whose name is a command's.
fn documented() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut sections: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut section = "";
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        } else if let Some(row) = line.strip_prefix("| `") {
            let field = row.split('`').next().unwrap();
            sections
                .entry(section)
                .or_default()
                .insert(field.to_owned());
        }
    }
    sections
}

/// The fields of a document, as the page writes them: `volunteers[].gcc[]`.
fn fields(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let dot = if at.is_empty() { "" } else { "." };
                fields(value, &format!("{at}{dot}{key}"), found);
            }
        }
        Value::Array(array) => {
            for value in array {
                fields(value, &format!("{at}[]"), found);
            }
        }
        _ => {
            found.insert(at.to_owned());
        }
    }
}

/// Every document that commands print, by command.
fn printed() -> BTreeMap<String, BTreeSet<String>> {
    let machine = Machine::new();
    let mut printed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut print = |arguments: &[&'static str]| {
        let run = machine.run(&[arguments, &["--output", "json"]].concat());
        // The verbs of a verb are commands as well.
        let words = if arguments[0] == "bundle" { 2 } else { 1 };
        let found = printed.entry(arguments[..words].join(" ")).or_default();
        for document in serde_json::Deserializer::from_str(&run.stdout).into_iter() {
            let document: Value = document.unwrap_or_else(|error| panic!("{error}: {run}"));
            assert_eq!(document["version"], 1, "{run}");
            fields(&document, "", found);
        }
    };
    print(&["pull"]);
    machine.write(
        "pulled.yaml",
        "image: { pull: registry.lan/farm/volunteer }\ntargets: { x86_64: {} }\n",
    );
    print(&["pull", "-f", "pulled.yaml"]);
    print(&["update"]);
    machine.write("labels.yaml", "labels: { name: value }\n");
    print(&["validate", "-f", "labels.yaml"]);
    machine.write("mistakes.yaml", "adress: auto\n");
    print(&["validate", "-f", "mistakes.yaml"]);
    // One that cannot be read has no place for its mistake.
    print(&["validate", "-f", "missing.yaml"]);
    print(&["plan"]);
    print(&["status"]);
    machine.prepare(&["up"]);
    for container in &mut machine.engine.state().containers {
        container.log("2026-01-01T00:00:00.000000000Z", "serving");
    }
    print(&["bundle", "save", "attic.bundle"]);
    print(&["bundle", "load", "attic.bundle"]);
    leave_rubbish(&machine);
    print(&["prune", "--dry-run"]);
    for verb in [
        "plan", "status", "hosts", "logs", "build", "update", "doctor",
    ] {
        print(&[verb]);
    }
    printed
}

#[test]
fn every_field_is_documented_and_the_other_way_round() {
    let (printed, documented) = (printed(), documented());
    for (verb, fields) in &printed {
        let known = documented
            .get(verb.as_str())
            .unwrap_or_else(|| panic!("{verb} is not documented"));
        assert_eq!(fields, known, "the fields of {verb}");
    }
    let verbs: Vec<_> = documented.keys().copied().collect();
    assert_eq!(
        verbs,
        printed.keys().map(String::as_str).collect::<Vec<_>>(),
        "every documented command is tried"
    );
}

/// An image and a download that no farm needs, both old.
fn leave_rubbish(machine: &Machine) {
    let mut state = machine.engine.state();
    let mut image = state.images.last().unwrap().clone();
    image.id = format!("sha256:{}", "0".repeat(64));
    image.tags = vec![format!("farmctl/armv5:{}", "0".repeat(16))];
    image.config["config"]["Labels"]["farmctl.image"] = image.tags[0].as_str().into();
    state.images.push(image);
    let download = format!(".cache/farmctl/archive/{}", "0".repeat(64));
    machine.write(&download, "old");
    let path = machine.folder.path().join(&download);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
}
