//! The one log line of a job.

use std::time::Instant;

use super::peer::Peer;
use super::summary;
use crate::job::{ClientCompiler, Outcome, Prepared, Shown};
use crate::supervise::Usage;

/// What is known about a job so far.
#[derive(Debug)]
pub(super) struct Record {
    client: Peer,
    began: Instant,
    name: Option<Shown>,
    asked: Option<Shown>,
    client_gcc: Option<String>,
    client_triple: Option<String>,
    remembered: Option<bool>,
    chosen: Option<String>,
    gcc: Option<u32>,
    why: Option<String>,
    arguments: Option<usize>,
    bytes_in: u64,
    source_bytes: Option<u64>,
    object_bytes: Option<usize>,
    bytes_out: u64,
    usage: Option<Usage>,
    outcome: &'static str,
    /// In the stock daemon's words.
    ended: summary::Ended,
    detail: Option<String>,
    level: Level,
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
    pub(super) fn new(peer: Peer) -> Self {
        Self {
            client: peer,
            began: Instant::now(),
            name: None,
            asked: None,
            client_gcc: None,
            client_triple: None,
            remembered: None,
            chosen: None,
            gcc: None,
            why: None,
            arguments: None,
            bytes_in: 0,
            source_bytes: None,
            object_bytes: None,
            bytes_out: 0,
            usage: None,
            outcome: "",
            ended: summary::Ended::default(),
            detail: None,
            level: Level::Ordinary,
        }
    }

    pub(super) fn arguments(&mut self, arguments: &[Vec<u8>]) {
        self.arguments = Some(arguments.len());
        self.asked = arguments.first().map(|name| Shown::new(name));
    }

    pub(super) fn name(&mut self, name: Shown) {
        self.name = Some(name);
    }

    /// Bytes of the request, as they came.
    pub(super) fn received(&mut self, bytes: u64) {
        self.bytes_in = bytes;
    }

    /// Bytes of the source, decompressed.
    pub(super) fn source(&mut self, bytes: u64) {
        self.source_bytes = Some(bytes);
    }

    /// The client's own compiler: told by this source, or remembered from an earlier one.
    pub(super) fn client_compiler(&mut self, compiler: &ClientCompiler, remembered: bool) {
        self.client_gcc = Some(compiler.version.to_string());
        self.client_triple.clone_from(&compiler.triple);
        self.remembered = remembered.then_some(true);
    }

    /// The compiler that runs, and why this one.
    pub(super) fn chosen(&mut self, job: &Prepared) {
        self.chosen = Some(job.program().display().to_string());
        self.gcc = Some(job.major());
        self.why = Some(job.reason().to_string());
    }

    pub(super) fn usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome) {
        self.outcome = outcome.word();
        self.ended = summary::Ended::of(outcome);
        self.detail = outcome.detail();
        (self.object_bytes, self.level) = match outcome {
            Outcome::Compiled { object, .. } => (Some(object.len()), Level::Ordinary),
            Outcome::Unsound(_) => (None, Level::Error),
            Outcome::Unable(_) | Outcome::Killed { .. } => (None, Level::Warning),
            Outcome::Failed(_)
            | Outcome::Overtime(_)
            | Outcome::Refused(_)
            | Outcome::ClientGone => (None, Level::Ordinary),
        };
    }

    /// Bytes of the reply, as they went.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.bytes_out = bytes;
    }

    /// Writes the line: the stock daemon's summary as its message, fields that do not apply left out.
    pub(super) fn log(&self) {
        let summary = summary::line(
            self.client,
            self.ended,
            self.began.elapsed(),
            [&self.asked, &self.name].map(Option::as_ref),
        );
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    client = %self.client.ip(),
                    name = self.name.as_ref().map(tracing::field::display),
                    asked = self.asked.as_ref().map(tracing::field::display),
                    client_gcc = self.client_gcc,
                    client_triple = self.client_triple,
                    remembered = self.remembered,
                    chosen = self.chosen,
                    gcc = self.gcc,
                    why = self.why,
                    arguments = self.arguments,
                    bytes_in = self.bytes_in,
                    source_bytes = self.source_bytes,
                    object_bytes = self.object_bytes,
                    bytes_out = self.bytes_out,
                    wall_ms = self.usage.map(|usage| milliseconds(usage.wall)),
                    cpu_ms = self.usage.map(|usage| milliseconds(usage.cpu)),
                    max_rss_kib = self.usage.map(|usage| usage.max_rss_bytes / 1024),
                    outcome = self.outcome,
                    detail = self.detail,
                    "{summary}"
                )
            };
        }
        match self.level {
            Level::Ordinary => line!(info),
            Level::Warning => line!(warn),
            Level::Error => line!(error),
        }
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
