//! The same events whether a request comes whole or byte by byte, and what was understood can be said again.

use distcc_wire::{Ending, Event, Limits, Request, RequestDecoder, WireError};

/// Panics unless it is so.
pub(crate) fn check(bytes: &[u8]) {
    let whole = events(bytes, bytes.len().max(1));
    assert_eq!(events(bytes, 1), whole);
    if let Ok(request) = Request::decode(bytes, &limits()) {
        assert_eq!(whole.1, Ok(Ending::Complete));
        let again = request.encode().expect("what was decoded can be encoded");
        assert_eq!(Request::decode(&again, &limits()), Ok(request));
    }
}

fn events(bytes: &[u8], size: usize) -> (Vec<String>, Result<Ending, WireError>) {
    let mut decoder = RequestDecoder::new(limits());
    let (mut found, mut body) = (Vec::new(), Vec::new());
    for mut piece in bytes.chunks(size) {
        loop {
            match decoder.next(&mut piece) {
                Err(error) => return (found, Err(error)),
                Ok(None) => break,
                Ok(Some(Event::Chunk(chunk))) => body.extend_from_slice(chunk),
                Ok(Some(event)) => found.push(format!("{body:?} {event:?}")),
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
