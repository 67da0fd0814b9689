//! The same events whether a reply comes whole or byte by byte, and what was understood can be said again.

use distcc_wire::{Limits, Reply, ReplyDecoder, ReplyEvent, Version, WireError};

/// Panics unless it is so.
pub(crate) fn check(bytes: &[u8]) {
    for version in Version::ALL {
        let whole = events(version, bytes, bytes.len().max(1));
        assert_eq!(events(version, bytes, 1), whole);
        if let Ok(reply) = Reply::decode(version, bytes, &limits()) {
            let again = reply.encode().expect("what was decoded can be encoded");
            assert_eq!(Reply::decode(version, &again, &limits()), Ok(reply));
        }
    }
}

fn events(version: Version, bytes: &[u8], size: usize) -> (Vec<ReplyEvent>, Result<(), WireError>) {
    let mut decoder = ReplyDecoder::new(version, limits());
    let mut found = Vec::new();
    for mut piece in bytes.chunks(size) {
        loop {
            match decoder.next(&mut piece) {
                Err(error) => return (found, Err(error)),
                Ok(None) => break,
                Ok(Some(event)) => found.push(event),
            }
        }
    }
    (found, decoder.finish())
}

/// Small enough that no run is slow.
fn limits() -> Limits {
    Limits {
        decoded_body_bytes: 1 << 16,
        decoded_total_bytes: 1 << 18,
        ..Limits::default()
    }
}
