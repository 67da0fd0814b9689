//! What makes the program a substitute for the stock daemon: one client at standard input, the background, another user,
//! the compilers of a machine.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use distcc_wire::{Limits, Outcome, Reply, Version};
use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::harness::{is_gone, play, request, request_with, text};
use crate::served::{PROGRAM, Program, eventually, free_port, toolchain_file};
use crate::versions::told_by;

/// The program with the playing compiler, as ssh or inetd would start it.
struct Inetd {
    folder: tempfile::TempDir,
}

impl Inetd {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        Self { folder }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(words)
            .args(["--log-stderr", "--user", "root", "--toolchain"])
            .arg(toolchain_file(&self.folder, &play()))
            .env("TMPDIR", self.folder.path())
            .stderr(Stdio::null());
        command
    }

    /// With one socket for both directions.
    fn on_socket(&self, socket: impl Into<OwnedFd>, words: &[&str]) -> Child {
        let socket = socket.into();
        let other = socket.try_clone().expect("a descriptor is free");
        let mut command = self.command(words);
        let started = command.stdin(socket).stdout(other).spawn();
        started.expect("the program starts")
    }
}

fn sent() -> Vec<u8> {
    let request = request(Version::Lzo, "object").encode();
    request.expect("the request can be encoded")
}

/// Exactly one reply, with an object.
fn assert_compiled(answer: &[u8]) {
    let reply = Reply::decode(Version::Lzo, answer, &Limits::default());
    let reply = reply.expect("the answer is a reply");
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
}

#[test]
fn one_client_is_served_on_a_socket_at_standard_input() {
    // The second way is what the stock client's ssh host makes of it, and the third what inetd does.
    for words in [
        ["--inetd"].as_slice(),
        &["--inetd", "--enable-tcp-insecure"],
        &[],
    ] {
        let inetd = Inetd::new();
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let mut child = inetd.on_socket(theirs, words);
        ours.write_all(&sent()).unwrap();
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).unwrap();
        assert_compiled(&answer);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}");
    }
}

#[test]
fn one_client_is_served_on_two_pipes() {
    let inetd = Inetd::new();
    let mut command = inetd.command(&["--inetd", "--enable-tcp-insecure"]);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A client that waits for its reply holds its end open.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&sent()).unwrap();
    let mut answer = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut answer)
        .unwrap();
    assert_compiled(&answer);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(stdin);
}

#[test]
fn how_the_one_client_was_served_is_the_exit_code() {
    let (whole, refused) = (sent(), request_with(Version::Lzo, &["tcc", "-c", "a.c"]));
    let cases: [(&[u8], i32); 6] = [
        (&whole, 0),
        (&request(Version::Lzo, "fail").encode().unwrap(), 0),
        (&refused.encode().unwrap(), 0),
        (b"", 108),
        (&whole[..whole.len() / 2], 108),
        (b"GET / HTTP/1.0\r\n\r\n", 109),
    ];
    for (bytes, code) in cases {
        let inetd = Inetd::new();
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let mut child = inetd.on_socket(theirs, &["--inetd"]);
        ours.write_all(bytes).unwrap();
        if code == 108 {
            ours.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let mut answer = Vec::new();
        drop(ours.read_to_end(&mut answer));
        drop(ours);
        let told = text(bytes);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{told}");
    }
}

#[test]
fn the_one_client_is_checked_only_if_the_command_line_says_who_may() {
    for (words, code) in [
        (["--inetd"].as_slice(), 0),
        (&["--inetd", "--allow", "127.0.0.0/8"], 0),
        (&["--inetd", "--allow", "10.0.0.0/8"], 113),
    ] {
        let inetd = Inetd::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut child = inetd.on_socket(listener.accept().unwrap().0, words);
        // Who is refused may find the connection closed already.
        drop(client.write_all(&sent()));
        drop(client.read_to_end(&mut Vec::new()));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{words:?}");
    }
}

#[test]
fn standard_input_that_cannot_be_a_client_is_told() {
    let inetd = Inetd::new();
    let mut command = inetd.command(&["--inetd"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(107));
    let told = text(&output.stderr);
    assert!(
        told.contains("error: standard input and output cannot be used"),
        "{told}"
    );
}

#[test]
fn in_the_background_it_listens_before_the_command_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (port, pid_file) = (free_port().to_string(), folder.path().join("pid"));
    let log = folder.path().join("log");
    let start = || {
        Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1", "--user", "root", "--port", &port])
            .arg("--toolchain")
            .arg(toolchain_file(&folder, &play()))
            .arg("--pid-file")
            .arg(&pid_file)
            .arg("--log-file")
            .arg(&log)
            .env("TMPDIR", folder.path())
            .output()
            .unwrap()
    };
    let first = start();
    assert_eq!(
        (first.status.code(), text(&first.stderr)),
        (Some(0), String::new())
    );
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse().unwrap())).is_ok());
    let written = fs::read_to_string(&pid_file).unwrap();
    let pid = written.strip_suffix('\n').unwrap();
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = state.rsplit(')').next().unwrap().split_whitespace().nth(3);
    assert_eq!(session, Some(pid), "it has a session of its own");
    let second = start();
    assert_eq!(second.status.code(), Some(102), "{}", text(&second.stderr));
    assert!(text(&second.stderr).contains("error: cannot listen on port"));
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::TERM).unwrap();
    eventually(|| is_gone(pid) && !pid_file.exists());
    assert!(
        fs::read_to_string(log)
            .unwrap()
            .contains("\"message\":\"ended\"")
    );
}

#[test]
fn at_the_end_of_its_life_it_dies_by_the_alarm() {
    let mut program = Program::start(&play(), &["--lifetime", "1"]);
    let status = program.child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::ALARM.as_raw()));
}

#[test]
fn a_terminal_that_closes_changes_nothing() {
    let mut program = Program::start(&play(), &[]);
    program.signal(Signal::HUP);
    assert!(program.next_line().contains("SIGHUP"));
    assert_compiled_by(&program, "object");
    program.signal(Signal::TERM);
    assert_eq!(program.exit_code(), Some(0));
}

fn assert_compiled_by(program: &Program, play: &str) {
    let reply = program.ask(&request(Version::Lzo, play));
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
}

#[test]
fn root_becomes_somebody_else() {
    if !geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    command
        .arg("--toolchain")
        .arg(toolchain_file(&folder, &play()))
        .args(["--user", "nobody", "--jobs", "1"])
        .args([
            "--no-detach",
            "--daemon",
            "--log-stderr",
            "--listen",
            "127.0.0.1",
        ])
        .args(["--port", &free_port().to_string()])
        .env("TMPDIR", "/tmp")
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
    while !crate::served::read_line(&mut log)
        .unwrap()
        .contains("\"listening\"")
    {}
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    for line in [
        "Uid:\t65534\t65534\t65534\t65534\n",
        "Gid:\t65534\t65534\t65534\t65534\n",
        "Groups:\t65534 \n",
        "NoNewPrivs:\t1\n",
    ] {
        assert!(status.contains(line), "{line} in {status}");
    }
}

/// A machine whose only compilers are playing ones: `gcc` (14), `gcc-12`, `g++`.
fn machine(change: impl FnOnce(&mut Command, &Path)) -> Program {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon/play.sh");
    let bin = folder.path().join("play-bin");
    fs::create_dir(&bin).expect("the directory can be written");
    for name in ["gcc", "gcc-12", "g++"] {
        symlink(&script, bin.join(name)).expect("the directory can be written");
    }
    let mut command = Command::new(PROGRAM);
    command.env("DISTCCD_PATH", &bin);
    change(&mut command, folder.path());
    Program::serve(command, folder, free_port())
}

/// What `program` does with a job for the compiler `name`.
fn asked(program: &Program, name: &str) -> String {
    let reply = program.ask(&request_with(Version::Lzo, &[name, "-c", "a.c"]));
    match reply.outcome {
        Outcome::Compiled { .. } => "compiled".to_owned(),
        Outcome::Failed(_) => text(&reply.stderr),
    }
}

#[test]
fn without_a_toolchain_file_a_list_says_which_compilers_jobs_may_use() {
    let program = machine(|command, folder| {
        let list = folder.join("list");
        let gcc = folder.join("play-bin/gcc");
        fs::write(&list, format!("{}\n", gcc.display())).unwrap();
        command
            .env("DISTCC_CMDLIST", list)
            .arg("--enable-tcp-insecure");
    });
    assert_eq!(asked(&program, "gcc"), "compiled");
    assert_eq!(asked(&program, "/elsewhere/gcc"), "compiled");
    for name in ["g++", "gcc-12", "sh"] {
        let told = asked(&program, name);
        let expected = format!(
            "distccd (this machine): error: compiler {name} cannot be used on this machine: "
        );
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[test]
fn without_a_toolchain_file_any_compiler_of_the_search_path_can_be_permitted() {
    let program = machine(|command, _| {
        command.arg("--enable-tcp-insecure");
    });
    assert_eq!(asked(&program, "gcc"), "compiled");
    assert_eq!(asked(&program, "g++"), "compiled");
    for (name, why) in [
        (
            "clang",
            "it is not installed, or not on the daemon's search path",
        ),
        ("/bin/sh", "it is not the name of GCC or Clang"),
    ] {
        let told = asked(&program, name);
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn without_a_toolchain_file_the_clients_version_is_still_chosen() {
    let mut program = machine(|command, _| {
        command.arg("--enable-tcp-insecure");
    });
    for (version, expected) in [("12.2.0", 12), ("14.1", 14), ("13.1", 14)] {
        program.ask(&told_by("x86_64-pc-linux-gnu", version, &[]));
        let gcc = std::iter::from_fn(|| Some(program.next_line()))
            .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
            .find(|line| line["outcome"] == "compiled");
        assert_eq!(gcc.unwrap()["gcc"], expected, "{version}");
    }
}

#[test]
fn a_list_that_cannot_be_read_and_variables_that_mean_nothing_are_told_at_the_start() {
    for (name, value, code, expected) in [
        (
            "DISTCC_CMDLIST",
            "/nonexistent",
            107,
            "error: cannot read DISTCC_CMDLIST /nonexistent: ",
        ),
        (
            "DISTCC_IO_TIMEOUT",
            "0",
            101,
            "error: DISTCC_IO_TIMEOUT: '0' cannot be used",
        ),
    ] {
        let output = Command::new(PROGRAM).env(name, value).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn directories_of_jobs_stay_if_they_are_to() {
    let program = machine(|command, _| {
        command
            .arg("--enable-tcp-insecure")
            .env("DISTCC_SAVE_TEMPS", "1");
    });
    assert_eq!(asked(&program, "gcc"), "compiled");
    let jobs = program.folder.path().read_dir().unwrap();
    let kept = jobs.filter(|job| job.as_ref().unwrap().path().join("object.o").exists());
    assert_eq!(kept.count(), 1);
}
