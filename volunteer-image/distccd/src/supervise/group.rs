//! A running process group: wait for it, stop it, learn what it used.

use std::future::{self, Future};
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::net::unix::pipe;
use tokio::time;
use wait4::Wait4;

use super::capture::{Capture, Printed};
use super::spawn::{Children, pid_of};

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

/// What the leader, and every process it waited for, used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time together.
    pub(crate) cpu: Duration,
    /// The largest resident set of any of them.
    pub(crate) max_rss_bytes: u64,
}

/// A running process group. Dropped before it has ended, the whole group is killed.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Leader,
    /// Tells that some child of this process has ended.
    children_end: tokio::signal::unix::Signal,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    started: Instant,
}

impl Group {
    pub(super) fn new(
        leader: Leader,
        children_end: tokio::signal::unix::Signal,
        stdout: pipe::Receiver,
        stderr: pipe::Receiver,
    ) -> Self {
        Self {
            leader,
            children_end,
            stdout,
            stderr,
            started: Instant::now(),
        }
    }

    /// The number of its leader.
    pub(crate) fn pid(&self) -> i32 {
        self.leader.pid().as_raw_pid()
    }

    /// Waits until the leader has ended, or stops the group: after `allowance.wall`, or when `interrupt` says why.
    ///
    /// When this returns, no process of the group runs any more.
    pub(crate) async fn wait(
        self,
        allowance: Allowance,
        interrupt: impl Future<Output = Stop>,
    ) -> io::Result<Ended> {
        let Self {
            mut leader,
            mut children_end,
            stdout,
            stderr,
            started,
        } = self;
        let mut stdout = Capture::new(stdout, allowance.printed_bytes);
        let mut stderr = Capture::new(stderr, allowance.printed_bytes);
        let mut ended = async || -> io::Result<()> {
            tokio::select! {
                ended = leader.ended(&mut children_end) => ended,
                never = read_both(&mut stdout, &mut stderr) => match never {},
            }
        };
        let stop = tokio::select! {
            result = ended() => { result?; None }
            () = over(allowance.wall) => Some(Stop::Overtime),
            stop = interrupt => Some(stop),
        };
        if stop == Some(Stop::Overtime) {
            leader.signal_group(Signal::TERM);
            // Whether it used its grace or not, what is left of the group is killed below.
            drop(time::timeout(allowance.grace, ended()).await);
        }
        leader.signal_group(Signal::KILL);
        ended().await?;
        let (status, cpu, max_rss_bytes) = leader.collect()?;
        let usage = Usage {
            wall: started.elapsed(),
            cpu,
            max_rss_bytes,
        };
        Ok(Ended {
            status,
            stop,
            stdout: stdout.finish(),
            stderr: stderr.finish(),
            usage,
        })
    }
}

enum Never {}

async fn read_both(stdout: &mut Capture, stderr: &mut Capture) -> Never {
    tokio::join!(stdout.read(), stderr.read());
    // A process may close its outputs and go on.
    future::pending().await
}

async fn over(wall: Option<Duration>) {
    match wall {
        Some(wall) => time::sleep(wall).await,
        None => future::pending().await,
    }
}

/// The first process of a group, which has not been waited for.
#[derive(Debug)]
pub(super) struct Leader {
    child: Child,
    children: Arc<Children>,
    collected: bool,
}

impl Leader {
    pub(super) fn new(child: Child, children: Arc<Children>) -> Self {
        Self {
            child,
            children,
            collected: false,
        }
    }

    pub(super) fn pid(&self) -> Pid {
        pid_of(&self.child)
    }

    pub(super) fn take_pipes(&mut self) -> (Option<OwnedFd>, Option<OwnedFd>) {
        (
            self.child.stdout.take().map(OwnedFd::from),
            self.child.stderr.take().map(OwnedFd::from),
        )
    }

    /// Signals every process of the group. The leader has not been waited for, so its number still means this group.
    fn signal_group(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.pid(), signal) {
            tracing::warn!(pid = self.child.id(), %error, "cannot signal a process group");
        }
    }

    /// Waits until the leader has ended, without collecting it.
    async fn ended(&self, children_end: &mut tokio::signal::unix::Signal) -> io::Result<()> {
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(self.pid()), peek)?.is_none() {
            children_end.recv().await;
        }
        Ok(())
    }

    /// Collects the leader, which has ended: its status, CPU time and largest resident set in bytes.
    fn collect(&mut self) -> io::Result<(ExitStatus, Duration, u64)> {
        let mut known = self.children.known();
        let ended = self.child.try_wait4()?;
        let ended = ended
            .ok_or_else(|| io::Error::other("the leader of a process group runs after its end"))?;
        known.remove(&self.child.id());
        drop(known);
        self.collected = true;
        self.children.collected.notify_one();
        Ok((
            ended.status,
            ended.rusage.utime + ended.rusage.stime,
            ended.rusage.maxrss,
        ))
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.collected {
            return;
        }
        self.signal_group(Signal::KILL);
        // From now on it is like an orphan, and collected like one.
        self.children.known().remove(&self.child.id());
        self.children.collected.notify_one();
    }
}
