//! Processes that outlive the one that started them.
//!
//! As process 1 of a container the daemon inherits them anyway; elsewhere it asks to. Either way it must wait for them,
//! or they stay in the process table for ever; and it ends those that still run: no compiler leaves a process behind on
//! purpose, and a job's process group is killed with the job, so whoever is left has fled from its group.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::time;

use super::spawn::Children;

/// How long after a job's end to look for processes that it left. One look serves all jobs that end meanwhile.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// How often to look without a reason: somebody else may have started a process in the container and left.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// Collects orphans.
#[derive(Debug)]
pub(crate) struct Orphans;

impl Orphans {
    /// Makes orphans of this process's descendants children of this process. Process 1, which a container's daemon is,
    /// need not ask for that.
    pub(crate) fn adopt() -> io::Result<Self> {
        let own = rustix::process::getpid();
        if !own.is_init() {
            rustix::process::set_child_subreaper(Some(own))?;
        }
        Ok(Self)
    }

    /// Collects orphans, and ends those that still run, for ever. Processes in `children` are left to those who started
    /// them.
    pub(crate) async fn collect(self, children: Arc<Children>) {
        let mut pause = LOOK_ANYWAY;
        loop {
            tokio::select! {
                () = children.first_collected.notified() => pause = LOOK_AFTER,
                () = time::sleep(pause) => {
                    children.look();
                    // Their end is to be collected, and what they started is ours only after it.
                    pause = if end_all(&children) { LOOK_AFTER } else { LOOK_ANYWAY };
                }
            }
        }
    }
}

/// Collects the orphans that have ended, ends the others, and says whether there were such.
fn end_all(children: &Children) -> bool {
    // Held so that no process is taken for an orphan between its start and its entry here.
    let known = children.known();
    let is_orphan = |pid: &Pid| {
        let number = pid.as_raw_nonzero().get().cast_unsigned();
        !known.contains(&number)
    };
    let mut found = false;
    for orphan in all().into_iter().filter(is_orphan) {
        if let Ok(Some(_)) = waitpid(Some(orphan), WaitOptions::NOHANG) {
            tracing::debug!(pid = %orphan.as_raw_nonzero(), "an orphan has ended");
            continue;
        }
        found = true;
        tracing::warn!(pid = %orphan.as_raw_nonzero(), "a process has fled from its job, ending it");
        if let Err(error) = kill_process(orphan, Signal::KILL) {
            tracing::warn!(pid = %orphan.as_raw_nonzero(), %error, "cannot end a process");
        }
    }
    found
}

/// The children of this process, ended or not, each entered with one of its threads (`proc(5)`).
fn all() -> Vec<Pid> {
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
