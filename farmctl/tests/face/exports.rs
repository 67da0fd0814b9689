//! The farm as files for other programs.

use std::fs;
use std::path::Path;

use crate::machine::Machine;
use crate::text::assert_runs;

const FORMATS: [&str; 5] = ["compose", "swarm", "kubernetes", "quadlet", "systemd"];

/// A machine without engine and mirror, and with this manifest, if any.
fn machine(manifest: Option<&str>) -> Machine {
    let mut machine = Machine::new();
    machine.set("DOCKER_HOST", Some("unix:///nonexistent"));
    machine.set("FARMCTL_MIRROR", Some("http://127.0.0.1:1/debian"));
    match manifest {
        Some(text) => machine.write("farm.yaml", text),
        None => fs::remove_file(machine.folder.path().join("farm.yaml")).unwrap(),
    }
    machine
}

const EVERYTHING: &str = "\
farm: attic
allow: [local, 203.0.113.0/24]
address: 10.30.5.9
restart: on-failure
stop_grace: 90s
labels: { com.example.room: \"the $attic, 50% \\\"cold\\\"\" }
targets:
  armv7h: { jobs: 4, memory: 2GiB, cpus: 2.5, nice: 10, stats: loopback, gcc: [14, 13] }
  x86_64: { stats: lan, publish: 127.0.0.1 }
  aarch64: { image: { pull: registry.example/farm/aarch64 } }
";

#[test]
fn every_format_has_the_default_farm() {
    let machine = machine(None);
    for format in FORMATS {
        let name = format!("export-{format}");
        assert_runs!(name, machine.run(&["export", format]));
    }
}

#[test]
fn every_format_has_what_a_manifest_changes() {
    let machine = machine(Some(EVERYTHING));
    for format in FORMATS {
        let name = format!("export-{format}-changed");
        assert_runs!(name, machine.run(&["export", format]));
    }
}

#[test]
fn exports_go_into_folders_and_name_images_as_wished() {
    let machine = machine(Some("targets: { armv7h: {} }\n"));
    let registry = ["--registry", "registry.example:5000/farmctl"];
    assert_runs!(
        "export-options",
        machine.run(&[["export", "swarm"], registry].concat()),
        machine.run(&["export", "systemd", "--into", "units"]),
        machine.run(&["export", "compose", "--build", ".", "--pinned"]),
    );
    let units = fs::read_dir(machine.folder.path().join("units")).unwrap();
    assert_eq!(units.count(), 4);
}

#[test]
fn a_lock_names_the_images_exactly() {
    let mut machine = Machine::new();
    machine.prepare(&["pull"]);
    machine.set("DOCKER_HOST", Some("unix:///nonexistent"));
    machine.set("FARMCTL_MIRROR", Some("http://127.0.0.1:1/debian"));
    let run = machine.run(&["export", "compose", "--pinned"]);
    assert_eq!(run.code, Some(0), "{run}");
    let images = run.stdout.lines().filter(|line| line.contains(" image: "));
    let images: Vec<_> = images.collect();
    assert_eq!(images.len(), 3, "{run}");
    for image in images {
        let (_, tag) = image.trim_end_matches('"').rsplit_once(':').unwrap();
        assert!(tag.len() == 16 && !tag.contains('$'), "{image}");
    }
}

#[test]
fn one_host_is_exported_at_a_time() {
    let hosts = "hosts: { ryzen: { address: 10.0.0.1 }, nas: { docker: ssh://nas, address: 10.0.0.2, targets: [armv7h] } }\n\
                 targets: { armv7h: {}, aarch64: {} }\n";
    let machine = machine(Some(hosts));
    assert_runs!(
        "export-hosts",
        machine.run(&["export", "compose"]),
        machine.run(&["export", "compose", "--host", "attic"]),
        machine.run(&["export", "compose", "--host", "nas"]),
    );
}

#[test]
fn what_a_format_cannot_express_is_said() {
    let machine = machine(Some(
        "network: host\naddress: 10.30.5.9\ntargets: { armv7h: {} }\n",
    ));
    assert_runs!(
        "export-host-network",
        machine.run(&["export", "compose"]),
        machine.run(&["export", "swarm"]),
        machine.run(&["export", "kubernetes"]),
    );
}

/// Cargo reads the manifest of every member, also of those that are not built.
#[test]
fn the_dockerfile_has_every_member_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (workspace, dockerfile, ignored) = (
        read("Cargo.toml"),
        read("Dockerfile"),
        read(".dockerignore"),
    );
    let members = workspace
        .lines()
        .find(|line| line.starts_with("members = "))
        .unwrap();
    let members: Vec<_> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() > 5, "{members:?}");
    for member in members {
        let top = member.split('/').next().unwrap();
        let manifest = format!("{member}/Cargo.toml");
        let whole = dockerfile.contains(&format!("COPY {top} {top}\n"))
            && ignored.contains(&format!("!{top}\n"));
        let alone = dockerfile.contains(&format!("COPY {manifest} {member}/\n"))
            && ignored.contains(&format!("!{manifest}\n"));
        assert!(whole || alone, "{member}");
    }
}

/// `UPDATE_COMPOSE=1` writes it.
#[test]
fn the_compose_file_of_the_repository_is_the_default_farm() {
    let machine = machine(None);
    let run = machine.run(&["export", "compose", "--build", ".."]);
    assert_eq!(run.code, Some(0), "{run}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose/compose.yaml");
    if std::env::var_os("UPDATE_COMPOSE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &run.stdout).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == run.stdout,
        "compose/compose.yaml is stale: UPDATE_COMPOSE=1 cargo test -p farmctl --test face compose"
    );
}
