//! Properties of the reply codec.

#[expect(dead_code, reason = "short texts are enough here")]
mod texts;

use std::num::NonZeroU8;

use distcc_wire::{
    Failure, Limits, Outcome, Reply, ReplyDecoder, ReplyEvent, Token, Version, WaitStatus,
    WireError, WireErrorKind,
};
use proptest::prelude::*;
use texts::texts;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decodes_what_it_encoded(reply in replies()) {
        let bytes = reply.encode().unwrap();
        prop_assert_eq!(Reply::decode(reply.version, &bytes, &Limits::default()), Ok(reply));
    }

    #[test]
    fn pieces_of_any_size_give_the_same_events(reply in replies(), size in 1..400_usize) {
        let bytes = reply.encode().unwrap();
        let whole = events(reply.version, &bytes, bytes.len());
        prop_assert_eq!(whole.0.last(), Some(&ReplyEvent::End));
        prop_assert_eq!(&events(reply.version, &bytes, 1), &whole);
        prop_assert_eq!(&events(reply.version, &bytes, size), &whole);
    }

    #[test]
    fn every_prefix_is_truncated(reply in replies()) {
        let bytes = reply.encode().unwrap();
        let step = bytes.len() / 300 + 1;
        for end in (0..bytes.len()).step_by(step) {
            let error = Reply::decode(reply.version, &bytes[..end], &Limits::default()).unwrap_err();
            prop_assert!(error.kind.is_truncation(), "{} at {}", error, end);
            prop_assert_eq!(error.offset, end as u64);
        }
    }

    #[test]
    fn damage_is_found_alike_in_pieces(
        reply in replies(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = reply.encode().unwrap();
        for (place, byte) in damages {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let whole = events(reply.version, &bytes, bytes.len());
        prop_assert_eq!(events(reply.version, &bytes, 1), whole);
    }
}

#[test]
fn rejects_what_breaks_the_protocol() {
    use WireErrorKind as Kind;
    for (bytes, offset, kind) in [
        (
            "DONE00000002",
            0,
            Kind::WrongVersion {
                asked: Version::Plain,
                found: 2,
            },
        ),
        (
            "DONE00000001STAT00010000",
            12,
            Kind::BadStatus { bits: 0x1_0000 },
        ),
        (
            "DONE00000001SERR",
            12,
            Kind::UnexpectedToken {
                expected: &[Token::Stat],
                found: *b"SERR",
            },
        ),
        (
            "DONE00000001STAT00000100SERR00000000SOUT00000000DOTO00000001.",
            48,
            Kind::ObjectAfterFailure { length: 1 },
        ),
        (
            "DONE00000001STAT00000000SERR00000000SOUT00000000DOTO00000000.",
            60,
            Kind::TrailingBytes,
        ),
    ] {
        let decoded = Reply::decode(Version::Plain, bytes.as_bytes(), &Limits::default());
        assert_eq!(decoded, Err(WireError { offset, kind }), "{bytes}");
    }
}

#[test]
fn names_the_packet_that_is_missing() {
    let reply = "DONE00000003STAT00000000SERR00000000SOUT00000000DOTO00000000";
    for (end, missing) in [
        (0, Token::Done),
        (12, Token::Stat),
        (30, Token::Serr),
        (36, Token::Sout),
        (48, Token::Doto),
        (60, Token::Dotd),
    ] {
        let error = Reply::decode(Version::Pump, &reply.as_bytes()[..end], &Limits::default());
        let kind = WireErrorKind::TruncatedReply { missing };
        assert_eq!(
            error,
            Err(WireError {
                offset: end as u64,
                kind
            })
        );
    }
}

#[test]
fn damaged_bodies_are_named() {
    for (body, text) in [
        (
            "00000001\x11",
            "the body of SERR: the compressed data ends early (at byte 24)",
        ),
        (
            "00000004\x11\0\0!",
            "the body of SERR: bytes after the end of the compressed data (at byte 24)",
        ),
        (
            "00000003\x11\x04\0",
            "the body of SERR: a match reaches back 16385 bytes where only 0 are (at byte 24)",
        ),
    ] {
        let bytes = format!("DONE00000002STAT00000000SERR{body}");
        let error = Reply::decode(Version::Lzo, bytes.as_bytes(), &Limits::default());
        assert_eq!(error.unwrap_err().to_string(), text);
    }
}

/// Events with the bytes they came from in pieces of `size`, and how it ended.
fn events(version: Version, bytes: &[u8], size: usize) -> (Vec<ReplyEvent>, Result<(), WireError>) {
    let mut decoder = ReplyDecoder::new(version, Limits::default());
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

fn replies() -> impl Strategy<Value = Reply> {
    let version = prop::sample::select(Version::ALL.to_vec());
    (version, texts(), texts(), outcomes()).prop_map(|(version, stderr, stdout, outcome)| Reply {
        version,
        outcome: in_version(version, outcome),
        stderr,
        stdout,
    })
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let exits = (1..=255_u8)
        .prop_filter_map("not zero", NonZeroU8::new)
        .prop_map(Failure::exit);
    let signals = (1..=126_u8).prop_filter_map("in range", Failure::signal);
    prop_oneof![
        (texts(), texts()).prop_map(|(object, dependencies)| Outcome::Compiled {
            object,
            dependencies
        }),
        prop_oneof![exits, signals].prop_map(Outcome::Failed),
    ]
}

/// Only version 3 has a place for dependencies.
fn in_version(version: Version, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Compiled { object, .. } if version != Version::Pump => Outcome::Compiled {
            object,
            dependencies: Vec::new(),
        },
        outcome => outcome,
    }
}

#[test]
fn an_outcome_knows_its_status() {
    let compiled = Outcome::Compiled {
        object: Vec::new(),
        dependencies: Vec::new(),
    };
    assert_eq!(compiled.status(), WaitStatus::Success);
    let refused = Outcome::Failed(Failure::REFUSED);
    assert_eq!(refused.status(), WaitStatus::Failure(Failure::REFUSED));
}
