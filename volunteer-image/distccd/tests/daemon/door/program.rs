//! The door as a program: command line, exit codes, signals.

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{play, text};
use crate::served::{PROGRAM, eventually, free_port, toolchain_file};

fn run(words: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = Command::new(PROGRAM)
        .args(["--no-detach", "--log-stderr", "--user", "root"])
        .args(["--listen", "127.0.0.1"])
        .args(words)
        .output()
        .expect("the program starts");
    (status.code(), text(&stderr))
}

#[test]
fn what_keeps_a_door_from_opening_is_told_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let file = toolchain_file(&folder, &play());
    let file = file.to_str().unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let free = free_port().to_string();
    let no_place = "error: cannot keep a door in ";
    let hint = "\nhint: --keep-door takes a directory that is there";
    let cases: [(&[&str], i32, &[&str]); 8] = [
        (
            &["--port", &free, "--keep-door", "/nonexistent"],
            107,
            &[no_place, hint],
        ),
        (
            &["--port", &free, "--keep-door", file],
            107,
            &[no_place, hint],
        ),
        (
            &["--port", &taken, "--keep-door", directory],
            102,
            &["error: cannot listen on port "],
        ),
        (
            &["--keep-door", directory, "--inetd"],
            101,
            &["cannot be used with"],
        ),
        (
            &["--keep-door", directory, "--door", directory],
            101,
            &["cannot be used with"],
        ),
        (
            &["--keep-door", directory, "--port", "0"],
            101,
            &["error: --port: '0' cannot be used"],
        ),
        (
            &["--door", directory, "--port", &free],
            110,
            &["error: --door needs a toolchain file", "\nhint: "],
        ),
        (
            &[
                "--door",
                directory,
                "--port",
                &free,
                "--toolchain",
                file,
                "--allow",
                "10.0.0.0/8",
            ],
            101,
            &["as 127.0.0.1, which may not send jobs", "\nhint: "],
        ),
    ];
    for (words, code, messages) in cases {
        let (exit, stderr) = run(words);
        assert_eq!(exit, Some(code), "{words:?}: {stderr}");
        for message in messages {
            assert!(stderr.contains(message), "{words:?}: {stderr}");
        }
    }
}

/// Whether `pid` has a handler for `signal`.
fn catches(pid: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

/// Process 1 of a container loses a signal that it has no handler for.
#[test]
fn a_signal_that_comes_before_anything_else_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = toolchain_file(&folder, &play());
    let directory = folder.path().as_os_str();
    let as_daemon = [Path::new("--toolchain").as_os_str(), file.as_os_str()];
    let as_door = [Path::new("--keep-door").as_os_str(), directory];
    for words in [as_daemon, as_door] {
        // Whoever opens it waits for somebody who reads it.
        let log = folder.path().join("log");
        mkfifoat(CWD, &log, Mode::RUSR | Mode::WUSR).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(words)
            .args(["--no-detach", "--daemon", "--user", "root", "--log-file"])
            .arg(&log)
            .args(["--listen", "127.0.0.1", "--port"])
            .arg(free_port().to_string())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        eventually(|| catches(child.id(), Signal::TERM));
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let mut told = String::new();
        File::open(&log).unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}: {told}");
        assert!(told.contains("\"ended\""), "{told}");
        fs::remove_file(log).unwrap();
    }
}

#[test]
fn a_door_in_the_background_has_opened_when_the_program_returns() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let port = free_port();
    let status = Command::new(PROGRAM)
        .args(["--user", "root", "--listen", "127.0.0.1", "--port"])
        .arg(port.to_string())
        .arg("--keep-door")
        .arg(folder.path())
        .arg("--pid-file")
        .arg(&pid_file)
        .arg("--log-file")
        .arg(folder.path().join("log"))
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    let pid = fs::read_to_string(&pid_file).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    eventually(|| !pid_file.exists());
}
