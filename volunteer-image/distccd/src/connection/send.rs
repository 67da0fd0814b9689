//! Writes a reply, and makes sure that it is read.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time;

use super::stream::Stream;
use crate::accept::Service;

/// Writes all parts but the first `said` bytes, which the client has, and returns how many bytes it took in all; fewer
/// than there are if it stopped reading, takes too long for the whole or left, or if jobs are to stop.
pub(super) async fn reply(
    service: &Service,
    stream: &mut Stream,
    parts: &[Vec<u8>],
    said: usize,
) -> u64 {
    let deadlines = &service.settings.deadlines;
    let mut sent_bytes = said as u64;
    tokio::select! {
        () = write(stream, parts, deadlines.idle, &mut sent_bytes) => {}
        () = time::sleep(deadlines.source) => {}
        () = service.shutdown.stopping_jobs() => {}
    }
    sent_bytes
}

/// Writes what is behind the first `sent_bytes`, and counts on. Ends early if a write takes longer than `idle`.
async fn write(stream: &mut Stream, parts: &[Vec<u8>], idle: Duration, sent_bytes: &mut u64) {
    let mut skip = usize::try_from(*sent_bytes).unwrap_or(usize::MAX);
    for part in parts {
        let mut rest = part.get(skip..).unwrap_or_default();
        skip = skip.saturating_sub(part.len());
        while !rest.is_empty() {
            match time::timeout(idle, stream.write(rest)).await {
                Ok(Ok(count @ 1..)) => {
                    rest = &rest[count..];
                    *sent_bytes += count as u64;
                }
                Ok(Ok(0) | Err(_)) | Err(_) => return,
            }
        }
    }
}

/// Reads and forgets what the client still sends, until it closes.
///
/// Clients read only after they have written all. If the connection were closed while they write, the kernel would
/// reset it and they would lose the reply.
pub(super) async fn drain(service: &Service, stream: &mut Stream) {
    // It has the whole reply; a client that only waits for the end sees it now.
    drop(stream.shutdown().await);
    let deadline = service.settings.deadlines.drain;
    let limit = service.settings.limits.total_bytes;
    tokio::select! {
        () = forget(stream, limit) => {}
        () = time::sleep(deadline) => {}
        () = service.shutdown.stopping_jobs() => {}
    }
}

async fn forget(stream: &mut Stream, limit_bytes: u64) {
    let mut scratch = vec![0; 16 * 1024];
    let mut forgotten = 0;
    while forgotten < limit_bytes {
        match stream.read(&mut scratch).await {
            Ok(count @ 1..) => forgotten += count as u64,
            Ok(0) | Err(_) => return,
        }
    }
}
