//! Jobs for the GCC of this machine, compared with what it does without the daemon.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use distcc_wire::{Outcome, Payload, Reply, Request};
use distccd::{Layer, Layers, ProbeError, probe};
use volunteer_toolchain::{Class, Compiler, Machine, ObjectFacts, Toolchain};

use crate::harness::{Daemon, PATIENCE, text};

const GCC: &str = "/usr/bin/gcc";
const GXX: &str = "/usr/bin/g++";

/// The GCC of this machine as a toolchain; says why not, where that is not possible.
pub(crate) fn this_machine() -> Option<Toolchain> {
    let machine = match std::env::consts::ARCH {
        "x86_64" => Machine::X86_64,
        "aarch64" => Machine::Aarch64,
        other => return skip(&format!("no expectation for objects of {other}")),
    };
    if let Some(missing) = [GCC, GXX]
        .into_iter()
        .find(|program| !Path::new(program).exists())
    {
        return skip(&format!("no {missing}"));
    }
    let version = Command::new(GCC)
        .arg("-dumpversion")
        .output()
        .expect("gcc starts");
    let major = text(&version.stdout)
        .trim()
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    Some(Toolchain {
        target: "this-machine".to_owned(),
        triples: Vec::new(),
        object: ObjectFacts {
            class: Class::Elf64,
            machine,
            attributes: BTreeMap::new(),
        },
        defaults: Vec::new(),
        compilers: vec![Compiler {
            major: major.expect("gcc has a version"),
            gcc: GCC.into(),
            gxx: GXX.into(),
        }],
        headers: true,
    })
}

/// Told past the test runner, which keeps what a passing test prints.
pub(crate) fn skip<T>(reason: &str) -> Option<T> {
    let line = format!("skipped: {reason}\n");
    io::stderr()
        .write_all(line.as_bytes())
        .expect("standard error can be written");
    None
}

/// A source, preprocessed by this machine's compiler.
struct Source {
    folder: tempfile::TempDir,
    driver: &'static str,
    options: Vec<&'static str>,
    file: &'static str,
}

impl Source {
    fn new(
        driver: &'static str,
        file: &'static str,
        options: &[&'static str],
        source: &str,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        std::fs::write(folder.path().join(file), source).expect("the directory can be written");
        Self {
            folder,
            driver,
            options: options.to_vec(),
            file,
        }
    }

    fn run(&self, words: &[&str]) -> Vec<u8> {
        let output = Command::new(self.driver)
            .current_dir(&self.folder)
            .args(&self.options)
            .args(words)
            .output();
        let output = output.expect("the compiler starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    }

    fn preprocessed(&self) -> Vec<u8> {
        self.run(&["-E", self.file])
    }

    /// What the compiler makes of the preprocessed source without the daemon.
    fn direct_object(&self, preprocessed: &[u8]) -> Vec<u8> {
        let ending = if self.driver == GXX { "ii" } else { "i" };
        let input: PathBuf = self.folder.path().join(format!("direct.{ending}"));
        std::fs::write(&input, preprocessed).expect("the directory can be written");
        self.run(&[
            "-c",
            input.to_str().expect("a plain path"),
            "-o",
            "direct.o",
        ]);
        std::fs::read(self.folder.path().join("direct.o")).expect("the compiler made an object")
    }

    fn request(&self, payload: Payload) -> Request {
        let words = [self.driver]
            .into_iter()
            .chain(self.options.iter().copied())
            .chain(["-c", self.file, "-o", "far.o"]);
        Request {
            arguments: words.map(|word| word.as_bytes().to_vec()).collect(),
            payload,
        }
    }
}

fn object(reply: Reply) -> Vec<u8> {
    match reply.outcome {
        Outcome::Compiled { object, .. } => object,
        Outcome::Failed(failure) => panic!("{failure}: {}", text(&reply.stderr)),
    }
}

const C: &str = "#include <stddef.h>\nstatic size_t twice(size_t n) { return n * 2; }\nsize_t answer(void) { return twice(21); }\n";
const CXX: &str = "#include <string>\n#include <vector>\nnamespace { std::vector<std::string> words; }\n\
    std::string first() { return words.empty() ? std::string() : words.front(); }\n";

#[tokio::test]
async fn objects_are_identical_to_those_made_without_the_daemon() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    for options in [
        &["-O2"][..],
        &["-O2", "-g"],
        &["-O0", "-g3", "-fPIC"],
        &["-O2", "-pipe", "-ffunction-sections"],
        &["-O2", "-g", "-pipe", "-flto", "-frandom-seed=x"],
    ] {
        for (driver, file, source) in [
            (GCC, "answer.c", C),
            (GXX, "answer.cc", CXX),
            (GXX, "answer.c", C),
        ] {
            let source = Source::new(driver, file, options, source);
            let preprocessed = source.preprocessed();
            let direct = source.direct_object(&preprocessed);
            for payload in [
                Payload::Plain(preprocessed.clone()),
                Payload::Lzo(preprocessed.clone()),
            ] {
                let far = object(daemon.ask(&source.request(payload)).await);
                assert!(
                    far == direct,
                    "{driver} {options:?} {file}: {} and {} bytes differ",
                    far.len(),
                    direct.len()
                );
            }
        }
    }
}

#[tokio::test]
async fn text_that_the_preprocessor_converted_is_not_converted_again() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let source = Source::new(GCC, "latin.c", &["-finput-charset=ISO-8859-1"], "");
    let latin = b"const char *umlaut = \"\xe4\";\n";
    std::fs::write(source.folder.path().join(source.file), latin).unwrap();
    source.run(&["-c", source.file, "-o", "direct.o"]);
    let direct = std::fs::read(source.folder.path().join("direct.o")).unwrap();
    let request = source.request(Payload::Lzo(source.preprocessed()));
    assert!(object(daemon.ask(&request).await) == direct);
}

#[tokio::test]
async fn errors_and_warnings_travel_back() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let source = Source::new(GCC, "odd.c", &["-Wall"], "");
    let bad = b"# 1 \"src/odd.c\"\nint odd(void) { return missing; }\n".to_vec();
    let reply = daemon.ask(&source.request(Payload::Lzo(bad))).await;
    assert!(
        matches!(reply.outcome, Outcome::Failed(failure) if failure.exit_code().is_some_and(|code| code == 1))
    );
    assert!(
        text(&reply.stderr).contains("src/odd.c:1:"),
        "{}",
        text(&reply.stderr)
    );
    let odd = b"# 1 \"src/odd.c\"\nstatic int unused;\n".to_vec();
    let reply = daemon.ask(&source.request(Payload::Lzo(odd))).await;
    assert!(
        text(&reply.stderr).contains("src/odd.c:1:12: warning:"),
        "{}",
        text(&reply.stderr)
    );
    object(reply);
    // The source has the same name, and is not the file whose line a compiler would show.
    let odd = b"# 1 \"odd.c\"\nstatic int unused;\n".to_vec();
    let reply = daemon.ask(&source.request(Payload::Lzo(odd))).await;
    assert!(
        !text(&reply.stderr).contains("# 1"),
        "{}",
        text(&reply.stderr)
    );
}

#[tokio::test]
async fn a_preprocessed_source_is_not_preprocessed_again() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    for options in [&[][..], &["-x", "c"], &["-x", "c++"]] {
        let source = Source::new(GCC, "leak.c", options, "");
        let leak = b"#include \"/etc/passwd\"\n".to_vec();
        let reply = daemon.ask(&source.request(Payload::Lzo(leak))).await;
        assert!(matches!(reply.outcome, Outcome::Failed(_)));
        assert!(
            !text(&reply.stderr).contains("root:"),
            "{}",
            text(&reply.stderr)
        );
    }
}

#[tokio::test]
async fn no_source_text_makes_a_compiler_read_files_of_the_volunteer() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let reads = [
        ("asm(\".incbin \\\"/etc/passwd\\\"\");\n", true),
        ("asm(\".include \\\"/etc/passwd\\\"\");\n", true),
        ("asm(\".incbin \\\"/proc/self/environ\\\"\");\n", true),
        ("#include \"/proc/self/environ\"\n", false),
    ];
    let open = Daemon::start_with(toolchain.clone(), |settings| {
        settings.sandbox = Layers::ALL.without(Layer::Landlock);
    });
    let closed = Daemon::start_with(toolchain, |_settings| {});
    for (text_of_source, by_assembler) in reads {
        let source = Source::new(GCC, "leak.c", &["-O1"], "");
        let request = source.request(Payload::Lzo(text_of_source.as_bytes().to_vec()));
        let reply = closed.ask(&request).await;
        let said = text(&reply.stderr);
        assert!(
            matches!(reply.outcome, Outcome::Failed(_)),
            "{text_of_source}"
        );
        assert!(!said.contains("root:"), "{said}");
        let not_there = |said: &str| said.contains("not found") || said.contains("can't open");
        if by_assembler {
            assert!(not_there(&said), "{said}");
            let said = text(&open.ask(&request).await.stderr);
            assert!(!not_there(&said), "without the layer: {said}");
        } else {
            assert!(said.contains("leak.c:1:"), "{said}");
        }
    }
}

#[tokio::test]
async fn assembler_text_is_what_was_asked_for() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let mut request =
        Source::new(GCC, "text.c", &[], "").request(Payload::Lzo(b"int text;\n".to_vec()));
    request.arguments.push(b"-S".to_vec());
    assert!(text(&object(daemon.ask(&request).await)).contains("text.c"));
}

#[tokio::test]
async fn a_working_volunteer_passes_the_probe() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let expected = toolchain.object.clone();
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let report = probe(daemon.address, &expected, PATIENCE).await.unwrap();
    assert_eq!(report.object, expected);
}

#[tokio::test]
async fn a_probe_tells_what_is_wrong() {
    let Some(toolchain) = this_machine() else {
        return;
    };
    let mut other = toolchain.object.clone();
    other.machine = Machine::Riscv;
    let mut without = toolchain.clone();
    without.compilers[0].gxx = "/bin/false".into();
    let working = Daemon::start_with(toolchain.clone(), |_settings| {});
    let wrong = probe(working.address, &other, PATIENCE).await.unwrap_err();
    assert!(
        matches!(wrong, ProbeError::WrongObject { language: "C", .. }),
        "{wrong}"
    );
    let late = probe(working.address, &toolchain.object, Duration::ZERO)
        .await
        .unwrap_err();
    assert!(matches!(late, ProbeError::Late(_)), "{late}");
    let broken = Daemon::start_with(without, |_settings| {});
    let failed = probe(broken.address, &toolchain.object, PATIENCE)
        .await
        .unwrap_err();
    assert!(
        matches!(
            failed,
            ProbeError::Failed {
                language: "C++",
                ..
            }
        ),
        "{failed}"
    );
    broken.shutdown.finish();
    broken.task.await.unwrap();
    let absent = probe(broken.address, &toolchain.object, PATIENCE)
        .await
        .unwrap_err();
    assert!(matches!(absent, ProbeError::Connect { .. }), "{absent}");
}
