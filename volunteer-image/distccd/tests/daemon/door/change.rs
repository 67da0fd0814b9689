//! Volunteers and doors that come and go while clients want something.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use distcc_wire::{Outcome, Version};
use volunteer_toolchain::Toolchain;

use super::{SERVES, compiles, door, keep_door, serve_behind, start_behind};
use crate::harness::{PATIENCE, is_gone, play, request};
use crate::served::{eventually, free_port, read_reply};

#[test]
fn jobs_and_questions_come_through_the_door() {
    let directory = tempfile::tempdir().unwrap();
    let (port, stats_port, own_stats_port) = (free_port(), free_port(), free_port());
    let words = ["--stats-port", &stats_port.to_string()];
    let door = keep_door(directory.path(), port, &words);
    let words = ["--stats", "--stats-port", &own_stats_port.to_string()];
    let volunteer = serve_behind(directory.path(), &words);
    assert!(compiles(&door.program));
    let line = volunteer.wait_for("COMPILE_OK");
    assert!(line.contains("\"client\":\"127.0.0.1\""), "{line}");
    for port in [stats_port, own_stats_port] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    }
    // Its own port is there as without a door.
    let own = volunteer.program.ask(&request(Version::Lzo, "object"));
    assert!(matches!(own.outcome, Outcome::Compiled { .. }));
    assert_eq!(volunteer.end(), Some(0));
    door.wait_for("a volunteer is gone");
    assert_eq!(door.end(), Some(0));
}

/// Lets clients end even if the test fails.
struct TrueInTheEnd<'flag>(&'flag AtomicBool);

impl Drop for TrueInTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn volunteers_are_replaced_while_jobs_flow_and_none_is_lost() {
    const CLIENTS: usize = 4;
    const JOBS_BETWEEN: usize = 10;
    let (directory, door) = door();
    let entrance = &door.program;
    let (done, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let enough = AtomicBool::new(false);
    let newest = thread::scope(|scope| {
        let _enough = TrueInTheEnd(&enough);
        let mut volunteer = serve_behind(directory.path(), &[]);
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let count = if compiles(entrance) { &done } else { &lost };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..3 {
            let before = done.load(Ordering::Relaxed);
            eventually(|| {
                done.load(Ordering::Relaxed) >= before + JOBS_BETWEEN
                    || lost.load(Ordering::Relaxed) > 0
            });
            let next = serve_behind(directory.path(), &[]);
            assert_eq!(volunteer.end(), Some(0));
            volunteer = next;
        }
        // Of the last one there is no successor, so clients must be done before it ends.
        volunteer
    });
    assert_eq!((lost.into_inner(), newest.end()), (0, Some(0)));
}

#[test]
fn between_two_volunteers_clients_wait() {
    let (directory, door) = door();
    let volunteer = serve_behind(directory.path(), &[]);
    assert_eq!(volunteer.end(), Some(0));
    let mut waiting = door.program.connect();
    let asked = request(Version::Lzo, "object").encode().unwrap();
    waiting.write_all(&asked).unwrap();
    let _volunteer = serve_behind(directory.path(), &[]);
    let reply = read_reply(&mut waiting).unwrap();
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
}

#[test]
fn clients_of_a_killed_volunteer_that_still_wait_are_served_by_the_next() {
    let (directory, door) = door();
    let mut killed = serve_behind(directory.path(), &["--max-connections", "1"]);
    let send = |play: &str| {
        let mut stream = door.program.connect();
        let asked = request(Version::Lzo, play).encode().unwrap();
        stream.write_all(&asked).unwrap();
        stream
    };
    let served = send("wait");
    let job = killed.program.waiting_job();
    let mut waiting = [(); 3].map(|()| send("object"));
    killed.program.child.kill().unwrap();
    killed.program.child.wait().unwrap();
    drop(served);
    let _next = serve_behind(directory.path(), &[]);
    for stream in &mut waiting {
        let reply = read_reply(stream).unwrap();
        assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    }
    // Nobody was left to stop it.
    let pid = fs::read_to_string(job.join("pids")).unwrap();
    fs::write(job.join("stop"), "").unwrap();
    eventually(|| is_gone(pid.trim()));
}

#[test]
fn a_door_that_is_replaced_costs_no_job_that_runs() {
    let (directory, mut door) = door();
    let port = door.program.port;
    let volunteer = serve_behind(directory.path(), &[]);
    let mut running = door.program.connect();
    let asked = request(Version::Lzo, "wait").encode().unwrap();
    running.write_all(&asked).unwrap();
    let job = volunteer.program.waiting_job();
    door.program.child.kill().unwrap();
    door.program.child.wait().unwrap();
    volunteer.wait_for("the door is gone");
    let door = keep_door(directory.path(), port, &[]);
    volunteer.wait_for(SERVES);
    assert!(compiles(&door.program));
    fs::write(job.join("go"), "").unwrap();
    let reply = read_reply(&mut running).unwrap();
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    assert_eq!(volunteer.end(), Some(0));
}

#[test]
fn a_volunteer_waits_for_its_door_and_says_so_once() {
    let directory = tempfile::tempdir().unwrap();
    let volunteer = start_behind(directory.path(), &play(), &[]);
    volunteer.wait_for("no door to serve");
    let door = keep_door(directory.path(), free_port(), &[]);
    let next_line = || volunteer.lines.recv_timeout(PATIENCE).unwrap();
    let mut line = next_line();
    while !line.contains(SERVES) {
        assert!(!line.contains("no door"), "{line}");
        line = next_line();
    }
    assert!(compiles(&door.program));
}

/// A toolchain whose compilers are `program`.
fn with_compiler(program: &Path) -> Toolchain {
    let mut toolchain = play();
    for compiler in &mut toolchain.compilers {
        program.clone_into(&mut compiler.gcc);
        program.clone_into(&mut compiler.gxx);
    }
    toolchain
}

/// Puts an executable script into the place of another one.
fn put(program: &Path, text: &str) {
    let made = program.with_extension("new");
    let done = fs::write(&made, text)
        .and_then(|()| fs::set_permissions(&made, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&made, program));
    done.expect("the directory can be written");
}

#[test]
fn a_volunteer_that_cannot_compile_gets_no_job_until_it_can() {
    let (directory, door) = door();
    let compilers = tempfile::tempdir().unwrap();
    let gcc = compilers.path().join("gcc");
    put(&gcc, "#!/bin/sh\necho broken >&2\nexit 1\n");
    let volunteer = start_behind(directory.path(), &with_compiler(&gcc), &[]);
    let line = volunteer.wait_for("serving no door before this volunteer compiles");
    assert!(line.contains("broken"), "{line}");
    let mut waiting = door.program.connect();
    let asked = request(Version::Lzo, "object").encode().unwrap();
    waiting.write_all(&asked).unwrap();
    let able = serve_behind(directory.path(), &[]);
    let reply = read_reply(&mut waiting).unwrap();
    assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    assert_eq!(able.end(), Some(0));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon/play.sh");
    put(&gcc, &fs::read_to_string(script).unwrap());
    volunteer.wait_for(SERVES);
    assert!(compiles(&door.program));
}

#[test]
fn told_to_end_before_it_has_a_door_or_a_compiler_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let alone = start_behind(directory.path(), &play(), &[]);
    alone.wait_for("no door to serve");
    assert_eq!(alone.end(), Some(0));
    let unable = with_compiler(Path::new("/bin/false"));
    let unable = start_behind(directory.path(), &unable, &[]);
    unable.wait_for("serving no door before");
    assert_eq!(unable.end(), Some(0));
}
