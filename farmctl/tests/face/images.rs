//! Images: built, fetched, renewed, and cleared away.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use farmctl::image::Lease;
use serde_json::Value;

use crate::engine::Container;
use crate::machine::Machine;
use crate::text::assert_runs;

#[test]
fn a_build_starts_nothing() {
    let machine = Machine::new();
    assert_runs!(
        "build",
        machine.run(&["build", "aarch64"]),
        machine.run(&["build"]),
        machine.run(&["build", "--output", "json"]),
        machine.run(&["build", "riscv64"]),
    );
    assert!(machine.engine.state().containers.is_empty());
    assert_eq!(machine.engine.state().images.len(), 2);
    let loads = loads(&machine);
    machine.prepare(&["up"]);
    assert_eq!(self::loads(&machine), loads, "up has nothing to load");
}

#[test]
fn a_build_into_files_asks_no_engine() {
    let mut machine = Machine::new();
    machine.set("DOCKER_HOST", Some("unix:///nonexistent"));
    assert_runs!(
        "build-files",
        machine.run(&["build", "--output-archive", "images.tar"]),
        machine.run(&["build", "aarch64", "--layers", "image"]),
        machine.run(&["build", "aarch64", "--layers", "image"]),
        machine.run(&["build", "--layers", "image"]),
    );
    let folder = machine.folder.path();
    assert!(folder.join("image/daemon/usr/bin/distccd").is_file());
    let archive = File::open(folder.join("images.tar")).unwrap();
    let mut archive = tar::Archive::new(archive);
    let names = archive.entries().unwrap();
    let names = names.map(|entry| entry.unwrap().path().unwrap().into_owned());
    assert!(
        names
            .into_iter()
            .any(|name| name == Path::new("manifest.json"))
    );
}

fn loads(machine: &Machine) -> usize {
    let state = machine.engine.state();
    let loads = state.changes.iter();
    loads.filter(|call| call.contains("/images/load")).count()
}

#[test]
fn what_was_pulled_needs_no_network_any_more() {
    let mut machine = Machine::new();
    assert_runs!(
        "pull",
        machine.run(&["pull", "x86_64"]),
        machine.run(&["pull"]),
        machine.run(&["pull"]),
    );
    assert_eq!(machine.engine.state().changes, Vec::<String>::new());
    let document = json(&machine, &["pull", "--output", "json"]);
    let files = document["files"].as_array().unwrap();
    assert_eq!(document["version"], 1);
    assert!(
        files.iter().all(|file| file["fetched"] == false),
        "{files:?}"
    );
    assert!(
        files.iter().any(|file| file["name"] == "libc6"),
        "{files:?}"
    );

    machine.set("FARMCTL_MIRROR", Some("http://127.0.0.1:1/debian"));
    machine.prepare(&["up"]);
}

#[test]
fn an_image_of_a_registry_is_pulled_by_the_engine() {
    let machine = Machine::new();
    machine.write(
        "farm.yaml",
        "farm: attic\naddress: 127.0.0.1\ntoolchains: toolchains\n\
         targets:\n  aarch64: { image: { pull: registry.example/aarch64 } }\n",
    );
    let run = machine.run(&["pull"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr
            .contains("pull image registry.example/aarch64:latest: "),
        "{run}"
    );
    assert!(
        run.stderr.contains("the fake engine reaches no registry"),
        "{run}"
    );
}

#[test]
fn an_update_tells_what_changes() {
    let machine = Machine::new();
    machine.prepare(&["pull"]);
    let current = fs::read_to_string(lock(&machine)).unwrap();
    let old = outdated(&current);
    machine.write("farm.lock", &old);
    assert_runs!(
        "update",
        machine.run(&["update", "--check"]),
        machine.run(&["update", "--check", "--output", "json"]),
        machine.run(&["update", "aarch64", "--check", "--quiet"]),
        machine.run(&["update", "riscv64"]),
    );
    assert_eq!(fs::read_to_string(lock(&machine)).unwrap(), old);
    assert_runs!(
        "update-written",
        machine.run(&["update"]),
        machine.run(&["update"]),
        machine.run(&["update", "--check", "--output", "json"]),
    );
    assert_eq!(fs::read_to_string(lock(&machine)).unwrap(), current);
}

#[test]
fn a_damaged_lock_is_replaced_by_an_update() {
    let machine = Machine::new();
    machine.write("farm.lock", "{");
    let refused = machine.run(&["pull"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("farmctl update"), "{refused}");
    machine.prepare(&["update"]);
    machine.prepare(&["pull"]);
}

/// The same lock as it might have been earlier: the C library older, a library gone that came later.
fn outdated(lock: &str) -> String {
    let mut document: Value = serde_json::from_str(lock).unwrap();
    let mut renamed = String::new();
    for package in document["packages"].as_array_mut().unwrap() {
        if package["name"] == "libc6" {
            renamed = format!("libc6={}", package["version"].as_str().unwrap());
            package["version"] = "2.40".into();
        }
    }
    for toolchain in document["toolchains"].as_array_mut().unwrap() {
        let packages = toolchain["packages"].as_array_mut().unwrap();
        packages.retain(|package| !package.as_str().unwrap().starts_with("libgmp10="));
        for package in packages {
            if *package == renamed {
                *package = "libc6=2.40".into();
            }
        }
    }
    let packages = document["packages"].as_array_mut().unwrap();
    packages.retain(|package| package["name"] != "libgmp10");
    serde_json::to_string_pretty(&document).unwrap()
}

#[test]
fn nothing_goes_that_a_farm_uses() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    let first = tags(&machine);
    change_target(&machine);
    // Doors live on with the image that they were made of, and keep it.
    remove_doors(&machine);
    machine.prepare(&["up"]);
    let second = tags(&machine);
    assert_eq!((first.len(), second.len()), (2, 3));
    age(&cache(&machine));
    let files = files(&cache(&machine));

    assert_runs!("prune-dry", machine.run(&["prune", "--dry-run"]));
    assert_eq!(tags(&machine), second);
    assert_eq!(self::files(&cache(&machine)), files);

    assert_runs!("prune", machine.run(&["prune"]), machine.run(&["prune"]));
    let left = tags(&machine);
    let running = running_images(&machine);
    assert_eq!(left.len(), 2);
    assert!(
        running.iter().all(|image| left.contains(image)),
        "{running:?} {left:?}"
    );
    let plan = machine.run(&["plan", "--exit-code"]);
    assert_eq!(plan.code, Some(0), "{plan}");

    let mut offline = machine;
    offline.set("FARMCTL_MIRROR", Some("http://127.0.0.1:1/debian"));
    offline.prepare(&["down"]);
    offline.engine.state().images.clear();
    offline.prepare(&["up"]);
}

#[test]
fn another_farms_images_stay_until_its_lock_is_gone() {
    let machine = Machine::new();
    machine.prepare(&["build", "x86_64"]);
    let manifest = fs::read_to_string(machine.folder.path().join("farm.yaml")).unwrap();
    let other = machine.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let manifest = manifest
        .replace("farm: attic", "farm: cellar")
        .replace("toolchains: toolchains", "toolchains: ../toolchains")
        .replace("  x86_64: {}\n", "");
    fs::write(other.join("farm.yaml"), manifest).unwrap();
    machine.prepare(&["-f", "other/farm.yaml", "build"]);
    machine.prepare(&["update"]);
    let built = tags(&machine);
    assert_eq!(built.len(), 2);
    fs::remove_file(lock(&machine)).unwrap();
    change_target(&machine);
    age(&cache(&machine));
    machine.prepare(&["prune"]);
    assert_eq!(tags(&machine).len(), 1, "only the other farm's is left");

    fs::remove_file(other.join("farm.lock")).unwrap();
    age(&cache(&machine));
    let document = json(&machine, &["prune", "--output", "json"]);
    assert_eq!(
        (&document["version"], &document["dry_run"]),
        (&1.into(), &false.into())
    );
    assert_eq!(document["images"].as_array().unwrap().len(), 1);
    assert_eq!(tags(&machine), Vec::<String>::new());
    let downloads = files(&cache(&machine).join("archive"));
    assert_eq!(downloads, Vec::<PathBuf>::new());
}

#[test]
fn what_others_named_and_what_was_touched_a_moment_ago_stays() {
    let machine = Machine::new();
    machine.prepare(&["build"]);
    for image in &mut machine.engine.state().images {
        image.tags.push("mine:1".to_owned());
    }
    fs::remove_file(lock(&machine)).unwrap();
    let before = files(&cache(&machine).join("archive"));
    let document = json(&machine, &["prune", "--output", "json"]);
    assert_eq!(document["images"].as_array().unwrap().len(), 2);
    assert_eq!(tags(&machine), ["mine:1", "mine:1"]);
    assert_eq!(files(&cache(&machine).join("archive")), before);
}

#[test]
fn nothing_goes_while_somebody_is_at_work() {
    let machine = Machine::new();
    machine.prepare(&["build"]);
    fs::remove_file(lock(&machine)).unwrap();
    age(&cache(&machine));
    let before = (tags(&machine), files(&cache(&machine)));
    let at_work = Lease::shared(&cache(&machine)).unwrap();
    assert_runs!("prune-busy", machine.run(&["prune"]));
    assert_eq!((tags(&machine), files(&cache(&machine))), before);
    drop(at_work);
    machine.prepare(&["prune"]);
    assert_eq!(tags(&machine), Vec::<String>::new());
}

#[test]
fn downloads_stay_where_a_known_lock_cannot_be_read() {
    let machine = Machine::new();
    machine.prepare(&["build"]);
    let before = files(&cache(&machine).join("archive"));
    let other = machine.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let manifest = fs::read_to_string(machine.folder.path().join("farm.yaml")).unwrap();
    let manifest = manifest.replace("toolchains: toolchains", "toolchains: ../toolchains");
    fs::write(other.join("farm.yaml"), manifest).unwrap();
    fs::write(lock(&machine), "{").unwrap();
    age(&cache(&machine));
    let run = machine.run(&["-f", "other/farm.yaml", "prune"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stderr.contains("warning: no download is removed"),
        "{run}"
    );
    assert_eq!(files(&cache(&machine).join("archive")), before);
    assert_eq!(tags(&machine).len(), 2, "a known lock names them");
}

fn json(machine: &Machine, arguments: &[&str]) -> Value {
    let run = machine.run(arguments);
    assert_eq!(run.code, Some(0), "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// One more triple makes another image.
fn change_target(machine: &Machine) {
    let path = machine.folder.path().join("toolchains/aarch64.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("triples: [", "triples: [aarch64-changed, "),
    )
    .unwrap();
}

fn tags(machine: &Machine) -> Vec<String> {
    let state = machine.engine.state();
    let tags = state.images.iter().flat_map(|image| image.tags.clone());
    let mut tags: Vec<_> = tags.collect();
    tags.sort();
    tags
}

fn running_images(machine: &Machine) -> Vec<String> {
    let state = machine.engine.state();
    let images = state.containers.iter();
    let images = images.map(|container| container.body["Image"].as_str().unwrap().to_owned());
    images.collect()
}

fn lock(machine: &Machine) -> PathBuf {
    machine.folder.path().join("farm.lock")
}

fn cache(machine: &Machine) -> PathBuf {
    machine.folder.path().join(".cache/farmctl")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// As if nobody had used the cache for a day.
fn age(folder: &Path) {
    let yesterday = SystemTime::now() - Duration::from_hours(24);
    for path in files(folder) {
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(yesterday).unwrap();
    }
}

fn remove_doors(machine: &Machine) {
    let is_door = |container: &Container| container.label("farmctl.role") == Some("door");
    let mut state = machine.engine.state();
    for door in state.containers.iter_mut().filter(|one| is_door(one)) {
        door.stop();
    }
    state.containers.retain(|one| !is_door(one));
}
