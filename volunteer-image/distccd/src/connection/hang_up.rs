//! Notices that a client has gone.

use std::io;

use super::stream::Stream;

/// How many bytes a client may send behind its request before it counts as gone: it does not follow the protocol.
const STRAY_BYTES: usize = 64 * 1024;

/// Returns once the client has closed its side, or misbehaves.
///
/// A client that waits for its reply keeps its side open, so a half-closed connection is a closed one.
pub(super) async fn watch(stream: &Stream) {
    let mut scratch = [0; 512];
    let mut stray = 0;
    while stray < STRAY_BYTES {
        if stream.readable().await.is_err() {
            return;
        }
        match stream.try_read(&mut scratch) {
            Ok(0) => return,
            Ok(count) => stray += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_reset) => return,
        }
    }
}
