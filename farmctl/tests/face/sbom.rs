//! The bill of materials: everything that the lock pins, and nothing that depends on the moment.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::machine::Machine;

fn bill(machine: &Machine, arguments: &[&str]) -> Value {
    let run = machine.run(&[&["sbom"], arguments].concat());
    assert_eq!(run.code, Some(0), "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn names(bill: &Value, kind: &str) -> BTreeSet<String> {
    let parts = bill["components"].as_array().unwrap().iter();
    let parts = parts.filter(|part| part["type"] == kind);
    parts
        .map(|part| part["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_package_of_the_lock_is_named_with_its_digest() {
    let mut machine = Machine::new();
    let all = bill(&machine, &[]);
    let lock = fs::read_to_string(machine.folder.path().join("farm.lock")).unwrap();
    let lock: Value = serde_json::from_str(&lock).unwrap();
    let mut packages = 0;
    for package in lock["packages"].as_array().unwrap() {
        let parts = all["components"].as_array().unwrap().iter();
        let named = parts.filter(|part| part["name"] == package["name"]);
        let named: Vec<_> = named.collect();
        assert_eq!(named.len(), 1, "{package}");
        assert_eq!(named[0]["version"], package["version"]);
        assert_eq!(named[0]["hashes"][0]["content"], package["sha256"]);
        packages += 1;
    }
    assert_eq!(names(&all, "library").len(), packages);
    assert_eq!(
        names(&all, "container"),
        ["farmctl/aarch64", "farmctl/x86_64"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!(names(&all, "application"), ["farmctl".to_owned()].into());

    machine.set("FARMCTL_MIRROR", Some("http://127.0.0.1:1/debian"));
    assert_eq!(bill(&machine, &[]), all, "the lock is enough");
    let one = bill(&machine, &["aarch64"]);
    assert!(names(&one, "library").is_subset(&names(&all, "library")));
    assert!(
        names(&one, "library")
            .iter()
            .any(|name| name.contains("aarch64"))
    );
    assert!(
        !names(&one, "library")
            .iter()
            .any(|name| name.contains("x86-64"))
    );
}

#[test]
fn whatever_is_referred_to_is_there() {
    let bill = bill(&Machine::new(), &[]);
    let parts = bill["components"].as_array().unwrap().iter();
    let mut known: BTreeSet<&str> = parts.filter_map(|part| part["bom-ref"].as_str()).collect();
    known.extend(bill["metadata"]["component"]["bom-ref"].as_str());
    let dependencies = bill["dependencies"].as_array().unwrap();
    let who: BTreeSet<&str> = dependencies
        .iter()
        .filter_map(|entry| entry["ref"].as_str())
        .collect();
    assert_eq!(who, known);
    for entry in dependencies {
        for needed in entry["dependsOn"].as_array().unwrap() {
            assert!(known.contains(needed.as_str().unwrap()), "{needed}");
        }
    }
}
