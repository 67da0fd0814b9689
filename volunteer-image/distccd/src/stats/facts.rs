//! What is known of one job, from its arguments to its end: for the log, and for who asks meanwhile.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::machine;
use crate::job::{Kind, Shown};
use crate::supervise::{LeaderNumber, Usage};

/// What is known of a job so far.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) client: IpAddr,
    pub(crate) since: Instant,
    /// When it came to its end.
    pub(super) ended: Option<Instant>,
    pub(crate) phase: Phase,
    /// The source's name.
    pub(crate) name: Option<Shown>,
    /// The compiler's name as the client sent it.
    pub(crate) asked: Option<Shown>,
    pub(crate) client_gcc: Option<String>,
    pub(crate) client_triple: Option<String>,
    /// Whether the client's compiler is known from an earlier job.
    pub(crate) remembered: Option<bool>,
    /// The program that runs.
    pub(crate) chosen: Option<String>,
    pub(crate) gcc: Option<u32>,
    pub(crate) why: Option<String>,
    /// The process that runs it.
    pub(crate) leader: Option<LeaderNumber>,
    pub(crate) arguments: Option<usize>,
    pub(crate) bytes_in: u64,
    pub(crate) source_bytes: Option<u64>,
    pub(crate) object_bytes: Option<usize>,
    pub(crate) bytes_out: u64,
    pub(crate) usage: Option<Usage>,
    pub(crate) outcome: Option<Kind>,
    /// One stable word on why there is no object.
    pub(crate) reason: Option<&'static str>,
    /// The same for people.
    pub(crate) detail: Option<String>,
}

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// The client preprocesses or sends.
    Receiving,
    /// It waits for a slot.
    Queued,
    /// Its compiler runs.
    Compiling,
    /// The reply is on its way.
    Replying,
    /// All is over.
    Finished,
}

impl Facts {
    /// Nothing is known but where it comes from.
    pub(crate) fn new(client: IpAddr) -> Self {
        Self {
            client,
            since: Instant::now(),
            ended: None,
            phase: Phase::Receiving,
            name: None,
            asked: None,
            client_gcc: None,
            client_triple: None,
            remembered: None,
            chosen: None,
            gcc: None,
            why: None,
            leader: None,
            arguments: None,
            bytes_in: 0,
            source_bytes: None,
            object_bytes: None,
            bytes_out: 0,
            usage: None,
            outcome: None,
            reason: None,
            detail: None,
        }
    }

    /// From its connection on; of its compiler alone once it has come to its end.
    fn elapsed(&self) -> Duration {
        match (self.ended, self.usage) {
            (Some(_), Some(usage)) => usage.wall,
            (Some(ended), None) => ended.saturating_duration_since(self.since),
            (None, _) => self.since.elapsed(),
        }
    }

    /// As one entry of `/jobs`, and the process that leads its compiler as long as that runs.
    pub(super) fn describe(&self) -> (Description, Option<i32>) {
        let text = |shown: &Option<Shown>| shown.as_ref().map(Shown::to_string);
        let leader = self.leader.as_ref().and_then(LeaderNumber::pid);
        let description = Description {
            client: self.client,
            file: text(&self.name),
            asked: text(&self.asked),
            client_gcc: self.client_gcc.clone(),
            compiler: self.chosen.clone(),
            gcc: self.gcc,
            why: self.why.clone(),
            phase: self.phase,
            seconds: self.elapsed().as_secs_f64(),
            peak_memory_bytes: self.usage.map(|usage| usage.max_rss_bytes),
            outcome: self.outcome.map(Kind::word),
            detail: self.detail.clone(),
        };
        (description, leader)
    }
}

impl Description {
    /// Asks the kernel what `leader` and what it started have needed so far, where that is not known yet.
    pub(super) fn with_peak_of(mut self, leader: Option<i32>) -> Self {
        self.peak_memory_bytes = self
            .peak_memory_bytes
            .or_else(|| leader.and_then(machine::peak_bytes));
        self
    }
}

/// One entry of `/jobs`.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    client: IpAddr,
    file: Option<String>,
    /// The compiler's name as the client sent it.
    asked: Option<String>,
    /// The client's own compiler.
    client_gcc: Option<String>,
    compiler: Option<String>,
    gcc: Option<u32>,
    /// Why this compiler.
    why: Option<String>,
    phase: Phase,
    /// Since its connection, or of its compiler once the job has ended.
    seconds: f64,
    peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}
