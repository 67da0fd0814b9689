//! How the daemon ends: it stops accepting, finishes what it has begun, then goes.

use std::io;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Tells a server to end, in two steps.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    accepting: CancellationToken,
    jobs: CancellationToken,
}

impl Shutdown {
    /// Nothing is told yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accept nothing more; jobs in flight may finish.
    pub fn finish(&self) {
        self.accepting.cancel();
    }

    /// Stop the jobs in flight, too.
    pub fn stop_jobs(&self) {
        self.finish();
        self.jobs.cancel();
    }

    /// Whether [`finish`](Self::finish) was called.
    pub(crate) fn is_finishing(&self) -> bool {
        self.accepting.is_cancelled()
    }

    /// Waits for [`finish`](Self::finish).
    pub(crate) async fn finishing(&self) {
        self.accepting.cancelled().await;
    }

    /// Waits for [`stop_jobs`](Self::stop_jobs).
    pub(crate) async fn stopping_jobs(&self) {
        self.jobs.cancelled().await;
    }
}

/// The signals that tell the process to end.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on SIGTERM, SIGINT and SIGHUP no longer end the process by themselves, nor are they lost.
    ///
    /// To be called first of all, outside of any runtime: for process 1 of a container the kernel drops them while there
    /// is no handler. What comes before the runtime that serves is there is told in it.
    ///
    /// Nor do the signals of resource limits, which this process has for moments: a handler, once there, stays.
    pub(crate) fn catch() -> io::Result<Self> {
        // Handlers, and what they have noted, belong to the process and outlive this.
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let _entered = runtime.enter();
        for exceeded in [libc::SIGXCPU, libc::SIGXFSZ] {
            drop(signal(SignalKind::from_raw(exceeded))?);
        }
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Turns signals into steps of `shutdown`: the first one finishes, the second one stops jobs. Never ends.
    pub(crate) async fn tell(mut self, shutdown: Shutdown) {
        let signal = self.told().await;
        tracing::info!(signal, "finishing: no new jobs, those in flight go on");
        shutdown.finish();
        loop {
            let signal = self.told().await;
            tracing::info!(signal, "stopping jobs in flight");
            shutdown.stop_jobs();
        }
    }

    /// Waits for a signal to end, and returns its name.
    pub(crate) async fn told(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                // A terminal that closes is no reason to drop jobs, and all that could be read again is looked at anew
                // for each job.
                _ = self.hang_up.recv() => tracing::info!("SIGHUP: nothing to read again, going on"),
            }
        }
    }
}
