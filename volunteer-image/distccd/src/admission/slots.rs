//! How many connections are open and how many compilers run.
//!
//! The two are counted apart: a client sends its arguments first and its source when its preprocessor is done, which
//! on a small board takes a while, and a slot should not stand idle for so long.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for connections and for running compilers.
#[derive(Debug)]
pub(crate) struct Slots {
    connections: Arc<Semaphore>,
    compilers: Arc<Semaphore>,
}

/// Room for one connection, given back on drop.
#[derive(Debug)]
pub(crate) struct ConnectionPermit(
    #[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit,
);

/// Room for one running compiler, given back on drop.
#[derive(Debug)]
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Slots {
    /// Room for `jobs` compilers, and for `connections` clients that send, wait or read.
    pub(crate) fn new(jobs: NonZeroUsize, connections: NonZeroUsize) -> Self {
        let semaphore = |permits: NonZeroUsize| {
            Arc::new(Semaphore::new(permits.get().min(Semaphore::MAX_PERMITS)))
        };
        Self {
            connections: semaphore(connections),
            compilers: semaphore(jobs),
        }
    }

    /// Waits for room for one more connection; to be held before it is accepted, so that clients wait in the kernel's
    /// queue instead of in our memory.
    pub(crate) async fn connection(&self) -> ConnectionPermit {
        ConnectionPermit(permit(&self.connections).await)
    }

    /// Waits, first come first served, for room for one more compiler.
    pub(crate) async fn compiler(&self) -> Slot {
        Slot(permit(&self.compilers).await)
    }
}

async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore)
        .acquire_owned()
        .await
        .expect("the semaphores are never closed")
}
