//! Starts a program and remembers that it is ours.

use std::collections::HashSet;
use std::ffi::OsString;
use std::hint;
use std::io::{self, PipeReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::capture::Capture;
use super::group::{Allowance, Broken, Group};
use super::leader::Leader;
use super::leash::Leash;
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
/// Who collects orphans must leave these to the threads that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Children {
    known: Mutex<HashSet<u32>>,
    /// Whether one has been waited for since it was last asked.
    collected: AtomicBool,
    /// Told when that becomes true.
    pub(super) first_collected: Notify,
}

impl Children {
    /// Starts `command` behind `sandbox`, as the leader of its own process group: standard input is empty, standard
    /// output and error are pipes to us, every other descriptor is closed on exec.
    ///
    /// It is started, and waited for, by a thread of its own: whether it starts at all, the group tells in the end.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        command: &Command,
        sandbox: &Sandbox,
        allowance: Allowance,
    ) -> Group {
        let leash = Arc::new(Leash::default());
        let (tell, exited) = oneshot::channel();
        let mut process = process(command);
        let (children, held) = (Arc::clone(self), Arc::clone(&leash));
        sandbox.within(
            &command.room,
            move |limiter| {
                let (stdout, stderr) = outputs(&mut process).map_err(Broken::Start)?;
                let child = children.start(|| limiter.start(|| start(&mut process)));
                let leader = Leader::new(child.map_err(Broken::Start)?, children, held);
                let kept = |output| Capture::new(output, allowance.printed_bytes);
                let exited = leader.wait(kept(stdout), kept(stderr));
                // It has the ends for writing.
                drop(process);
                exited.map_err(Broken::Wait)
            },
            // Nobody may wait any more.
            |exited| drop(tell.send(exited.map_err(Broken::Start).flatten())),
        );
        Group::new(leash, allowance, exited)
    }

    /// The processes known at this moment, which cannot change while the guard lives.
    pub(super) fn known(&self) -> MutexGuard<'_, HashSet<u32>> {
        // The set is whole after every statement, so a panic elsewhere does not matter.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One has been waited for.
    pub(super) fn collect(&self) {
        if !self.collected.swap(true, Ordering::AcqRel) {
            self.first_collected.notify_one();
        }
    }

    /// Whoever is waited for from now on is told of again.
    pub(super) fn look(&self) {
        self.collected.store(false, Ordering::Release);
    }

    fn start(&self, start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
        let mut known = self.known();
        let child = start()?;
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
        .process_group(0);
    process
}

/// Gives `process` pipes for its outputs, and returns the ends for reading.
fn outputs(process: &mut std::process::Command) -> io::Result<(PipeReader, PipeReader)> {
    let (stdout, to_stdout) = io::pipe()?;
    let (stderr, to_stderr) = io::pipe()?;
    process.stdout(to_stdout).stderr(to_stderr);
    Ok((stdout, stderr))
}

fn start(process: &mut std::process::Command) -> io::Result<Child> {
    // The standard library asks the C library for this function by name, and a static program has it only if something
    // else needs it. Without it every start is a `fork`, which copies the page tables.
    hint::black_box(libc::posix_spawn_file_actions_addchdir_np as *const ());
    process.spawn()
}
