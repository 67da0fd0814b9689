//! Counters for Prometheus.

use std::fmt;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

use super::facts::Facts;
use crate::job::{ClientVersion, Kind};
use std::net::IpAddr;

/// What is counted from the start of the daemon.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    pub(super) connections: Counter,
    pub(super) denied: Counter,
    pub(super) foreign: Counter,
    jobs: Family<ByOutcome, Counter>,
    reasons: Family<ByReason, Counter>,
    compilers: Family<ByCompiler, Counter>,
    bytes_in: Counter,
    bytes_out: Counter,
    compile_seconds: Histogram,
    processor_seconds: Counter<f64, AtomicU64>,
    largest_peak: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCompiler {
    major: u32,
    why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByClientVersion {
    client: String,
    version: String,
}

/// What is known only at the moment of asking.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) slots: usize,
    pub(super) running: usize,
    pub(super) waiting: usize,
    /// Jobs that another version compiled than the client's, by client and version; bounded by who counts them.
    pub(super) skewed: Vec<(IpAddr, ClientVersion, u64)>,
}

/// Precedes the name of every metric.
const PREFIX: &str = "distccd";

impl Metrics {
    pub(super) fn new() -> Self {
        // From a twentieth of a second to seven minutes.
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            connections: Counter::default(),
            denied: Counter::default(),
            foreign: Counter::default(),
            jobs: Family::default(),
            reasons: Family::default(),
            compilers: Family::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            compile_seconds: Histogram::new(exponential_buckets(0.05, 2.0, 14)),
            processor_seconds: Counter::default(),
            largest_peak: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    #[rustfmt::skip]
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("connections", "Connections accepted", self.connections.clone());
        registry.register("denied_connections", "Connections of addresses that are not on the allow list", self.denied.clone());
        registry.register("foreign_requests", "Connections that spoke another protocol", self.foreign.clone());
        registry.register("jobs", "Jobs ended, by outcome", self.jobs.clone());
        registry.register("reasons", "Jobs without an object, by outcome and reason", self.reasons.clone());
        registry.register("chosen_compilers", "Jobs by the major version chosen for them, and why", self.compilers.clone());
        registry.register("received_bytes", "Bytes of requests, as they came", self.bytes_in.clone());
        registry.register("sent_bytes", "Bytes of replies, as they went", self.bytes_out.clone());
        registry.register("compile_seconds", "Time from start to end of each compiler", self.compile_seconds.clone());
        registry.register("compile_processor_seconds", "Processor time of all compilers", self.processor_seconds.clone());
        registry.register("compile_peak_memory_bytes", "Largest resident set of any compiler so far", self.largest_peak.clone());
    }

    /// Counts a job that has come to its end.
    pub(super) fn count(&self, facts: &Facts) {
        let outcome = facts.outcome.map_or("", Kind::word);
        self.jobs.get_or_create(&ByOutcome { outcome }).inc();
        if let Some(reason) = facts.reason {
            self.reasons
                .get_or_create(&ByReason { outcome, reason })
                .inc();
        }
        if let (Some(major), Some(why)) = (facts.gcc, facts.why.clone()) {
            self.compilers
                .get_or_create(&ByCompiler { major, why })
                .inc();
        }
        self.bytes_in.inc_by(facts.bytes_in);
        self.bytes_out.inc_by(facts.bytes_out);
        if let Some(usage) = facts.usage {
            self.compile_seconds.observe(usage.wall.as_secs_f64());
            self.processor_seconds.inc_by(usage.cpu.as_secs_f64());
            let peak = i64::try_from(usage.max_rss_bytes).unwrap_or(i64::MAX);
            self.largest_peak
                .inner()
                .fetch_max(peak, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// In the text format that Prometheus reads.
    pub(super) fn encode(&self, moment: Moment) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &of_the_moment(moment))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

#[rustfmt::skip]
fn of_the_moment(moment: Moment) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let gauge = |value: usize| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge
    };
    registry.register("slots", "Compilers that may run at once", gauge(moment.slots));
    registry.register("running_jobs", "Jobs that have a slot", gauge(moment.running));
    registry.register("queued_jobs", "Jobs that wait for a slot", gauge(moment.waiting));
    let skewed: Family<ByClientVersion, Counter> = Family::default();
    for (client, version, jobs) in moment.skewed {
        let labels = ByClientVersion { client: client.to_string(), version: version.to_string() };
        skewed.get_or_create(&labels).inc_by(jobs);
    }
    registry.register("version_skew", "Jobs compiled by another major version than the client's", skewed);
    registry
}
