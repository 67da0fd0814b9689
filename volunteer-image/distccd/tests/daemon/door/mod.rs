//! Volunteers behind a door, each of them a process of its own.

mod change;
mod hostile;
mod program;
mod reach;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use distcc_wire::{Outcome, Version};
use rustix::process::Signal;
use volunteer_toolchain::Toolchain;

use crate::harness::{PATIENCE, play, request};
use crate::served::{PROGRAM, Program, free_port};

/// A program and what it logs, read all the time.
struct Logged {
    program: Program,
    lines: Receiver<String>,
}

impl Logged {
    fn new(program: Program) -> Self {
        let read_already = program.log.buffer().to_vec();
        let rest = program.log.get_ref().as_fd().try_clone_to_owned();
        let rest = File::from(rest.expect("a descriptor is left"));
        let log = BufReader::new(Cursor::new(read_already).chain(rest));
        let (lines, received) = mpsc::channel();
        thread::spawn(move || {
            // Until nobody listens any more.
            log.lines()
                .map_while(Result::ok)
                .try_for_each(|line| lines.send(line))
        });
        Self {
            program,
            lines: received,
        }
    }

    /// Waits for a line with `text` in it, and returns it.
    fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{error} waiting for '{text}' after {seen:#?}"),
            }
        }
    }

    /// Tells it to end, and waits until it has; returns its code.
    fn end(self) -> Option<i32> {
        self.program.signal(Signal::TERM);
        self.program.exit_code()
    }
}

/// Keeps a door in `directory`, open at `port`.
fn keep_door(directory: &Path, port: u16, words: &[&str]) -> Logged {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let mut command = Command::new(PROGRAM);
    command.arg("--keep-door").arg(directory).args(words);
    Logged::new(Program::serve(command, folder, port))
}

/// Starts a volunteer behind the door in `directory`.
fn start_behind(directory: &Path, toolchain: &Toolchain, words: &[&str]) -> Logged {
    let directory = directory.to_str().expect("the path is text");
    let words: Vec<_> = ["--door", directory].iter().chain(words).copied().collect();
    Logged::new(Program::start(toolchain, &words))
}

const SERVES: &str = "\"serving the door\"";

/// The same, and waits until it serves.
fn serve_behind(directory: &Path, words: &[&str]) -> Logged {
    let volunteer = start_behind(directory, &play(), words);
    volunteer.wait_for(SERVES);
    volunteer
}

/// A directory with a door in it.
fn door() -> (tempfile::TempDir, Logged) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let door = keep_door(directory.path(), free_port(), &[]);
    (directory, door)
}

/// Whether a job through `door` gives an object.
fn compiles(door: &Program) -> bool {
    let reply = door.try_ask(&request(Version::Lzo, "object"));
    reply.is_some_and(|reply| matches!(reply.outcome, Outcome::Compiled { .. }))
}
