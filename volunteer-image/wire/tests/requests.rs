//! Properties of the request codec, and its limits one by one.

#[expect(dead_code, reason = "short texts are enough here")]
mod texts;

use distcc_wire::{
    Ending, Entry, Event, Limits, Payload, Phase, Request, RequestDecoder, Token, Version,
    WireError, WireErrorKind,
};
use proptest::prelude::*;
use texts::texts;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decodes_what_it_encoded(request in requests()) {
        let bytes = request.encode().unwrap();
        prop_assert_eq!(Request::decode(&bytes, &Limits::default()), Ok(request));
    }

    #[test]
    fn pieces_of_any_size_give_the_same_events(request in requests(), sizes in prop::collection::vec(1..400_usize, 1..9)) {
        let bytes = request.encode().unwrap();
        let whole = events(&bytes, [bytes.len()].into_iter().cycle());
        prop_assert_eq!(events(&bytes, [1].into_iter().cycle()), whole.clone());
        prop_assert_eq!(events(&bytes, sizes.into_iter().cycle()), whole.clone());
        prop_assert_eq!(whole.1, Ok(Ending::Complete));
    }

    #[test]
    fn no_prefix_is_complete(request in requests()) {
        let bytes = request.encode().unwrap();
        let step = bytes.len() / 300 + 1;
        for end in (0..bytes.len()).step_by(step) {
            let error = Request::decode(&bytes[..end], &Limits::default()).unwrap_err();
            prop_assert!(error.kind.is_truncation(), "{} at {}", error, end);
            prop_assert_eq!(error.offset, end as u64);
            let (_, ending) = events(&bytes[..end], [1].into_iter().cycle());
            prop_assert_ne!(ending, Ok(Ending::Complete));
        }
    }

    #[test]
    fn damage_is_found_alike_in_pieces(
        request in requests(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = request.encode().unwrap();
        for (place, byte) in damages {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let whole = events(&bytes, [bytes.len()].into_iter().cycle());
        prop_assert_eq!(events(&bytes, [1].into_iter().cycle()), whole);
    }

    #[test]
    fn never_reserves_or_accepts_garbage(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        prop_assume!(!bytes.starts_with(b"DIST"));
        let (found, ending) = events(&bytes, [bytes.len()].into_iter().cycle());
        prop_assert!(found.is_empty());
        prop_assert!(ending.is_err());
    }
}

#[test]
fn tells_all_of_a_version_3_request_in_order() {
    let request = Request {
        arguments: vec![b"cc".to_vec(), b"-c".to_vec()],
        payload: Payload::Pump {
            directory: b"/w".to_vec(),
            entries: vec![
                Entry::File {
                    name: b"/w/empty".to_vec(),
                    contents: Vec::new(),
                },
                Entry::Link {
                    name: b"/w/l".to_vec(),
                    target: b"to".to_vec(),
                },
            ],
        },
    };
    let bytes = request.encode().unwrap();
    let (events, ending) = events(&bytes, [bytes.len()].into_iter().cycle());
    let name = |name: &[u8]| name.to_vec();
    let expected = [
        Event::Version(Version::Pump),
        Event::Directory(name(b"/w")),
        Event::Arguments(vec![name(b"cc"), name(b"-c")]),
        Event::Entries(2),
        Event::File {
            name: name(b"/w/empty"),
            length: 0,
        },
        Event::BodyEnd,
        Event::Link {
            name: name(b"/w/l"),
            target: name(b"to"),
        },
        Event::End,
    ];
    assert_eq!(events, expected.map(|event| format!("{event:?}")));
    assert_eq!(ending, Ok(Ending::Complete));
}

#[test]
fn knows_its_phase_and_what_an_end_there_means() {
    let truncated = |phase| Err(WireErrorKind::TruncatedRequest { phase });
    let head = "DIST00000001ARGC00000001ARGV00000002cc";
    let tree = "DIST00000003CDIR00000001/ARGC00000001ARGV00000002cc";
    for (bytes, phase, ending) in [
        ("", Phase::Version, Ok(Ending::Silent)),
        ("D", Phase::Version, truncated(Phase::Version)),
        (
            "DIST00000001",
            Phase::Arguments,
            truncated(Phase::Arguments),
        ),
        (
            "DIST00000003",
            Phase::Directory,
            truncated(Phase::Directory),
        ),
        (
            "DIST00000003CDIR00000004/w",
            Phase::Directory,
            truncated(Phase::Directory),
        ),
        (&head[..37], Phase::Arguments, truncated(Phase::Arguments)),
        (head, Phase::Preprocessing, Ok(Ending::Abandoned)),
        (&format!("{head}D"), Phase::Source, truncated(Phase::Source)),
        (
            &format!("{head}DOTI00000002;"),
            Phase::Source,
            truncated(Phase::Source),
        ),
        (
            &format!("{head}DOTI00000000"),
            Phase::Complete,
            Ok(Ending::Complete),
        ),
        (tree, Phase::Files, truncated(Phase::Files)),
        (
            &format!("{tree}NFIL00000001"),
            Phase::Files,
            truncated(Phase::Files),
        ),
        (
            &format!("{tree}NFIL00000000"),
            Phase::Complete,
            Ok(Ending::Complete),
        ),
    ] {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut input = bytes.as_bytes();
        while decoder.next(&mut input).unwrap().is_some() {}
        assert_eq!(decoder.phase(), phase, "{bytes}");
        assert_eq!(
            decoder.finish().map_err(|error| error.kind),
            ending,
            "{bytes}"
        );
    }
}

#[test]
fn rejects_what_breaks_the_protocol() {
    use WireErrorKind as Kind;
    let argv: &'static [Token] = &[Token::Argv];
    for (bytes, offset, kind) in [
        ("DIST00000000", 0, Kind::UnknownVersion { number: 0 }),
        ("DIST00000004", 0, Kind::UnknownVersion { number: 4 }),
        (
            "DIST0000000x",
            0,
            Kind::BadNumber {
                token: Token::Dist,
                digits: *b"0000000x",
            },
        ),
        ("*", 0, Kind::AuthenticationRequested),
        (
            "GET / HTTP/1.1",
            0,
            Kind::UnexpectedToken {
                expected: &[Token::Dist],
                found: *b"GET ",
            },
        ),
        ("DIST00000001ARGC00000000", 12, Kind::NoArguments),
        (
            "DIST00000001ARGC00000001DOTI",
            24,
            Kind::UnexpectedToken {
                expected: argv,
                found: *b"DOTI",
            },
        ),
        (
            "DIST00000001ARGC00000001ARGV00000002c\0",
            24,
            Kind::NulByte { token: Token::Argv },
        ),
        (
            "DIST00000003CDIR00000002/\0",
            12,
            Kind::NulByte { token: Token::Cdir },
        ),
        (
            "DIST00000003ARGC",
            12,
            Kind::UnexpectedToken {
                expected: &[Token::Cdir],
                found: *b"ARGC",
            },
        ),
    ] {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut input = bytes.as_bytes();
        let error = loop {
            match decoder.next(&mut input) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{bytes} is accepted"),
                Err(error) => break error,
            }
        };
        assert_eq!(error, WireError { offset, kind }, "{bytes}");
        assert!(!error.kind.is_limit() && !error.kind.is_truncation());
        assert_eq!(
            decoder.next(&mut &b"more"[..]),
            Err(error.clone()),
            "the error stays"
        );
        assert_eq!(decoder.finish(), Err(error));
    }
}

#[test]
fn leaves_what_follows_the_request() {
    let mut input = &b"DIST00000001ARGC00000001ARGV00000002ccDOTI00000000stray"[..];
    let mut decoder = RequestDecoder::new(Limits::default());
    while decoder.next(&mut input).unwrap().is_some() {}
    assert_eq!(input, b"stray");
    assert_eq!(
        (decoder.offset(), decoder.version()),
        (50, Some(Version::Plain))
    );
}

/// All events, and what the end means; pieces of one body count as one.
fn events(
    mut bytes: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> (Vec<String>, Result<Ending, WireError>) {
    let mut decoder = RequestDecoder::new(Limits::default());
    let (mut found, mut body) = (Vec::new(), Vec::new());
    while !bytes.is_empty() {
        let (mut piece, rest) = bytes.split_at(sizes.next().unwrap_or(1).min(bytes.len()));
        bytes = rest;
        loop {
            match decoder.next(&mut piece) {
                Err(error) => return (found, Err(error)),
                Ok(None) => break,
                Ok(Some(Event::Chunk(chunk))) => {
                    assert!(!chunk.is_empty());
                    body.extend_from_slice(chunk);
                }
                Ok(Some(event)) => {
                    if !body.is_empty() {
                        found.push(format!("body {:?}", std::mem::take(&mut body)));
                    }
                    found.push(format!("{event:?}"));
                }
            }
        }
    }
    (found, decoder.finish())
}

fn requests() -> impl Strategy<Value = Request> {
    let arguments = prop::collection::vec(strings(), 1..12);
    (arguments, payloads()).prop_map(|(arguments, payload)| Request { arguments, payload })
}

fn payloads() -> impl Strategy<Value = Payload> {
    let entry = prop_oneof![
        (strings(), texts()).prop_map(|(name, contents)| Entry::File { name, contents }),
        (strings(), strings()).prop_map(|(name, target)| Entry::Link { name, target }),
    ];
    let entries = prop::collection::vec(entry, 0..6);
    prop_oneof![
        texts().prop_map(Payload::Plain),
        texts().prop_map(Payload::Lzo),
        (strings(), entries).prop_map(|(directory, entries)| Payload::Pump { directory, entries }),
    ]
}

/// What a C string can hold.
fn strings() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=255_u8, 0..60)
}
