//! What stays behind: nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use distcc_wire::{Outcome, Payload, Reply, Version};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{is_gone, play, request, request_with};
use crate::served::{Program, eventually, read_reply};

fn is_compiled(reply: Option<Reply>) -> bool {
    reply.is_some_and(|reply| matches!(reply.outcome, Outcome::Compiled { .. }))
}

/// A job of each kind of end.
fn play_all(program: &Program) {
    for play in ["object", "fail", "killed", "no-object", "flood"] {
        program.ask(&request(Version::Lzo, play));
    }
    program.ask(&request_with(
        Version::Lzo,
        &["gcc", "-fplugin=evil.so", "-c", "a.c"],
    ));
    let whole = request(Version::Plain, "object").encode();
    let whole = whole.expect("the request can be encoded");
    for end in [whole.len() / 2, whole.len()] {
        // Gone without listening.
        let written = program.connect().write_all(&whole[..end]);
        written.expect("it reads");
    }
}

fn descriptors(program: &Program) -> usize {
    let path = format!("/proc/{}/fd", program.child.id());
    path_entries(Path::new(&path)).len()
}

fn path_entries(path: &Path) -> Vec<PathBuf> {
    let entries = path.read_dir().into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[test]
fn hundreds_of_jobs_leave_no_descriptor_no_process_and_no_file() {
    let program = Program::start(&play(), &[]);
    program.discard_log();
    let pid = program.child.id();
    let is_clean = |descriptors_before: usize| {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        program.jobs().is_empty()
            && children.is_ok_and(|children| children.is_empty())
            && descriptors(&program) <= descriptors_before
    };
    play_all(&program);
    eventually(|| is_clean(usize::MAX));
    let before = descriptors(&program);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| play_all(&program)));
        }
    });
    eventually(|| is_clean(before));
    assert!(is_compiled(
        program.try_ask(&request(Version::Lzo, "object"))
    ));
}

#[test]
fn what_a_killed_daemon_leaves_the_next_one_removes_and_nothing_of_a_living_one() {
    let mut killed = Program::start(&play(), &[]);
    let mut streams = [killed.connect()];
    streams[0]
        .write_all(&request(Version::Lzo, "hang").encode().unwrap())
        .unwrap();
    let left = killed.waiting_job();
    let pids = fs::read_to_string(left.join("pids")).unwrap();
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();

    let shared = format!("export TMPDIR={}", killed.folder.path().display());
    let living = Program::start_limited(&play(), &shared, &[]);
    assert!(!left.exists(), "{}", left.display());
    let mut waiting = living.connect();
    waiting
        .write_all(&request(Version::Lzo, "wait").encode().unwrap())
        .unwrap();
    let job = killed.waiting_job();
    let third = Program::start_limited(&play(), &shared, &[]);
    assert!(is_compiled(third.try_ask(&request(Version::Lzo, "object"))));
    fs::write(job.join("go"), "").unwrap();
    assert!(is_compiled(read_reply(&mut waiting)));

    // Nobody was left to stop them.
    for pid in pids.split_whitespace().filter(|pid| !is_gone(pid)) {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// A small file system, unmounted on drop.
struct SmallDisk(PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_costs_the_job_and_not_the_daemon() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can mount a small file system");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk(folder.path().join("small"));
    fs::create_dir(&disk.0).unwrap();
    let path = disk.0.display();
    let first = format!("mount -t tmpfs -o size=512k none {path} && export TMPDIR={path}");
    let program = Program::start_limited(&play(), &first, &[]);
    let mut large = request(Version::Plain, "object");
    large.payload = Payload::Plain(vec![b' '; 4 << 20]);
    for _ in 0..3 {
        let mut stream = program.connect();
        // Refused while it is sent; whether all of it could be written does not matter.
        drop(stream.write_all(&large.encode().unwrap()));
        assert!(
            read_to_end(&mut stream).is_empty(),
            "another server may have room"
        );
        assert!(is_compiled(
            program.try_ask(&request(Version::Lzo, "object"))
        ));
    }
}

fn read_to_end(stream: &mut std::net::TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // An abrupt end is an end.
    drop(std::io::Read::read_to_end(stream, &mut bytes));
    bytes
}
