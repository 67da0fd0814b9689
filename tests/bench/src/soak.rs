//! Very many jobs, good and bad, and then a look at what they left behind.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::compilers::NullCompiler;
use crate::daemon::{Daemon, Kind, Setup};
use crate::errand::Errands;
use crate::processes::{descriptors, entries, status_bytes, tree};

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Soak {
    /// Jobs, hang-ups included.
    pub jobs: usize,
    /// Clients at once.
    pub connections: usize,
}

/// What was seen; nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// From the first job to the last reply.
    pub wall: Duration,
    /// When it had nothing to do, after the first tenth of all jobs and after all of them.
    pub calm: [Calm; 2],
}

/// What a daemon that has nothing to do holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calm {
    /// Open descriptors.
    pub descriptors: usize,
    /// Resident memory.
    pub resident_bytes: u64,
}

/// How much the resident memory may grow after the first tenth of all jobs: allocators keep some in reserve.
const GROWTH_BYTES: u64 = 4 << 20;

/// Longest time that the end of the last jobs may take.
const PATIENCE: Duration = Duration::from_mins(1);

impl Soak {
    /// Does it all with a daemon of ours.
    ///
    /// # Errors
    /// Says what went wrong, or what was left behind.
    pub fn run(self, setup: &Setup, null: &NullCompiler) -> Result<Seen> {
        let daemon = Daemon::start(setup, Kind::Ours, &null.compilers())?;
        let errands = Errands::new()?;
        // It has a directory of its own, which all jobs are in.
        let own = entries(&daemon.workspace())?;
        let begun = Instant::now();
        let first = self.jobs / 10;
        self.send(daemon.address(), &errands, 0..first)?;
        let early = Calm::of(&daemon, own)?;
        self.send(daemon.address(), &errands, first..self.jobs)?;
        let wall = begun.elapsed();
        let late = Calm::of(&daemon, own)?;
        ensure!(
            late.descriptors <= early.descriptors,
            "descriptors leak: {} were open, now {} are",
            early.descriptors,
            late.descriptors
        );
        ensure!(
            late.resident_bytes <= early.resident_bytes + GROWTH_BYTES,
            "memory leaks: {} bytes were resident, now {} are",
            early.resident_bytes,
            late.resident_bytes
        );
        let status = daemon.end()?;
        ensure!(
            status.success(),
            "told to end, the daemon ended with {status}"
        );
        Ok(Seen {
            wall,
            calm: [early, late],
        })
    }

    fn send(
        self,
        address: SocketAddr,
        errands: &Errands,
        numbers: std::ops::Range<usize>,
    ) -> Result<()> {
        let taken = AtomicUsize::new(numbers.start);
        let wrong = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..self.connections {
                scope.spawn(|| {
                    let mut scratch = Vec::new();
                    loop {
                        let number = taken.fetch_add(1, Ordering::Relaxed);
                        if number >= numbers.end {
                            return;
                        }
                        if let Err(why) = errands.run(number, address, &mut scratch) {
                            wrong.lock().expect("no client panics").push(why);
                        }
                    }
                });
            }
        });
        let wrong = wrong.into_inner()?;
        if let Some(first) = wrong.first() {
            bail!("{} jobs went wrong, the first: {first}", wrong.len());
        }
        Ok(())
    }
}

impl Calm {
    /// Waits until the daemon has neither children, ended or not, nor files.
    fn of(daemon: &Daemon, own: usize) -> Result<Self> {
        let end = Instant::now() + PATIENCE;
        loop {
            let Some(left) = left_behind(daemon, own)? else {
                break;
            };
            ensure!(Instant::now() < end, "left behind: {left}");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self {
            descriptors: descriptors(daemon.pid())?,
            resident_bytes: status_bytes(daemon.pid(), "VmRSS"),
        })
    }
}

fn left_behind(daemon: &Daemon, own: usize) -> Result<Option<String>> {
    let processes = tree(daemon.pid()).len() - 1;
    let files = entries(&daemon.workspace())?.saturating_sub(own);
    let left = format!("{processes} processes and {files} files of jobs");
    Ok((processes + files > 0).then_some(left))
}
