//! What the daemon does and has done, for who asks.
//!
//! ```text
//! connection ──writes──► Facts of each job ──at its end──► counters, history
//!                              │                                 │
//!                              └──────────► server ◄─────────────┘
//!                        /jobs  /metrics  /toolchain  /healthz, anything else: the stock daemon's text
//! ```
//!
//! Jobs write down what they are about anyway, for the log ([`facts`]); that these are listed is all that statistics cost
//! a job. What is not counted is read from the kernel when somebody asks ([`machine`]).

mod facts;
mod history;
mod machine;
mod metrics;
mod server;
mod stock;
mod toolchain;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::job::Kind;
use history::History;
use machine::DiskRate;
use metrics::Metrics;
use stock::Counts;

pub(crate) use facts::{Facts, Phase};
pub(crate) use server::serve;

/// Everything that is counted, and every job there is.
#[derive(Debug)]
pub(crate) struct Statistics {
    started: Instant,
    metrics: Metrics,
    totals: Mutex<Totals>,
    jobs: Mutex<Jobs>,
    disk: DiskRate,
}

/// For the stock daemon's text.
#[derive(Debug, Default)]
struct Totals {
    counts: Counts,
    /// The slowest job that succeeded: its file, its compiler and its time.
    longest: Option<(String, String, Duration)>,
    history: History,
}

/// Jobs by the order of their arrival.
#[derive(Debug, Default)]
struct Jobs {
    arrived: u64,
    present: BTreeMap<u64, Arc<Mutex<Facts>>>,
    /// The newest last.
    finished: VecDeque<Arc<Mutex<Facts>>>,
}

/// Ended jobs that can still be asked for.
const FINISHED: usize = 20;

/// A job among the statistics, listed once it has a name, until it is dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    statistics: Arc<Statistics>,
    facts: Arc<Mutex<Facts>>,
    number: Option<u64>,
}

impl Statistics {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            metrics: Metrics::new(),
            totals: Mutex::default(),
            jobs: Mutex::default(),
            disk: DiskRate::default(),
        })
    }

    /// Counts a connection, whoever it is.
    pub(crate) fn connected(&self) {
        self.metrics.connections.inc();
    }

    /// Counts a connection of an address that is not allowed.
    pub(crate) fn denied(&self) {
        self.metrics.denied.inc();
    }

    /// Counts a connection that spoke another protocol.
    pub(crate) fn foreign(&self) {
        self.metrics.foreign.inc();
        lock(&self.totals).counts.bad_requests += 1;
    }

    /// A job of `client` may follow.
    pub(crate) fn job(self: &Arc<Self>, client: IpAddr) -> Listed {
        Listed {
            statistics: Arc::clone(self),
            facts: Arc::new(Mutex::new(Facts::new(client))),
            number: None,
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Listed {
    /// What is known of the job.
    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    /// From now on it is listed.
    pub(crate) fn show(&mut self) {
        let mut jobs = lock(&self.statistics.jobs);
        jobs.arrived += 1;
        let number = jobs.arrived;
        jobs.present.insert(number, Arc::clone(&self.facts));
        self.number = Some(number);
    }

    /// The job does something else now.
    pub(crate) fn enter(&self, phase: Phase) {
        let before = std::mem::replace(&mut self.facts().phase, phase);
        let (was, is) = (before == Phase::Compiling, phase == Phase::Compiling);
        if was != is {
            let now = self.statistics.now();
            let history = &mut lock(&self.statistics.totals).history;
            if is {
                history.started(now);
            } else {
                history.stopped(now);
            }
        }
    }

    /// The job has ended with an outcome: counts it.
    pub(crate) fn count(&self) {
        let facts = self.facts();
        self.statistics.metrics.count(&facts);
        lock(&self.statistics.totals).count(&facts, self.statistics.now());
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.enter(Phase::Finished);
        self.facts().ended = Some(Instant::now());
        let Some(number) = self.number else { return };
        let mut jobs = lock(&self.statistics.jobs);
        if let Some(facts) = jobs.present.remove(&number) {
            jobs.finished.push_back(facts);
        }
        if jobs.finished.len() > FINISHED {
            jobs.finished.pop_front();
        }
    }
}

impl Totals {
    fn count(&mut self, facts: &Facts, now: Duration) {
        let Some(kind) = facts.outcome else { return };
        *self.counts.of(kind, facts.reason) += 1;
        if matches!(
            kind,
            Kind::Compiled | Kind::Failed | Kind::Killed | Kind::Overtime | Kind::ClientGone
        ) {
            self.history.finished(now);
        }
        let wall = facts.usage.map_or(Duration::ZERO, |usage| usage.wall);
        let is_longest = self
            .longest
            .as_ref()
            .is_none_or(|(.., longest)| *longest < wall);
        if kind == Kind::Compiled && is_longest {
            let text = |shown: &Option<crate::job::Shown>| {
                shown.as_ref().map(ToString::to_string).unwrap_or_default()
            };
            self.longest = Some((text(&facts.name), text(&facts.asked), wall));
        }
    }
}

impl Counts {
    /// Where the stock daemon counts such a job. It never says that it is overloaded; this one does.
    fn of(&mut self, kind: Kind, reason: Option<&'static str>) -> &mut u64 {
        match (kind, reason) {
            (Kind::Compiled, _) => &mut self.compiled,
            (Kind::Failed | Kind::Killed, _) => &mut self.failed,
            (Kind::Overtime, _) => &mut self.overtime,
            (Kind::ClientGone, _) => &mut self.client_gone,
            (_, Some("malformed" | "over-limit")) => &mut self.bad_requests,
            (_, Some("overload" | "crowded")) => &mut self.overload,
            _ => &mut self.other,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole after every statement, so a panic elsewhere does not matter.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
