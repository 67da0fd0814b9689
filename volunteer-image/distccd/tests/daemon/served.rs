//! The daemon as a program of its own, for tests of what only a program has.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use distcc_wire::{Limits, Reply, Request, Version};
use rustix::process::{Pid, Signal, kill_process};
use volunteer_toolchain::Toolchain;

use crate::harness::PATIENCE;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_distccd");

/// The program, serving.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
    /// The lines of its log up to the one that says it listens.
    pub(crate) opening: Vec<String>,
    pub(crate) log: BufReader<std::process::ChildStderr>,
}

impl Program {
    pub(crate) fn start(toolchain: &Toolchain, words: &[&str]) -> Self {
        Self::start_limited(toolchain, ":", words)
    }

    /// Starts it after a shell has done `first`.
    pub(crate) fn start_limited(toolchain: &Toolchain, first: &str, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let file = toolchain_file(&folder, toolchain);
        let port = free_port();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("{first}; exec \"$@\""), "sh", PROGRAM])
            .arg("--toolchain")
            .arg(file)
            .args(words);
        Self::serve(command, folder, port)
    }

    /// Starts `command`, to which the rest of a quiet command line is added.
    pub(crate) fn serve(mut command: Command, folder: tempfile::TempDir, port: u16) -> Self {
        let mut child = command
            .args([
                "--daemon",
                "--no-detach",
                "--log-stderr",
                // Where tests run as root, what they make is root's.
                "--user",
                "root",
                "--listen",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .env("TMPDIR", folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut log = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let mut opening = Vec::new();
        while !opening
            .last()
            .is_some_and(|line: &String| line.contains("\"message\":\"listening\""))
        {
            opening.push(read_line(&mut log).expect("it says that it listens before it ends"));
        }
        Self {
            child,
            port,
            folder,
            opening,
            log,
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).expect("it accepts")
    }

    pub(crate) fn ask(&self, request: &Request) -> Reply {
        self.try_ask(request).expect("it answers")
    }

    pub(crate) fn try_ask(&self, request: &Request) -> Option<Reply> {
        let mut stream = self.connect();
        stream
            .write_all(&request.encode().expect("the request can be encoded"))
            .expect("it reads");
        read_reply(&mut stream)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Waits until a job says that it waits, and returns its directory.
    pub(crate) fn waiting_job(&self) -> PathBuf {
        let mut found = None;
        eventually(|| {
            found = self
                .jobs()
                .into_iter()
                .find(|job| job.join("pids").exists());
            found.is_some()
        });
        found.expect("it was found")
    }

    /// The directories of all jobs, of this and of every other program that uses its folder.
    pub(crate) fn jobs(&self) -> Vec<PathBuf> {
        let below = |folder: &Path| {
            let entries = folder.read_dir().into_iter().flatten().flatten();
            let paths = entries.map(|entry| entry.path());
            paths.filter(|path| path.is_dir()).collect::<Vec<_>>()
        };
        let roots = below(self.folder.path());
        roots.iter().flat_map(|root| below(root)).collect()
    }

    /// Reads the log from now on, so that the program never waits for a reader.
    pub(crate) fn discard_log(&self) {
        let log = self.log.get_ref().as_fd().try_clone_to_owned();
        let mut log = fs::File::from(log.expect("a descriptor is left"));
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
    }

    pub(crate) fn next_line(&mut self) -> String {
        read_line(&mut self.log).expect("it goes on logging")
    }

    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).expect("the log is text");
        self.child.wait().expect("it can be waited for").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that failed left it running.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn toolchain_file(folder: &tempfile::TempDir, toolchain: &Toolchain) -> PathBuf {
    let path = folder.path().join("toolchain.json");
    fs::write(
        &path,
        serde_json::to_vec(toolchain).expect("it can be written as JSON"),
    )
    .expect("the directory can be written");
    path
}

/// A port that nobody uses, never the same twice.
///
/// Below those that Linux chooses by itself, so that none of the many connections of tests takes it before the program
/// that it is for.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let next = || {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        // Other test programs begin elsewhere.
        let place = std::process::id().wrapping_mul(97).wrapping_add(taken);
        u16::try_from(FIRST + place % COUNT).expect("the range is one of ports")
    };
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let found = (0..COUNT).map(|_| next()).find(is_free);
    found.expect("some port is free")
}

pub(crate) fn read_line(log: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let count = log.read_line(&mut line).expect("the log is text");
    (count > 0).then_some(line)
}

pub(crate) fn read_reply(stream: &mut TcpStream) -> Option<Reply> {
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a socket takes a timeout");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it closes in order");
    Reply::decode(Version::Lzo, &answer, &Limits::default()).ok()
}

pub(crate) fn eventually(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "the condition holds in the end");
        thread::sleep(Duration::from_millis(5));
    }
}
