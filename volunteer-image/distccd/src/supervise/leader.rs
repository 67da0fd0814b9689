//! The first process of a group, from its start to its collection, on a thread that has nothing else to do.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, waitid};
use wait4::Wait4;

use super::capture::{Capture, Printed};
use super::leash::Leash;
use super::spawn::Children;

/// How a leader ended; no process of its group runs any more.
#[derive(Debug)]
pub(super) struct Exited {
    pub(super) status: ExitStatus,
    pub(super) stdout: Printed,
    pub(super) stderr: Printed,
    pub(super) usage: Usage,
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

/// A process that was started and is to be waited for.
#[derive(Debug)]
pub(super) struct Leader {
    child: Child,
    children: Arc<Children>,
    leash: Arc<Leash>,
    started: Instant,
    collected: bool,
}

impl Leader {
    /// Takes care of `child`, which was just started.
    pub(super) fn new(child: Child, children: Arc<Children>, leash: Arc<Leash>) -> Self {
        leash.start(Pid::from_child(&child));
        Self {
            child,
            children,
            leash,
            started: Instant::now(),
            collected: false,
        }
    }

    /// Waits until it has ended, and keeps what is printed to its outputs.
    ///
    /// The ends of these pipes that are for writing must stay open meanwhile: otherwise this thread would be woken when
    /// the process closes them, for nothing.
    pub(super) fn wait(mut self, mut stdout: Capture, mut stderr: Capture) -> io::Result<Exited> {
        let end = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty())?;
        while !step(&end, &mut stdout, &mut stderr)? {}
        // What is left of the group.
        self.leash.signal(Signal::KILL);
        let (status, cpu, max_rss_bytes) = self.collect()?;
        Ok(Exited {
            status,
            usage: Usage {
                wall: self.started.elapsed(),
                cpu,
                max_rss_bytes,
            },
            stdout: stdout.finish(),
            stderr: stderr.finish(),
        })
    }

    /// Collects it, which has ended, and tells its status, its processor time and its largest resident set in bytes.
    fn collect(&mut self) -> io::Result<(ExitStatus, Duration, u64)> {
        self.collected = true;
        let ended = self.leash.end(|| {
            let mut known = self.children.known();
            known.remove(&self.child.id());
            self.child.try_wait4()
        })?;
        self.children.collect();
        let ended = ended
            .ok_or_else(|| io::Error::other("the leader of a process group runs after its end"))?;
        let cpu = ended.rusage.utime + ended.rusage.stime;
        Ok((ended.status, cpu, ended.rusage.maxrss))
    }
}

/// Waits for the next thing to happen, and says whether it was the end.
fn step(end: &OwnedFd, stdout: &mut Capture, stderr: &mut Capture) -> io::Result<bool> {
    let mut watched = [
        PollFd::new(end, PollFlags::IN),
        PollFd::new(stdout, PollFlags::IN),
        PollFd::new(stderr, PollFlags::IN),
    ];
    match poll(&mut watched, None) {
        Err(Errno::INTR) => return Ok(false),
        other => other?,
    };
    let [ended, out, err] = watched.map(|fd| !fd.revents().is_empty());
    if ended {
        return Ok(true);
    }
    if out {
        stdout.read();
    }
    if err {
        stderr.read();
    }
    Ok(false)
}

/// Of one that cannot be waited for, nothing is left either.
impl Drop for Leader {
    fn drop(&mut self) {
        if !self.collected {
            self.leash.signal(Signal::KILL);
            let leader = || WaitId::Pid(Pid::from_child(&self.child));
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(leader(), ended), Err(Errno::INTR)) {}
            drop(self.collect());
        }
    }
}
