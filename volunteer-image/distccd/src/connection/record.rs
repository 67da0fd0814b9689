//! The one log line of a job.

use super::peer::Peer;
use super::summary;
use crate::job::{ClientCompiler, Kind, Outcome, Prepared, Shown};
use crate::stats::{Facts, Listed, Phase};
use crate::supervise::{LeaderNumber, Usage};

/// Takes down what becomes known about a job.
#[derive(Debug)]
pub(super) struct Record {
    job: Listed,
    client: Peer,
    /// How it ended, in the stock daemon's words.
    ended: summary::Ended,
}

/// How loud the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// All went as it should, mistakes of clients included.
    Ordinary,
    /// This volunteer has a problem.
    Warning,
    /// A wrong object was kept back.
    Error,
}

impl Record {
    /// Of a job that may follow.
    pub(super) fn new(job: Listed, client: Peer) -> Self {
        Self {
            job,
            client,
            ended: summary::Ended::default(),
        }
    }

    pub(super) fn arguments(&mut self, arguments: &[Vec<u8>]) {
        let mut facts = self.job.facts();
        facts.arguments = Some(arguments.len());
        facts.asked = arguments.first().map(|name| Shown::new(name));
    }

    pub(super) fn name(&mut self, name: Shown) {
        self.job.facts().name = Some(name);
        self.job.show();
    }

    /// What happens now.
    pub(super) fn enter(&mut self, phase: Phase) {
        self.job.enter(phase);
    }

    /// Its compiler runs.
    pub(super) fn compiling(&mut self, leader: LeaderNumber) {
        self.job.facts().leader = Some(leader);
        self.job.enter(Phase::Compiling);
    }

    /// Bytes of the request, as they came.
    pub(super) fn received(&mut self, bytes: u64) {
        self.job.facts().bytes_in = bytes;
    }

    /// Bytes of the source, decompressed.
    pub(super) fn source(&mut self, bytes: u64) {
        self.job.facts().source_bytes = Some(bytes);
    }

    /// The client's own compiler: told by this source, or remembered from an earlier one.
    pub(super) fn client_compiler(&mut self, compiler: &ClientCompiler, remembered: bool) {
        let mut facts = self.job.facts();
        facts.client_gcc = Some(compiler.version.to_string());
        facts.client_triple.clone_from(&compiler.triple);
        facts.remembered = remembered.then_some(true);
    }

    /// The compiler that runs, and why this one.
    pub(super) fn chosen(&mut self, job: &Prepared) {
        let mut facts = self.job.facts();
        facts.chosen = Some(job.program().display().to_string());
        facts.gcc = Some(job.major());
        facts.why = Some(job.reason().to_string());
    }

    pub(super) fn usage(&mut self, usage: Usage) {
        self.job.facts().usage = Some(usage);
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome) {
        self.ended = summary::Ended::of(outcome);
        let mut facts = self.job.facts();
        facts.outcome = Some(outcome.kind());
        facts.reason = outcome.reason();
        facts.detail = outcome.detail();
        if let Outcome::Compiled { object, .. } = outcome {
            facts.object_bytes = Some(object.len());
        }
    }

    /// Bytes of the reply, as they went.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.job.facts().bytes_out = bytes;
    }

    /// The job has ended: counts it and writes its line.
    pub(super) fn finish(&self) {
        self.job.count();
        let facts = self.job.facts();
        let names = [&facts.asked, &facts.name].map(Option::as_ref);
        let summary = summary::line(self.client, self.ended, facts.since.elapsed(), names);
        log(&facts, &summary);
    }
}

/// Writes the line: the stock daemon's summary as its message, fields that do not apply left out.
fn log(facts: &Facts, summary: &str) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                client = %facts.client,
                name = facts.name.as_ref().map(tracing::field::display),
                asked = facts.asked.as_ref().map(tracing::field::display),
                client_gcc = facts.client_gcc,
                client_triple = facts.client_triple,
                remembered = facts.remembered,
                chosen = facts.chosen,
                gcc = facts.gcc,
                why = facts.why,
                arguments = facts.arguments,
                bytes_in = facts.bytes_in,
                source_bytes = facts.source_bytes,
                object_bytes = facts.object_bytes,
                bytes_out = facts.bytes_out,
                wall_ms = facts.usage.map(|usage| milliseconds(usage.wall)),
                cpu_ms = facts.usage.map(|usage| milliseconds(usage.cpu)),
                max_rss_kib = facts.usage.map(|usage| usage.max_rss_bytes / 1024),
                outcome = facts.outcome.map_or("", Kind::word),
                detail = facts.detail,
                "{summary}"
            )
        };
    }
    match level(facts.outcome) {
        Level::Ordinary => line!(info),
        Level::Warning => line!(warn),
        Level::Error => line!(error),
    }
}

fn level(outcome: Option<Kind>) -> Level {
    match outcome {
        Some(Kind::Unsound) => Level::Error,
        Some(Kind::Unable | Kind::Killed) => Level::Warning,
        _ => Level::Ordinary,
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
