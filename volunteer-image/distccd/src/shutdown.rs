//! How the daemon ends: it stops accepting, finishes what it has begun, then goes.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
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

    /// Waits for [`finish`](Self::finish).
    pub(crate) async fn finishing(&self) {
        self.accepting.cancelled().await;
    }

    /// Waits for [`stop_jobs`](Self::stop_jobs).
    pub(crate) async fn stopping_jobs(&self) {
        self.jobs.cancelled().await;
    }
}

/// Turns SIGTERM and SIGINT into steps of `shutdown`: the first one finishes, the second one stops jobs. Never ends.
pub(crate) async fn on_signals(shutdown: Shutdown) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut received = async || {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    let signal = received().await;
    tracing::info!(signal, "finishing: no new jobs, those in flight go on");
    shutdown.finish();
    loop {
        let signal = received().await;
        tracing::info!(signal, "stopping jobs in flight");
        shutdown.stop_jobs();
    }
}
