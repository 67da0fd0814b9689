//! Processes that outlive the one that started them.
//!
//! As process 1 of a container the daemon inherits them anyway; elsewhere it asks to. Either way it must wait for them,
//! or they stay in the process table for ever.

use std::io;
use std::sync::Arc;

use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::spawn::Children;

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

    /// Collects orphans as they end, for ever. Processes in `children` are left to those who started them.
    pub(crate) async fn collect(mut self, children: Arc<Children>) {
        loop {
            sweep(&children);
            // A child of ours that has ended and is not collected yet hides the orphans behind it.
            tokio::select! {
                _ = self.children_end.recv() => {}
                () = children.collected.notified() => {}
            }
        }
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
