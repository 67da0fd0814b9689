//! Pump mode: over loopback with this machine's GCC and headers, and by the stock client.

mod project;
mod refused;
mod stock;

use distcc_wire::{Limits, Outcome, Reply, Request};
use memchr::memmem;
use volunteer_toolchain::Toolchain;

use crate::compilers::this_machine;
use crate::harness::{Daemon, text};
use project::Project;

/// The toolchain of this machine under the name by which stock clients of it ask.
fn toolchain() -> Option<Toolchain> {
    let mut toolchain = this_machine()?;
    toolchain.triples = vec!["x86_64-linux-gnu".to_owned()];
    Some(toolchain)
}

/// What the stock client sends for `gcc -O1 -Iincl -MMD -MF a.d -c src/a.c -o a.o` in `/w/p`, where `incl` is a link.
fn captured() -> Request {
    let digits: String = include_str!("../../../../wire/tests/golden/v3-request.hex")
        .split_whitespace()
        .collect();
    let bytes = hex::decode(digits).expect("hexadecimal digits");
    Request::decode(&bytes, &Limits::default()).expect("a request")
}

fn compiled(reply: Reply) -> (Vec<u8>, String) {
    match reply.outcome {
        Outcome::Compiled {
            object,
            dependencies,
        } => (object, text(&dependencies)),
        Outcome::Failed(failure) => panic!("{failure}: {}", text(&reply.stderr)),
    }
}

#[tokio::test]
async fn a_captured_request_is_compiled() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let (object, dependencies) = compiled(daemon.ask(&captured()).await);
    assert!(object.starts_with(b"\x7fELF"));
    assert_eq!(dependencies, "a.o: src/a.c incl/foo.h\n");
    assert!(daemon.jobs().is_empty());
}

/// A project with headers in several places.
fn project() -> Project {
    let project = Project::new("w/my project");
    project.file(
        "src/a.c",
        concat!(
            "#include <stddef.h>\n#include <stdio.h>\n#include \"b.h\"\n#include \"empty.h\"\n",
            "const char *here = __FILE__;\nint main(void) { puts(WHERE); return B; }\n",
        ),
    );
    project.file(
        "inc/b.h",
        "#define B 3\n#define WHERE __FILE__\n#include \"deep/c.h\"\n",
    );
    project.file(
        "inc/deep/c.h",
        "static inline int c(void) { return __LINE__; }\n",
    );
    project.file("inc/empty.h", "");
    project.file("force.h", "const char *forced = __FILE__;\n");
    project.file("src/w.c", "int f(void) { int unused; return 1 / 0; }\n");
    project.file(
        "src/a.cc",
        "#include <vector>\n#include \"b.h\"\nint f() { return std::vector<int>(B)[0]; }\n",
    );
    project.link("linked", "inc");
    project
}

/// Objects, assembler text, dependencies and messages are those of the client's own compiler, byte for byte.
#[tokio::test]
async fn results_are_the_same_as_on_the_client() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let project = project();
    let commands = [
        "gcc -O2 -Iinc -MMD -MF OUT.d -c src/a.c -o OUT -MT a.o",
        "gcc -g -Iinc -MD -MF OUT.d -c src/a.c -o OUT -MT a.o",
        "gcc -g3 -O1 -I ROOT/inc -MMD -MP -MF OUT.d -c ROOT/src/a.c -o OUT -MT ROOT/a.o",
        "gcc -g -Ilinked -MMD -MF OUT.d -MT x -MQ $y -c src/a.c -o OUT",
        "gcc -g -Isrc/../inc -include force.h -MMD -MF OUT.d -c src/../src/a.c -o OUT -MT a.o",
        "gcc -g -iquote ROOT/inc -include ROOT/force.h -MMD -MF OUT.d -c src/a.c -o OUT -MT a.o",
        "gcc -S -fverbose-asm -dA -g -I ROOT/inc -MMD -MF OUT.d -c ROOT/src/a.c -o OUT -MT a.s",
        "gcc -g -ffile-prefix-map=ROOT=/built -I ROOT/inc -MMD -MF OUT.d -c ROOT/src/a.c -o OUT -MT a.o",
        "gcc -g -fdebug-prefix-map=ROOT/src=. -fmacro-prefix-map=/usr=U -Iinc -MMD -MF OUT.d -c ROOT/src/a.c -o OUT -MT a.o",
        "gcc -frecord-gcc-switches -grecord-gcc-switches -g -I ROOT/inc -MMD -MF OUT.d -c src/a.c -o OUT -MT a.o",
        "gcc -Wall -Wextra -MMD -MF OUT.d -c src/w.c -o OUT -MT w.o",
        "gcc -Wall -fdiagnostics-color=always -MMD -MF OUT.d -c ROOT/src/w.c -o OUT -MT w.o",
        "gcc -Wall -Wmissing-include-dirs -Werror=missing-include-dirs -Iempty -I ROOT/void -MMD -MF OUT.d -c src/w.c -o OUT -MT w.o",
        "g++ -g -O1 -Iinc -MMD -MF OUT.d -c src/a.cc -o OUT -MT a.o",
        "gcc -x c++ -g -Iinc -MMD -MF OUT.d -c src/a.cc -o OUT -MT a.o",
    ];
    for directory in ["empty", "void"] {
        project.directory(directory);
    }
    for command in commands {
        let reply = daemon.ask(&project.request(command)).await;
        let local = project.compile(command);
        assert_eq!(text(&reply.stderr), local.stderr, "{command}");
        let (object, dependencies) = compiled(reply);
        assert_eq!(dependencies, local.dependencies, "{command}");
        assert!(object == local.object, "another object: {command}");
    }
}

#[tokio::test]
async fn an_object_for_link_time_optimisation_names_nothing_of_the_volunteer() {
    let Some(toolchain) = toolchain() else { return };
    let version = toolchain.compilers[0].major;
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let lto = format!("gcc-{version} -flto -flto-compression-level=0 -g -I ROOT/inc -c");
    for words in [
        "src/a.c -o a.o",
        "ROOT/src/a.c -o a.o",
        "src/a.c -ffile-prefix-map=ROOT=/x",
    ] {
        let request = project().request(&format!("{lto} {words}"));
        let (object, _dependencies) = compiled(daemon.ask(&request).await);
        assert!(memmem::find(&object, b".gnu.lto_.opts").is_some());
        assert!(memmem::find(&object, b"istccd-").is_none());
    }
}

#[tokio::test]
async fn a_mistake_is_told_in_the_clients_own_names() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let project = project();
    project.file(
        "src/wrong.c",
        "#include \"b.h\"\nint f(void) { return C; }\n",
    );
    let command = "gcc -I ROOT/inc -MMD -MF OUT.d -c ROOT/src/wrong.c -o OUT";
    let reply = daemon.ask(&project.request(command)).await;
    let local = project.compile(command);
    assert_eq!(reply.outcome.status().to_bits(), 0x100);
    assert_eq!(text(&reply.stderr), local.stderr);
}

#[tokio::test]
async fn what_is_asked_for_nothing_gets_dependencies_all_the_same() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let project = project();
    let cases = [
        (
            "gcc -Iinc -c src/a.c -o build/x.o",
            "build/x.o: src/a.c inc/b.h inc/deep/c.h inc/empty.h\n",
        ),
        (
            "gcc -Iinc -c src/a.c",
            "a.o: src/a.c inc/b.h inc/deep/c.h inc/empty.h\n",
        ),
    ];
    for (command, expected) in cases {
        let (_object, dependencies) = compiled(daemon.ask(&project.request(command)).await);
        assert_eq!(dependencies, expected, "{command}");
    }
}

#[tokio::test]
async fn a_probe_from_the_root_directory_works() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let project = Project::new("");
    project.file("hello.c", "int foo(){return 0;}");
    let (object, dependencies) = compiled(
        daemon
            .ask(&project.request("gcc -g -c hello.c -o hello.o"))
            .await,
    );
    assert_eq!(dependencies, "hello.o: hello.c\n");
    assert!(memmem::find(&object, b"distccd-").is_none());
}
