//! The program: command line, exit codes, log, signals.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Output};

use distcc_wire::{Outcome, Version};
use rustix::process::{Pid, Signal};

use crate::compilers::this_machine;
use crate::harness::{is_gone, play, request, text};
use crate::served::{PROGRAM, Program, eventually, free_port, read_reply, toolchain_file};
use crate::versions::told_by;

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(PROGRAM)
        .args(words)
        .output()
        .expect("the program starts");
    (status.code(), text(&stdout), text(&stderr))
}

#[test]
fn exit_codes_are_those_of_the_stock_daemon() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = toolchain_file(&folder, &play());
    let file = file.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["--frobnicate"], 101, "unexpected argument '--frobnicate'"),
        (
            &["--make-me-a-botnet"],
            101,
            "error: --make-me-a-botnet is refused",
        ),
        (&["--auth"], 119, "error: --auth is refused"),
        (
            &["--port", "none", "--jobs", "0"],
            101,
            "error: --jobs: '0' cannot be used",
        ),
        (
            &["--toolchain", "/nonexistent"],
            110,
            "error: no toolchain file at /nonexistent\\nhint: ",
        ),
        (
            &[
                "--toolchain",
                file,
                "--listen",
                "127.0.0.1",
                "--port",
                &port,
            ],
            102,
            &format!("error: cannot listen on port {port}: "),
        ),
        (
            &["--toolchain", file, "--log-file", "/nonexistent/log"],
            107,
            "error: cannot log: ",
        ),
    ];
    for (words, code, message) in cases {
        let (exit, stdout, stderr) = run(words);
        assert_eq!(exit, Some(code), "{words:?}: {stderr}");
        assert!(
            stderr.contains(&message.replace("\\n", "\n")),
            "{words:?}: {stderr}"
        );
        assert_eq!(stdout, "");
    }
}

#[test]
fn a_directory_for_jobs_that_cannot_be_used_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = toolchain_file(&folder, &play());
    let output = Command::new(PROGRAM)
        .arg("--toolchain")
        .arg(file)
        .env("TMPDIR", "/nonexistent")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(107));
    assert!(
        text(&output.stderr).contains("error: cannot make directories in /nonexistent: "),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn an_exhausted_descriptor_table_is_a_pause_and_not_an_end() {
    const DESCRIPTORS: usize = 24;
    let mut program = Program::start_limited(&play(), &format!("ulimit -n {DESCRIPTORS}"), &[]);
    let held: Vec<_> = (0..DESCRIPTORS).map(|_| program.connect()).collect();
    assert!(program.next_line().contains("cannot accept connections"));
    drop(held);
    // Until it has noticed that they are gone, a job may find no descriptor, either.
    eventually(|| program.try_ask(&request(Version::Lzo, "object")).is_some());
    program.signal(Signal::TERM);
    assert_eq!(program.exit_code(), Some(0));
}

#[test]
fn questions_are_answered_on_standard_output() {
    for (word, expected) in [("--version", "distccd "), ("--help", "--allow-private")] {
        let (exit, stdout, stderr) = run(&[word]);
        assert_eq!(exit, Some(0));
        assert!(stdout.contains(expected), "{stdout}");
        assert_eq!(stderr, "");
    }
}

#[test]
fn says_at_the_start_what_it_will_do() {
    let program = Program::start(
        &play(),
        &[
            "--jobs",
            "3",
            "--allow",
            "127.0.0.1",
            "--allow",
            "10.1.2.3/8",
        ],
    );
    let log = program.opening.concat();
    let address = format!("\"address\":\"127.0.0.1:{}\"", program.port);
    for expected in [
        "\"allow\":\"127.0.0.1/32 10.0.0.0/8\"",
        &address,
        "\"jobs\":3",
        "\"gcc\":14",
        "\"gcc\":12",
        "\"target\":\"x86_64\"",
    ] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
    program.signal(Signal::TERM);
    assert_eq!(program.exit_code(), Some(0));
}

#[test]
fn writes_one_line_for_each_job() {
    let mut program = Program::start(&play(), &[]);
    program.ask(&request(Version::Lzo, "object"));
    let line: serde_json::Value = serde_json::from_str(&program.next_line()).unwrap();
    let expected = [
        ("level", "INFO"),
        ("client", "127.0.0.1"),
        ("name", "play.c"),
        ("outcome", "compiled"),
        ("why", "preferred"),
    ];
    for (key, value) in expected {
        assert_eq!(line[key], value, "{line}");
    }
    let message = line["message"].as_str().unwrap();
    assert!(message.starts_with("client: 127.0.0.1:"), "{line}");
    assert!(
        message.contains(" COMPILE_OK exit:0 sig:0 core:0 ret:0 time:"),
        "{line}"
    );
    assert!(message.ends_with("ms gcc play.c"), "{line}");
    for key in [
        "gcc",
        "arguments",
        "bytes_in",
        "source_bytes",
        "object_bytes",
        "bytes_out",
        "wall_ms",
        "cpu_ms",
        "max_rss_kib",
    ] {
        assert!(line[key].is_u64(), "{key} in {line}");
    }
    program.ask(&request(Version::Lzo, "wrong-machine"));
    let line: serde_json::Value = serde_json::from_str(&program.next_line()).unwrap();
    assert_eq!(
        (&line["level"], &line["outcome"]),
        (&"ERROR".into(), &"unsound".into()),
        "{line}"
    );
    program.signal(Signal::TERM);
    assert_eq!(program.exit_code(), Some(0));
}

#[test]
fn the_log_says_which_version_and_why_and_warns_once() {
    let mut program = Program::start(&play(), &[]);
    let ask = |version: &str| program.ask(&told_by("x86_64-pc-linux-gnu", version, &[]));
    ask("12.2.0");
    ask("16.2.1");
    ask("16.2.1");
    program.ask(&request(Version::Lzo, "object"));
    let mut jobs = Vec::new();
    let mut warnings = 0;
    while jobs.len() < 4 {
        let line: serde_json::Value = serde_json::from_str(&program.next_line()).unwrap();
        if line["outcome"].is_string() {
            let field = |key: &str| line[key].to_string().replace('"', "");
            jobs.push(
                ["client_gcc", "client_triple", "gcc", "why", "remembered"]
                    .map(field)
                    .join(" "),
            );
            assert!(line["chosen"].is_string(), "{line}");
        } else {
            assert_eq!(
                (&line["level"], &line["gcc"]),
                (&"WARN".into(), &14.into()),
                "{line}"
            );
            warnings += 1;
        }
    }
    let skewed = "GCC 16.2.1 x86_64-pc-linux-gnu 14 newest-although-older";
    let expected = [
        "GCC 12.2.0 x86_64-pc-linux-gnu 12 same-major null".to_owned(),
        format!("{skewed} null"),
        format!("{skewed} null"),
        format!("{skewed} true"),
    ];
    assert_eq!(jobs, expected);
    assert_eq!(warnings, 1);
    program.signal(Signal::TERM);
    let summary =
        std::iter::from_fn(|| Some(program.next_line())).find(|line| line.contains("stood in"));
    assert!(summary.unwrap().contains("\"jobs\":3"));
    assert_eq!(program.exit_code(), Some(0));
}

#[test]
fn told_to_end_it_finishes_its_jobs_and_ends_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut program = Program::start(&play(), &[]);
        let mut stream = program.connect();
        stream
            .write_all(&request(Version::Lzo, "wait").encode().unwrap())
            .unwrap();
        let job = program.waiting_job();
        program.signal(signal);
        assert!(program.next_line().contains("finishing"));
        fs::write(job.join("go"), "").unwrap();
        let reply = read_reply(&mut stream).unwrap();
        assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
        assert_eq!(program.exit_code(), Some(0));
    }
}

#[test]
fn told_twice_it_does_not_wait_for_its_jobs() {
    let mut program = Program::start(&play(), &[]);
    let mut stream = program.connect();
    stream
        .write_all(&request(Version::Lzo, "hang").encode().unwrap())
        .unwrap();
    let pids = fs::read_to_string(program.waiting_job().join("pids")).unwrap();
    program.signal(Signal::TERM);
    assert!(program.next_line().contains("finishing"));
    program.signal(Signal::TERM);
    assert_eq!(read_reply(&mut stream), None);
    assert_eq!(program.exit_code(), Some(0));
    for pid in pids.split_whitespace() {
        eventually(|| is_gone(pid));
    }
}

#[test]
fn processes_that_flee_from_their_job_are_ended_and_collected() {
    let program = Program::start(&play(), &[]);
    let daemon = program.child.id();
    for _ in 0..3 {
        let reply = program.ask(&request(Version::Lzo, "orphan"));
        assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    }
    eventually(|| children_of(daemon).is_empty());
    program.signal(Signal::TERM);
    assert_eq!(program.exit_code(), Some(0));
}

/// The processes, ended or not, whose parent is `parent`.
fn children_of(parent: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc")
        .expect("/proc is there")
        .filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default();
        fields.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    pids.filter(is_child).filter_map(Pid::from_raw).collect()
}

#[test]
fn a_probe_ends_with_0_or_1_and_says_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = toolchain_file(&folder, &play());
    let (exit, stdout, stderr) = run(&[
        "--probe",
        &free_port().to_string(),
        "--toolchain",
        file.to_str().unwrap(),
    ]);
    assert_eq!((exit, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.starts_with("error: cannot connect to 127.0.0.1:") && stderr.lines().count() == 1,
        "{stderr}"
    );
    let (exit, stdout, stderr) = run(&["--probe", "--toolchain", "/nonexistent"]);
    assert_eq!((exit, stdout.as_str()), (Some(1), ""), "{stderr}");
    let Some(toolchain) = this_machine() else {
        return;
    };
    let program = Program::start(&toolchain, &[]);
    let file = program.folder.path().join("toolchain.json");
    let (exit, stdout, stderr) = run(&[
        "--probe",
        &program.port.to_string(),
        "--toolchain",
        file.to_str().unwrap(),
    ]);
    assert_eq!((exit, stderr.as_str()), (Some(0), ""));
    assert!(
        stdout.starts_with("this-machine compiles C and C++ to ELF64 "),
        "{stdout}"
    );
    program.signal(Signal::TERM);
    assert_eq!(program.exit_code(), Some(0));
}
