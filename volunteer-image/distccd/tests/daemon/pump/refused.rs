//! Requests of pump mode that must not be compiled, or not on their own terms.

use distcc_wire::{Entry, Failure, Outcome, Payload, Request};

use super::project::{Project, system};
use super::{captured, compiled, toolchain};
use crate::harness::{Daemon, text};

fn file(name: &str) -> Entry {
    Entry::File {
        name: name.into(),
        contents: b"int f;\n".to_vec(),
    }
}

fn link(name: &str, target: &str) -> Entry {
    Entry::Link {
        name: name.into(),
        target: target.into(),
    }
}

fn request(directory: &str, entries: Vec<Entry>) -> Request {
    let words = ["gcc", "-I/etc", "-c", "a.c", "-o", "a.o"];
    Request {
        arguments: words.map(|word| word.as_bytes().to_vec()).to_vec(),
        payload: Payload::Pump {
            directory: directory.into(),
            entries,
        },
    }
}

#[tokio::test]
async fn paths_that_lead_out_are_refused_and_the_client_reads_why() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let cases = [
        (
            request("w", vec![]),
            "the working directory w does not begin with a slash",
        ),
        (
            request("/w/../..", vec![]),
            "the working directory /w/../.. holds '.' or '..'",
        ),
        (
            request("/w", vec![file("/../other")]),
            "the path /../other holds '.' or '..'",
        ),
        (
            request("/w", vec![file("other")]),
            "the path other does not begin with a slash",
        ),
        (
            request("/w", vec![link("/w/l", "../../../tmp"), file("/w/l/x")]),
            "the link /w/l leads to ../../../tmp, which holds '.' or '..'",
        ),
        (
            request("/w", vec![link("/w/l", "/tmp"), file("/w/l/x")]),
            "the path /w/l goes through a link or a file",
        ),
        (
            request("/w", vec![file("/w/a.c"), link("/w/a.c", "/etc")]),
            "/w/a.c is sent twice",
        ),
    ];
    for (request, reason) in cases {
        let reply = daemon.ask(&request).await;
        assert_eq!(reply.outcome, Outcome::Failed(Failure::REFUSED), "{reason}");
        assert_eq!(
            text(&reply.stderr),
            format!("distccd (this-machine): error: {reason}\n")
        );
    }
    compiled(daemon.ask(&captured()).await);
    assert!(daemon.jobs().is_empty());
}

#[tokio::test]
async fn no_source_reads_files_that_were_not_sent() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let cases = [
        (
            "#include \"/etc/passwd\"\n",
            "/etc/passwd: Permission denied",
        ),
        (
            "#include \"/proc/self/environ\"\n",
            "/proc/self/environ: Permission denied",
        ),
        (
            "#include \"../../../../../../etc/passwd\"\n",
            "etc/passwd: Permission denied",
        ),
        ("#include <passwd>\n", "passwd: No such file or directory"),
        (
            "#include <not/here.h>\n",
            "not/here.h: No such file or directory",
        ),
        (
            "asm(\".incbin \\\"/etc/passwd\\\"\");\n",
            "file not found: /etc/passwd",
        ),
        (
            "asm(\".incbin \\\"data.bin\\\"\");\n",
            "file not found: data.bin",
        ),
    ];
    let end = "distccd (this-machine): error: a file that this compile needs is not on this volunteer\n\
        distccd (this-machine): hint: pump mode leaves system headers out: install the same on both, or take ',cpp' out of DISTCC_HOSTS\n";
    for (source, reason) in cases {
        let project = Project::new("w");
        project.file("a.c", source);
        // A link that would show the volunteer's directory if it were made.
        let mut request = project.request("gcc -I/etc -c a.c -o a.o");
        if let Payload::Pump { entries, .. } = &mut request.payload {
            entries.push(system("/etc"));
        }
        let reply = daemon.ask(&request).await;
        // Anything below 128 that the client's own compiler does not agree with would switch pump mode off.
        assert_eq!(reply.outcome, Outcome::Failed(Failure::REFUSED), "{source}");
        let told = text(&reply.stderr);
        assert!(told.contains(reason) && told.ends_with(end), "{told}");
        assert!(!told.contains("distccd-"), "{told}");
    }
}

#[tokio::test]
async fn a_system_directory_is_the_volunteers_own_if_its_compiler_searches_it() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let project = Project::new("w");
    project.file("a.c", "#include <limits.h>\nint f = CHAR_BIT;\n");
    let command = "gcc -nostdinc -I/usr/include -c a.c -o a.o";
    let with = project.request(command);
    let mut without = with.clone();
    if let Payload::Pump { entries, .. } = &mut without.payload {
        entries.retain(|entry| matches!(entry, Entry::File { .. }));
    }
    let missing =
        |reply: &distcc_wire::Reply| text(&reply.stderr).contains("limits.h: No such file");
    let linked = daemon.ask(&with).await;
    assert!(!missing(&linked), "{}", text(&linked.stderr));
    assert!(missing(&daemon.ask(&without).await));
}

#[tokio::test]
async fn a_bomb_of_many_files_is_cut_off() {
    let Some(toolchain) = toolchain() else { return };
    let daemon = Daemon::start_with(toolchain, |settings| {
        settings.limits.decoded_total_bytes = 1_000_000;
    });
    let zeros = |number| Entry::File {
        name: format!("/w/{number}.h").into_bytes(),
        contents: vec![0; 200_000],
    };
    let reply = daemon
        .ask(&request("/w", (0..9).map(zeros).collect()))
        .await;
    assert_eq!(reply.outcome, Outcome::Failed(Failure::REFUSED));
    let told = text(&reply.stderr);
    assert!(told.contains("request over a limit"), "{told}");
    assert!(daemon.jobs().is_empty());
}
