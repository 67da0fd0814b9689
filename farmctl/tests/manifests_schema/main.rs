//! The JSON Schema and the manual against what the reader accepts: all of them come from one description.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use farmctl::manifest::{self, Document};
use serde_json::{Map, Value, json};
use validator::Validator;

mod validator;

fn validator(document: Document) -> Validator {
    Validator::new(manifest::schema(document))
}

fn yaml_files(directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{directory}");
    files
}

fn read(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn assert_valid(schema: &Validator, document: &Value, name: &str) {
    let reason = schema.reason(document);
    assert!(reason.is_none(), "{name}: {}", reason.unwrap());
}

#[test]
fn it_names_its_dialect() {
    for document in [Document::Manifest, Document::TargetFile] {
        assert_eq!(
            manifest::schema(document)["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
}

#[test]
fn every_good_manifest_is_valid() {
    let schema = validator(Document::Manifest);
    for path in yaml_files("tests/manifests/good") {
        assert_valid(&schema, &read(&path), &path.display().to_string());
    }
}

#[test]
fn every_target_file_is_valid() {
    let schema = validator(Document::TargetFile);
    for path in yaml_files("../toolchains") {
        if !path.ends_with("common.yaml") {
            assert_valid(&schema, &read(&path), &path.display().to_string());
        }
    }
}

/// The manifest that has `keys` where the keys of `group` stand.
fn placed(group: &str, keys: Value) -> Value {
    match group {
        "farm" => keys,
        "host" => json!({ "hosts": { "ryzen": keys } }),
        "tls" => json!({ "hosts": { "nas": { "docker": "tcp://nas", "tls": keys } } }),
        "target" => json!({ "targets": { "aarch64": keys } }),
        "host-target" => json!({ "hosts": { "ryzen": { "targets": { "aarch64": keys } } } }),
        "image" => json!({ "image": keys }),
        "toolchain" => json!({ "targets": { "aarch64": { "toolchain": keys } } }),
        other => panic!("the test does not know where {other} stands"),
    }
}

/// Every key of a manifest as `(group, key, its schema, all examples of its group that it needs)`.
fn keys() -> Vec<(String, String, Value)> {
    let schema = manifest::schema(Document::Manifest);
    let mut groups = vec![("farm".to_owned(), &schema)];
    let inner = schema["$defs"].as_object().unwrap();
    groups.extend(inner.iter().map(|(name, group)| (name.clone(), group)));
    let mut keys = Vec::new();
    for (name, group) in groups {
        for (key, described) in group["properties"].as_object().unwrap() {
            keys.push((name.clone(), key.clone(), described.clone()));
        }
    }
    assert!(keys.len() > 40, "{keys:?}");
    keys
}

/// One key with a value, and with what must stand beside it.
fn with(group: &str, key: &str, value: Value) -> Value {
    let schema = manifest::schema(Document::Manifest);
    let described = &schema["$defs"][group];
    let mut held = Map::new();
    for required in described["required"].as_array().into_iter().flatten() {
        let name = required.as_str().unwrap();
        let example = described["properties"][name]["examples"][0].clone();
        held.insert(name.to_owned(), example);
    }
    held.insert(key.to_owned(), value);
    if (group, key) == ("host", "tls") {
        held.insert("docker".to_owned(), json!("tcp://nas"));
    }
    if group == "host"
        && (["registry", "placement"].contains(&key) || held.get("engine") == Some(&json!("swarm")))
    {
        held.entry("engine").or_insert_with(|| json!("swarm"));
        held.entry("registry")
            .or_insert_with(|| json!("registry.lan/farmctl"));
    }
    placed(group, Value::Object(held))
}

/// JSON is YAML.
fn accepts(document: &Value) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("my-toolchains")).unwrap();
    let name = folder.path().join("farm.yaml");
    manifest::parse(&document.to_string(), name.to_str().unwrap())
        .map(drop)
        .map_err(|error| error.to_string())
}

#[test]
fn the_reader_knows_every_key_and_takes_its_example() {
    let schema = validator(Document::Manifest);
    for (group, key, described) in keys() {
        let document = with(&group, &key, described["examples"][0].clone());
        assert_valid(&schema, &document, &key);
        assert_eq!(accepts(&document), Ok(()), "{document}");
    }
}

#[test]
fn a_default_that_is_written_changes_nothing() {
    let mut written = 0;
    for (group, key, described) in keys() {
        if let Some(default) = described.get("default") {
            let bare = manifest::parse(&with(&group, "jobs", json!(4)).to_string(), "farm.yaml");
            let Ok(bare) = bare else { continue };
            let mut document = with(&group, "jobs", json!(4));
            let told = with(&group, &key, default.clone());
            merge(&mut document, told);
            let told = manifest::parse(&document.to_string(), "farm.yaml").unwrap();
            assert_eq!(told, bare, "{document}");
            written += 1;
        }
    }
    assert!(written > 20, "{written}");
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[test]
fn both_refuse_nonsense_and_unknown_keys_everywhere() {
    let schema = validator(Document::Manifest);
    for (group, key, _) in keys() {
        for document in [
            with(&group, &key, json!([[]])),
            with(&group, "frobnicate", json!(1)),
        ] {
            assert!(!schema.is_valid(&document), "{document}");
            assert!(accepts(&document).is_err(), "{document}");
        }
    }
}

#[test]
fn both_agree_about_values() {
    let schema = validator(Document::Manifest);
    let cases = read(Path::new("tests/manifests_schema/values.yaml"));
    for case in cases.as_array().unwrap() {
        let [group, key] = ["group", "key"].map(|name| case[name].as_str().unwrap());
        for value in case["good"].as_array().unwrap() {
            let document = with(group, key, value.clone());
            assert!(schema.is_valid(&document), "{document}");
            assert_eq!(accepts(&document), Ok(()), "{document}");
        }
        for value in case["bad"].as_array().unwrap() {
            let document = with(group, key, value.clone());
            assert!(!schema.is_valid(&document), "{document}");
            assert!(accepts(&document).is_err(), "{document}");
        }
    }
}

#[test]
fn the_manual_says_what_the_program_prints() {
    let manual = fs::read_to_string("../docs/manifest.md").unwrap();
    let printed = manifest::reference(Document::Manifest);
    assert!(
        manual.ends_with(&printed),
        "put what `farmctl schema --output text` prints below the headline 'Every key' of docs/manifest.md"
    );
}
