//! Processes that outlive the one that started them.
//!
//! As process 1 of a container the daemon inherits them anyway; elsewhere it asks to. Either way it must wait for them,
//! or they stay in the process table for ever; and it ends those that still run: no compiler leaves a process behind on
//! purpose, and a job's process group is killed with the job, so whoever is left has fled from its group.

use std::fs;
use std::future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use rustix::process::{Pid, Signal as Kill, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{self, Instant};

use super::spawn::Children;

/// How long after a job's end to look for processes that it left. One look serves all jobs that end meanwhile.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// Collects orphans.
#[derive(Debug)]
pub(crate) struct Orphans {
    children_end: Signal,
}

impl Orphans {
    /// Makes orphans of this process's descendants children of this process.
    pub(crate) fn adopt() -> io::Result<Self> {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        Ok(Self {
            children_end: signal(SignalKind::child())?,
        })
    }

    /// Collects orphans as they end, and ends those that do not, for ever. Processes in `children` are left to those
    /// who started them.
    pub(crate) async fn collect(mut self, children: Arc<Children>) {
        let mut look: Option<Instant> = None;
        loop {
            sweep(&children);
            // A child of ours that has ended and is not collected yet hides the orphans behind it.
            tokio::select! {
                _ = self.children_end.recv() => {}
                () = children.collected.notified() => {
                    look.get_or_insert_with(|| Instant::now() + LOOK_AFTER);
                }
                () = until(look) => {
                    let found = end_living(&children);
                    // What they started is ours only after their end.
                    look = found.then(|| Instant::now() + LOOK_AFTER);
                }
            }
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => time::sleep_until(moment).await,
        None => future::pending().await,
    }
}

fn sweep(children: &Children) {
    let known = children.known();
    let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(status) = waitid(Id::All, peek) {
        let Some(pid) = status.pid() else { return };
        let ours = u32::try_from(pid.as_raw()).is_ok_and(|pid| known.contains(&pid));
        if ours || waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_err() {
            return;
        }
        tracing::debug!(%pid, "an orphan has ended");
    }
}

/// Ends the orphans that still run, and says whether there were any.
fn end_living(children: &Children) -> bool {
    // Held so that no process is taken for an orphan between its start and its entry here.
    let known = children.known();
    let is_orphan = |pid: &Pid| {
        let number = pid.as_raw_nonzero().get().cast_unsigned();
        !known.contains(&number)
    };
    let orphans: Vec<_> = living().into_iter().filter(is_orphan).collect();
    for orphan in &orphans {
        tracing::warn!(pid = %orphan.as_raw_nonzero(), "a process has fled from its job, ending it");
        if let Err(error) = kill_process(*orphan, Kill::KILL) {
            tracing::warn!(pid = %orphan.as_raw_nonzero(), %error, "cannot end a process");
        }
    }
    !orphans.is_empty()
}

/// The children of this process, each entered with one of its threads (`proc(5)`).
fn living() -> Vec<Pid> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let lists = threads.filter_map(|thread| {
        let path = thread.ok()?.path().join("children");
        fs::read_to_string(path).ok()
    });
    let lists: Vec<_> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_whitespace());
    pids.filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw))
        .collect()
}
