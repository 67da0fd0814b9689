//! Manifests as people write them, right and wrong, from files to farms and diagnostics.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use farmctl::farm::{
    Architecture, Farm, GccSource, GccSources, Origin, Packages, Target, Volunteer,
};
use farmctl::manifest::{self, Position};
use proptest::prelude::*;

/// The YAML files directly in a directory beside this file, ordered by name; paths start at the package's root, where
/// tests run.
fn manifests(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new("tests/manifests").join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn snapshot_name(kind: &str, path: &Path) -> String {
    format!("{kind}-{}", path.file_stem().unwrap().to_str().unwrap())
}

#[test]
fn good_manifests_mean_these_farms() {
    for path in manifests("good") {
        let farm = manifest::load(&path).unwrap_or_else(|error| panic!("{error}"));
        insta::assert_snapshot!(snapshot_name("good", &path), describe(&farm));
    }
}

#[test]
fn bad_manifests_get_these_diagnostics() {
    for path in manifests("bad") {
        let Err(error) = manifest::load(&path) else {
            panic!("{} is accepted", path.display());
        };
        insta::assert_snapshot!(snapshot_name("bad", &path), error);
    }
}

fn describe(farm: &Farm) -> String {
    let allow: Vec<String> = farm.allow.rules().iter().map(ToString::to_string).collect();
    let mut text = format!(
        "farm {} allows {}, mirror {:?}\n",
        farm.name,
        allow.join(" "),
        farm.mirror
    );
    for host in &farm.hosts {
        writeln!(
            text,
            "host {} {:?} at {}",
            host.name, host.docker, host.address
        )
        .unwrap();
        if let Some(swarm) = &host.swarm {
            let placement: Vec<_> = swarm.placement.iter().map(ToString::to_string).collect();
            writeln!(
                text,
                "  a swarm of {} with images in {}",
                placement.join(", "),
                swarm.registry
            )
            .unwrap();
        }
        for volunteer in &host.volunteers {
            writeln!(text, "  {}", describe_volunteer(volunteer)).unwrap();
        }
    }
    text
}

fn describe_volunteer(volunteer: &Volunteer) -> String {
    let gcc: Vec<String> = volunteer.gcc.iter().map(ToString::to_string).collect();
    let shown = |limit: Option<String>| limit.unwrap_or_else(|| "-".to_owned());
    let mut text = format!(
        "{} on {} with gcc {}, slots {}, cpus {}, memory {}, nice {}, {} {:?}, restart {}, grace {}, stats {}, {:?}",
        volunteer.target.name,
        volunteer.target.port,
        gcc.join(" "),
        shown(volunteer.slots.map(|slots| slots.to_string())),
        shown(volunteer.cpus.map(|cpus| cpus.to_string())),
        shown(volunteer.memory.map(|memory| memory.to_string())),
        volunteer.nice.increment(),
        volunteer.network,
        volunteer.publish,
        volunteer.restart,
        volunteer.stop_grace,
        volunteer.stats,
        volunteer.image,
    );
    for (name, value) in &volunteer.labels {
        write!(text, ", {name}={value}").unwrap();
    }
    for version in &volunteer.gcc {
        for (host, source) in volunteer.target.gcc[version].iter() {
            if let Origin::Archive(archive) = &source.origin {
                write!(
                    text,
                    "\n    {version} on {host} is {} by {archive:#?}",
                    source.gcc_path.display()
                )
                .unwrap();
            }
        }
    }
    text
}

/// A manifest that names every target there is.
const EVERY_TARGET: &str = "targets: { x86_64: {}, armv5: {}, armv6h: {}, armv7h: {}, aarch64: {}, riscv64: {}, i686: {} }";

#[test]
fn the_built_in_targets_are_these() {
    let farm = manifest::parse(EVERY_TARGET, "farm.yaml").unwrap();
    let targets: Vec<String> = farm.hosts[0]
        .volunteers
        .iter()
        .map(|volunteer| describe_target(&volunteer.target))
        .collect();
    insta::assert_snapshot!(targets.join("\n"));
}

fn packages(source: &GccSource) -> &Packages {
    match &source.origin {
        Origin::Packages(packages) => packages,
        Origin::Archive(archive) => panic!("{archive:?}"),
    }
}

fn describe_target(target: &Target) -> String {
    let mut text = format!(
        "{} ({}) on {} for {}\n  triples {}\n  options {}\n  objects {:?} {:?} {:?}\n",
        target.name,
        target.aliases.join(" "),
        target.port,
        target.carch,
        target.triples.join(" "),
        target.defaults.join(" "),
        target.object.class,
        target.object.machine,
        target.object.attributes,
    );
    for (version, sources) in &target.gcc {
        let default = if *version == target.default_gcc {
            " (default)"
        } else {
            ""
        };
        for (host, source) in sources.iter() {
            let packages = packages(source);
            writeln!(
                text,
                "  gcc {version}{default} on {host} from {}: {}\n    headers {}\n    {}\n    {}",
                packages.suite.as_str(),
                packages.packages.join(" "),
                packages.headers.join(" "),
                source.gcc_path.display(),
                source.gxx_path.display(),
            )
            .unwrap();
        }
    }
    text
}

#[test]
fn boards_with_the_same_compilers_get_the_same_packages() {
    let farm = manifest::parse("targets: { armv6h: {}, armv7h: {} }", "farm.yaml").unwrap();
    let [armv6h, armv7h] = farm.hosts[0].volunteers.as_slice() else {
        panic!("not two volunteers")
    };
    assert_eq!(armv6h.target.gcc, armv7h.target.gcc);
}

#[test]
fn headers_and_libraries_are_left_out() {
    let farm = manifest::parse("", "farm.yaml").unwrap();
    for volunteer in &farm.hosts[0].volunteers {
        let sources = volunteer.target.gcc.values();
        for (_host, source) in sources.flat_map(GccSources::iter) {
            for pattern in ["libstdc++-*-dev", "libc6-dev", "*-cross"] {
                assert!(
                    packages(source)
                        .leave_out
                        .iter()
                        .any(|known| known == pattern)
                );
            }
        }
    }
}

#[test]
fn headers_come_where_they_are_asked_for() {
    let text =
        "targets: { x86_64: { headers: true, gcc: 12 }, armv6h: { headers: false }, armv5: {} }";
    let farm = manifest::parse(text, "farm.yaml").unwrap();
    let volunteers = farm.hosts[0].volunteers.iter();
    let told: Vec<_> = volunteers
        .map(|volunteer| {
            let source = volunteer
                .target
                .gcc_on(Architecture::Amd64, volunteer.gcc[0]);
            let headers = &packages(source.unwrap()).headers;
            (
                volunteer.target.name.to_string(),
                volunteer.headers,
                headers.join(" "),
            )
        })
        .collect();
    let cross = |name: &str| {
        format!(
            "libstdc++-14-dev-{name}-cross libgcc-14-dev-{name}-cross libc6-dev-{name}-cross linux-libc-dev-{name}-cross linux-libc-dev"
        )
    };
    let native = "libstdc++-12-dev libgcc-12-dev libc6-dev linux-libc-dev".to_owned();
    let expected = [
        ("x86_64".to_owned(), true, native),
        ("armv5".to_owned(), false, cross("armel")),
        ("armv6h".to_owned(), false, cross("armhf")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_farm_has_by_default_what_boards_are_made_of() {
    let farm = manifest::parse("", "farm.yaml").unwrap();
    let targets = farm.hosts[0].volunteers.iter();
    let names: Vec<_> = targets.map(|one| one.target.name.as_str()).collect();
    assert_eq!(names, ["x86_64", "armv5", "armv6h", "armv7h", "aarch64"]);
}

#[test]
fn every_file_of_toolchains_is_built_in() {
    let farm = manifest::parse(EVERY_TARGET, "farm.yaml").unwrap();
    let mut built_in: Vec<String> = farm.hosts[0]
        .volunteers
        .iter()
        .map(|volunteer| format!("{}.yaml", volunteer.target.name))
        .chain(["common.yaml".to_owned()])
        .collect();
    built_in.sort();
    let mut files: Vec<String> = fs::read_dir("../toolchains")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, built_in);
}

#[test]
fn the_shipped_directory_may_be_named() {
    assert_eq!(
        manifest::parse("toolchains: ../toolchains", "farm.yaml").unwrap(),
        manifest::parse("", "farm.yaml").unwrap()
    );
}

#[test]
fn without_a_file_the_farm_is_the_one_of_an_empty_file() {
    let nowhere = Path::new("tests/manifests/good/nowhere.yaml");
    assert_eq!(
        manifest::load(nowhere).unwrap(),
        manifest::parse("", "farm.yaml").unwrap()
    );
    let error = manifest::load_existing(nowhere).unwrap_err();
    assert_eq!(
        error.diagnostics()[0].message(),
        "tests/manifests/good/nowhere.yaml does not exist"
    );
}

#[test]
fn a_directory_beside_the_manifest_adds_targets() {
    let dir = tempfile::tempdir().unwrap();
    let beside = dir.path().join("toolchains");
    fs::create_dir(&beside).unwrap();
    fs::copy(
        "tests/manifests/good/more-toolchains/i686.yaml",
        beside.join("i686.yaml"),
    )
    .unwrap();
    let path = dir.path().join("farm.yaml");
    fs::write(&path, "targets: { x86: {} }\n").unwrap();
    let farm = manifest::load(&path).unwrap();
    assert_eq!(farm.hosts[0].volunteers[0].target.name.as_str(), "i686");
}

#[test]
fn files_that_are_no_text_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("farm.yaml");
    fs::write(&path, [0xff, 0xfe, b'f', 0]).unwrap();
    for (path, message) in [
        (
            path.as_path(),
            "is not UTF-8 text: line 1 holds the byte 0xff",
        ),
        (dir.path(), "is a directory"),
    ] {
        let error = manifest::load(path).unwrap_err();
        let shown = error.to_string();
        assert!(
            shown.starts_with("error: ") && shown.contains(message),
            "{shown}"
        );
        assert!(error.diagnostics()[0].hint().is_some());
        assert_eq!(error.diagnostics()[0].position(), None);
    }
}

#[test]
fn a_diagnostic_knows_its_place_and_what_to_do() {
    let error = manifest::parse(
        "farm: ä\nhosts: { 'ü': {}, ryzen: { job: 4 } }\n",
        "farm.yaml",
    )
    .unwrap_err();
    let found: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|diagnostic| (diagnostic.position().unwrap(), diagnostic.message()))
        .collect();
    let place = |line, column| Position {
        file: "farm.yaml".to_owned(),
        line,
        column,
    };
    assert_eq!(
        found,
        [
            (place(1, 7), "'ä' is not allowed in a name".to_owned()),
            (place(2, 10), "'ü' is not allowed in a name".to_owned()),
            (place(2, 28), "unknown key 'job'".to_owned()),
        ]
    );
    assert_eq!(
        error.diagnostics()[2].hint().as_deref(),
        Some("did you mean jobs?")
    );
}

#[test]
fn colours_change_nothing_but_colours() {
    let error = manifest::parse("job: 4\n", "farm.yaml").unwrap_err();
    let coloured = error.coloured();
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(
        anstream::adapter::strip_str(&coloured).to_string(),
        error.to_string()
    );
}

#[test]
fn windows_line_ends_and_byte_order_marks_are_no_mistake() {
    let farm = manifest::parse(
        "\u{feff}farm: attic\r\ntargets:\r\n  armv7h: {}\r\n",
        "farm.yaml",
    )
    .unwrap();
    assert_eq!(farm.name.as_str(), "attic");
}

/// Text that is nearly a manifest, so that arbitrary mistakes reach every part of the reader.
fn almost_a_manifest() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "farm",
            "allow",
            "address",
            "mirror",
            "hosts",
            "targets",
            "docker",
            "toolchain",
            "image",
            "pull",
            "labels",
            "cpus",
            "stats",
            "publish",
            "jobs",
            "gcc",
            "memory",
            "nice",
            "port",
            "armv7h",
            "armhf",
            "aarch64",
            "local",
            "private",
            "auto",
            "16GiB",
            "[16, 14]",
            "{}",
            "[",
            "]",
            "{",
            "}",
            "&a",
            "*a",
            "-",
            "!t",
            "'",
            "\"",
            "~",
            "-1",
            "99999999999999999999999999999999999999999",
            "# c",
            "\u{e4}",
            "\u{1b}",
            "\u{2028}",
            "\u{85}",
            "\r",
            "\t",
            "|",
            ">",
            "?",
            "%",
            "---",
            "...",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    let gap = prop::sample::select(vec![": ", "\n", "\n  ", ", ", " ", ":\n    ", ""]);
    prop::collection::vec((word, gap), 0..40)
        .prop_map(|parts| parts.into_iter().map(|(word, gap)| word + gap).collect())
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in prop_oneof![any::<String>(), almost_a_manifest()]) {
        if let Err(error) = manifest::parse(&text, "farm.yaml") {
            prop_assert!(!error.diagnostics().is_empty());
            let lines = text.lines().count().max(1);
            for diagnostic in error.diagnostics() {
                if let Some(position) = diagnostic.position() {
                    prop_assert!(position.line <= lines + 1, "{position:?}");
                }
            }
            prop_assert!(error.to_string().starts_with("error: "));
            prop_assert!(!error.coloured().is_empty());
        }
    }
}
