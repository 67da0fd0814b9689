//! A running process group, for who waits for its result: stop it, learn what it used.

use std::future::{self, Future};
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::oneshot;
use tokio::time;

use super::capture::Printed;
use super::leader::{Exited, Usage};
use super::leash::{LeaderNumber, Leash};

/// What a group may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// How long it may run; `None` for as long as it likes.
    pub(crate) wall: Option<Duration>,
    /// How long it has to clean up after it was told that its time is over.
    pub(crate) grace: Duration,
    /// How much of each of its two outputs is kept.
    pub(crate) printed_bytes: usize,
}

/// Why a group was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It ran longer than allowed.
    Overtime,
    /// Nobody waits for its result any more.
    ClientGone,
    /// The daemon is told to end at once.
    Shutdown,
}

/// How a group ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The leader's.
    pub(crate) status: ExitStatus,
    /// Set if it did not end by itself.
    pub(crate) stop: Option<Stop>,
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
    pub(crate) usage: Usage,
}

/// Why it is not known how a group ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// It was never started.
    #[error("cannot start it: {0}")]
    Start(io::Error),
    /// The kernel does not tell. It was killed.
    #[error("cannot wait for it: {0}")]
    Wait(io::Error),
}

/// A process group that runs or is about to. Dropped before it has ended, the whole group is killed.
#[derive(Debug)]
pub(crate) struct Group {
    leash: Arc<Leash>,
    allowance: Allowance,
    /// Closed without a word if there is no thread to start it.
    exited: oneshot::Receiver<Result<Exited, Broken>>,
}

impl Group {
    pub(super) fn new(
        leash: Arc<Leash>,
        allowance: Allowance,
        exited: oneshot::Receiver<Result<Exited, Broken>>,
    ) -> Self {
        Self {
            leash,
            allowance,
            exited,
        }
    }

    /// Its leader, for who wants to look at it.
    pub(crate) fn leader(&self) -> LeaderNumber {
        LeaderNumber(Arc::clone(&self.leash))
    }

    /// Waits until the leader has ended, or stops the group: after its allowance, or when `interrupt` says why.
    ///
    /// When this returns, no process of the group runs any more.
    pub(crate) async fn wait(
        mut self,
        interrupt: impl Future<Output = Stop>,
    ) -> Result<Ended, Broken> {
        let stop = tokio::select! {
            exited = &mut self.exited => return ended(exited, None),
            () = over(self.allowance.wall) => Stop::Overtime,
            stop = interrupt => stop,
        };
        if stop == Stop::Overtime {
            self.leash.signal(Signal::TERM);
            let graceful = time::timeout(self.allowance.grace, &mut self.exited);
            if let Ok(exited) = graceful.await {
                return ended(exited, Some(stop));
            }
        }
        self.leash.signal(Signal::KILL);
        ended((&mut self.exited).await, Some(stop))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.leash.signal(Signal::KILL);
    }
}

async fn over(wall: Option<Duration>) {
    match wall {
        Some(wall) => time::sleep(wall).await,
        None => future::pending().await,
    }
}

fn ended(
    exited: Result<Result<Exited, Broken>, oneshot::error::RecvError>,
    stop: Option<Stop>,
) -> Result<Ended, Broken> {
    let no_thread = || io::Error::other("no thread could be started to run it");
    let Exited {
        status,
        stdout,
        stderr,
        usage,
    } = exited.unwrap_or_else(|_closed| Err(Broken::Start(no_thread())))?;
    Ok(Ended {
        status,
        stop,
        stdout,
        stderr,
        usage,
    })
}
