//! Colours, pipes, silence.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::machine::Machine;

#[test]
fn nothing_is_coloured_without_a_terminal() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    machine.write("bad.yaml", "farm: [");
    for arguments in [
        &["status"][..],
        &["--help"],
        &["nonsense"],
        &["up", "-f", "bad.yaml"],
        &["down", "-f", "missing.yaml"],
        &["logs"],
    ] {
        let run = machine.run(arguments);
        assert!(
            !format!("{}{}", run.stdout, run.stderr).contains('\u{1b}'),
            "{run}"
        );
    }
}

#[test]
fn colours_come_only_where_they_are_forced_and_never_with_no_color() {
    let mut machine = Machine::new();
    machine.set("CLICOLOR_FORCE", Some("1"));
    assert!(
        machine
            .run(&["status", "-f", "missing.yaml"])
            .stderr
            .contains('\u{1b}')
    );
    machine.set("NO_COLOR", Some("1"));
    machine.set("CLICOLOR_FORCE", None);
    assert!(
        !machine
            .run(&["status", "-f", "missing.yaml"])
            .stderr
            .contains('\u{1b}')
    );
}

/// A reader that has gone away before the first byte.
#[test]
fn a_broken_pipe_is_silent() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["hosts"],
        &["plan", "--output", "json"],
        &["--help"],
        &["completions", "bash"],
        &["man"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = machine.command(arguments).stdout(writer).spawn().unwrap();
        let run = machine.finish(arguments, child);
        assert_eq!(run.code, Some(0), "{run}");
        assert!(
            !run.stderr.contains("pipe") && !run.stderr.contains("panic"),
            "{run}"
        );
    }
}

#[test]
fn a_follower_of_logs_ends_when_its_reader_does() {
    let machine = Machine::new();
    machine.prepare(&["up"]);
    let arguments = ["logs", "--follow"];
    let mut child = machine
        .command(&arguments)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let write = |second: u32| {
        let time = format!(
            "2026-01-01T00:{:02}:{:02}.000000000Z",
            second / 60 % 60,
            second % 60
        );
        for container in &mut machine.engine.state().containers {
            container.log(&time, "job done");
        }
    };
    write(0);
    lines.read_line(&mut first).unwrap();
    assert!(first.ends_with("| job done\n"), "{first}");
    drop(lines);
    // It learns of it when it writes again.
    let mut second = 0;
    while child.try_wait().unwrap().is_none() {
        second += 1;
        write(second);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(second < 3000, "it should have ended");
    }
    let run = machine.finish(&arguments, child);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn silence_means_warnings_and_errors_only() {
    let machine = Machine::new();
    for arguments in [
        &["up", "-q"][..],
        &["up", "-q"],
        &["down", "-q"],
        &["down", "-q"],
    ] {
        let run = machine.run(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
    }
}
