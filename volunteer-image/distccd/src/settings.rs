//! What a running server goes by.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use distcc_wire::Limits;

use crate::admission::AllowList;
use crate::sandbox::{CompilerLimits, Layers};

/// What a [`Server`](crate::Server) goes by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may send jobs.
    pub allow: AllowList,
    /// How many compilers run at once.
    pub jobs: NonZeroUsize,
    /// How many clients may be connected at once, those included whose source is still arriving.
    pub connections: NonZeroUsize,
    /// How many of these connections may be of one client address.
    pub client_connections: NonZeroUsize,
    /// How many jobs may wait for a slot.
    pub queue: NonZeroUsize,
    /// Where job directories are made.
    pub workspace: PathBuf,
    /// Whether job directories stay after their jobs, for somebody who looks for a fault.
    pub keep_jobs: bool,
    /// What a request may ask for.
    pub limits: Limits,
    /// How much of each of a compiler's outputs is sent back, in bytes.
    pub printed_bytes: usize,
    /// How long an object may be, in bytes.
    pub object_bytes: u64,
    /// What becomes of jobs whose client has another compiler version.
    pub version_skew: VersionSkew,
    /// What is between a compiler and this machine.
    pub sandbox: Layers,
    /// What each process of a compiler may use.
    pub compiler_limits: CompilerLimits,
    /// How long each step may take.
    pub deadlines: Deadlines,
}

/// What becomes of a job whose client's major compiler version is not installed, where the client did not name one.
///
/// Jobs with `-flto` are refused whatever this says: their objects could not be linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionSkew {
    /// Compiled by the version that fits best; logged once for each client and version, and counted.
    #[default]
    Warn,
    /// Refused.
    Refuse,
    /// Compiled by the version that fits best.
    Ignore,
}

impl FromStr for VersionSkew {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        match text {
            "warn" => Ok(Self::Warn),
            "refuse" => Ok(Self::Refuse),
            "ignore" => Ok(Self::Ignore),
            _ => Err(UnknownPolicy),
        }
    }
}

/// A word that is the name of no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither warn, refuse nor ignore")]
pub struct UnknownPolicy;

/// How long each step may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// From the connection to the last argument. Default 30 s: clients send all of them at once.
    pub header: Duration,
    /// From the last argument to the source. Default 10 min: the client's preprocessor runs meanwhile.
    pub preprocessing: Duration,
    /// For the whole source. Default 10 min.
    pub source: Duration,
    /// Between two pieces of the source, and between two of the reply. Default 60 s.
    pub idle: Duration,
    /// For a job to wait for a slot. Default 4 min: the usual client gives a silent server up after 5 min.
    pub queue: Duration,
    /// For one compile; `None` for no end. Default 30 min, more than any client waits.
    pub job: Option<Duration>,
    /// Before a client that waits for its reply hears the first byte of it. Default 1.5 s, for clients whose patience is
    /// 2 s; the other bytes follow more and more slowly.
    pub sign_of_life: Duration,
    /// For a compiler to clean up after its deadline. Default 2 s.
    pub job_grace: Duration,
    /// For reading on after a refusal, so that the client reads the reason. Default 10 min, as for a preprocessor.
    pub drain: Duration,
    /// For jobs in flight after the daemon was told to end. Default 60 s.
    pub shutdown: Duration,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            header: MINUTE / 2,
            preprocessing: 10 * MINUTE,
            source: 10 * MINUTE,
            idle: MINUTE,
            queue: 4 * MINUTE,
            job: Some(30 * MINUTE),
            sign_of_life: Duration::from_millis(1500),
            job_grace: Duration::from_secs(2),
            drain: 10 * MINUTE,
            shutdown: MINUTE,
        }
    }
}

/// Most of a compiler's output that is sent back, in bytes: whoever prints more says the same thing again and again.
const PRINTED_BYTES: usize = 4 << 20;

/// Largest object, in bytes: as much as a request's body may have.
const OBJECT_BYTES: u64 = 1 << 30;

impl Settings {
    /// Settings for `jobs` compilers at once and the clients in `allow`; everything else at its default.
    pub fn new(jobs: NonZeroUsize, allow: AllowList, workspace: PathBuf) -> Self {
        let connections = connections_for(jobs);
        Self {
            allow,
            jobs,
            connections,
            client_connections: share_of_one_client(connections),
            queue: connections,
            workspace,
            keep_jobs: false,
            limits: Limits::default(),
            printed_bytes: PRINTED_BYTES,
            object_bytes: OBJECT_BYTES,
            version_skew: VersionSkew::default(),
            sandbox: Layers::default(),
            compiler_limits: CompilerLimits::default(),
            deadlines: Deadlines::default(),
        }
    }

    /// Lets `connections` clients in at once, with the usual share for one of them and for the queue.
    pub(crate) fn limit_connections(&mut self, connections: NonZeroUsize) {
        self.connections = connections;
        self.client_connections = share_of_one_client(connections);
        self.queue = connections;
    }
}

/// Half: enough for a build with 128 jobs at once, and it leaves room for others.
fn share_of_one_client(connections: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(connections.get() / 2).unwrap_or(NonZeroUsize::MIN)
}

/// Clients connect before their preprocessor is done, so more of them than slots must find room.
fn connections_for(jobs: NonZeroUsize) -> NonZeroUsize {
    const PER_JOB: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not zero");
    const AT_LEAST: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not zero");
    jobs.saturating_mul(PER_JOB).max(AT_LEAST)
}
