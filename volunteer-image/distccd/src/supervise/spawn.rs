//! Starts a program and remembers that it is ours.

use std::collections::HashSet;
use std::ffi::OsString;
use std::hint;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::Pid;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::group::{Group, Leader};
use crate::sandbox::Sandbox;

/// Exactly what is to run; nothing is added and nothing is inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// Absolute path.
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// Where it runs.
    pub(crate) directory: PathBuf,
    /// What it may write to, with all that is in it.
    pub(crate) room: PathBuf,
    /// The whole environment.
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

/// The processes started here and not yet waited for.
///
/// Who collects orphans must leave these to the tasks that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Children {
    known: Mutex<HashSet<u32>>,
    /// Told whenever one has been waited for.
    pub(super) collected: Notify,
}

impl Children {
    /// Starts `command` behind `sandbox`, as the leader of its own process group: standard input is empty, standard output and error are
    /// pipes to us, every other descriptor is closed on exec.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        command: &Command,
        sandbox: &Sandbox,
    ) -> io::Result<Group> {
        // Before the start, so that no end is missed.
        let children_end = signal(SignalKind::child())?;
        let mut leader = Leader::new(self.start(command, sandbox)?, Arc::clone(self));
        // Without its limits it ends with the leader, which is dropped.
        sandbox.limit(leader.pid())?;
        let (stdout, stderr) = leader.take_pipes();
        Ok(Group::new(
            leader,
            children_end,
            receiver(stdout)?,
            receiver(stderr)?,
        ))
    }

    /// The processes known at this moment, which cannot change while the guard lives.
    pub(super) fn known(&self) -> MutexGuard<'_, HashSet<u32>> {
        // The set is whole after every statement, so a panic elsewhere does not matter.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, command: &Command, sandbox: &Sandbox) -> io::Result<Child> {
        let mut known = self.known();
        let mut process = process(command);
        let child = sandbox.within(&command.room, move || start(&mut process))?;
        known.insert(child.id());
        Ok(child)
    }
}

fn process(command: &Command) -> std::process::Command {
    let environment = command.environment.iter();
    let mut process = std::process::Command::new(&command.program);
    process
        .args(&command.arguments)
        .current_dir(&command.directory)
        .env_clear()
        .envs(environment.map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    process
}

fn start(process: &mut std::process::Command) -> io::Result<Child> {
    // The standard library asks the C library for this function by name, and a static program has it only if something
    // else needs it. Without it every start is a `fork`, which copies the page tables.
    hint::black_box(libc::posix_spawn_file_actions_addchdir_np as *const ());
    process.spawn()
}

/// The identity of a child as the kernel calls take it.
pub(super) fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn receiver(pipe: Option<OwnedFd>) -> io::Result<pipe::Receiver> {
    pipe::Receiver::from_owned_fd(pipe.expect("both outputs were asked to be pipes"))
}
