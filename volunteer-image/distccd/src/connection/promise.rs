//! The beginning of a reply, said early, so that a client which waits for long does not give up.
//!
//! Clients wait for every byte for the same time (`DISTCC_IO_TIMEOUT`, 300 s unless told otherwise), and a reply begins
//! with the same 16 bytes whatever the outcome: `DONE`, the version, `STAT`. They go out one by one, at first quickly for
//! clients with little patience, then slower and slower. A client whose server closes within them tries the next server,
//! just as if nothing had been said.

use std::time::Duration;

use distcc_wire::reply::{self, PROMISE_BYTES};
use distcc_wire::{Version, WaitStatus};
use tokio::time;

use super::stream::Stream;

/// The pauses before the bytes, as multiples of the first one: 10 minutes in all if that is 1.5 seconds.
const PAUSES: [u32; PROMISE_BYTES] = [1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64, 128, 160];

/// What was said of a reply so far.
#[derive(Debug)]
pub(super) struct Promise {
    bytes: [u8; PROMISE_BYTES],
    said: usize,
}

impl Promise {
    /// Nothing is said yet.
    pub(super) fn new(version: Version) -> Self {
        let opening = reply::opening(version, WaitStatus::Success);
        let mut bytes = [0; PROMISE_BYTES];
        bytes.copy_from_slice(&opening[..PROMISE_BYTES]);
        Self { bytes, said: 0 }
    }

    /// How many bytes of the reply the client has.
    pub(super) fn said(&self) -> usize {
        self.said
    }

    /// Says one byte after another, the first after `pause`. Ends when nothing is left to say or nobody listens.
    pub(super) async fn say(&mut self, stream: &Stream, pause: Duration) {
        while let (Some(byte), Some(factor)) = (self.bytes.get(self.said), PAUSES.get(self.said)) {
            time::sleep(pause * *factor).await;
            if stream.try_write(&[*byte]).is_err() {
                return;
            }
            self.said += 1;
        }
    }
}
