//! Every limit, at its edge and one beyond.

use distcc_wire::{
    Entry, Limits, Outcome, Payload, Reply, ReplyDecoder, Request, RequestDecoder, Token, Version,
    WireError, WireErrorKind,
};

#[test]
fn rejects_argument_count_over_limit() {
    let limits = |argument_count| Limits {
        argument_count,
        ..Limits::default()
    };
    check(&plain(&[b"cc", b"-c"], b""), limits, 2, |limit| {
        (12, WireErrorKind::TooManyArguments { count: 2, limit })
    });
}

#[test]
fn rejects_argument_length_over_limit() {
    let limits = |argument_bytes| Limits {
        argument_bytes,
        ..Limits::default()
    };
    check(&plain(&[b"gcc", b"-c"], b""), limits, 3, |limit| {
        (24, WireErrorKind::ArgumentTooLong { length: 3, limit })
    });
}

#[test]
fn rejects_length_of_all_arguments_over_limit() {
    let limits = |bytes| Limits {
        arguments_bytes: bytes,
        ..Limits::default()
    };
    check(&plain(&[b"gcc", b"-c"], b""), limits, 5_u64, |limit| {
        (39, WireErrorKind::ArgumentsTooLong { limit })
    });
}

#[test]
fn rejects_paths_over_limit() {
    let limits = |path_bytes| Limits {
        path_bytes,
        ..Limits::default()
    };
    let file = |name: &[u8]| Entry::File {
        name: name.to_vec(),
        contents: Vec::new(),
    };
    let link = Entry::Link {
        name: b"/l".to_vec(),
        target: b"abcd".to_vec(),
    };
    for (request, token, offset) in [
        (pump(b"/dir", vec![]), Token::Cdir, 12),
        (pump(b"/", vec![file(b"/abc")]), Token::Name, 63),
        (pump(b"/", vec![link]), Token::Link, 77),
    ] {
        check(&request, limits, 4, |limit| {
            (
                offset,
                WireErrorKind::PathTooLong {
                    token,
                    length: 4,
                    limit,
                },
            )
        });
    }
}

#[test]
fn rejects_entry_count_over_limit() {
    let limits = |entry_count| Limits {
        entry_count,
        ..Limits::default()
    };
    let file = Entry::File {
        name: b"/a".to_vec(),
        contents: Vec::new(),
    };
    check(&pump(b"/", vec![file; 3]), limits, 3, |limit| {
        (51, WireErrorKind::TooManyEntries { count: 3, limit })
    });
}

#[test]
fn rejects_bodies_over_limit() {
    let limits = |body_bytes| Limits {
        body_bytes,
        ..Limits::default()
    };
    check(&plain(&[b"cc"], b"int i;"), limits, 6, |limit| {
        (
            38,
            WireErrorKind::BodyTooLarge {
                token: Token::Doti,
                length: 6,
                limit,
            },
        )
    });
    let file = Entry::File {
        name: b"/a".to_vec(),
        contents: b"ab".to_vec(),
    };
    check(&pump(b"/", vec![file]), limits, 6, |limit| {
        (
            77,
            WireErrorKind::BodyTooLarge {
                token: Token::File,
                length: 6,
                limit,
            },
        )
    });
}

#[test]
fn rejects_totals_over_limit() {
    let limits = |total_bytes| Limits {
        total_bytes,
        ..Limits::default()
    };
    let request = plain(&[b"cc"], b"int i;");
    let total = request.encode().unwrap().len() as u64;
    check(&request, limits, total, |limit| {
        (38, WireErrorKind::TooLarge { limit })
    });
}

#[test]
fn rejects_expansion_over_limit() {
    let limits = |bytes| Limits {
        decoded_body_bytes: bytes,
        ..Limits::default()
    };
    for payload in [
        Payload::Plain(vec![b' '; 999]),
        Payload::Lzo(vec![b' '; 999]),
    ] {
        let request = Request {
            arguments: vec![b"cc".to_vec()],
            payload,
        };
        check(&request, limits, 999_u64, |limit| {
            (
                38,
                WireErrorKind::ExpandsTooFar {
                    token: Token::Doti,
                    limit,
                },
            )
        });
    }
}

#[test]
fn rejects_expansion_of_all_files_over_limit() {
    let limits = |bytes| Limits {
        decoded_total_bytes: bytes,
        ..Limits::default()
    };
    let file = Entry::File {
        name: b"/a".to_vec(),
        contents: vec![b' '; 400],
    };
    let request = pump(b"/", vec![file; 3]);
    let bytes = request.encode().unwrap();
    let last = bytes
        .windows(4)
        .rposition(|window| window == b"FILE")
        .unwrap() as u64;
    check(&request, limits, 1200_u64, |limit| {
        let limit = limit - 800;
        (
            last,
            WireErrorKind::ExpandsTooFar {
                token: Token::File,
                limit,
            },
        )
    });
}

#[test]
fn rejects_replies_over_limit() {
    let reply = Reply {
        version: Version::Lzo,
        outcome: Outcome::Compiled {
            object: vec![0; 500],
            dependencies: Vec::new(),
        },
        stderr: vec![b'e'; 500],
        stdout: Vec::new(),
    };
    let bytes = reply.encode().unwrap();
    let total = bytes.len() as u64;
    let decode = |limits| Reply::decode(Version::Lzo, &bytes, &limits).map_err(|error| error.kind);
    let with_bodies = |bytes| Limits {
        decoded_body_bytes: bytes,
        ..Limits::default()
    };
    let with_total = |bytes| Limits {
        decoded_total_bytes: bytes,
        ..Limits::default()
    };
    let on_wire = |bytes| Limits {
        total_bytes: bytes,
        ..Limits::default()
    };
    for limits in [with_bodies(500), with_total(1000), on_wire(total)] {
        assert_eq!(decode(limits), Ok(reply.clone()));
    }
    let expands = |token, limit| Err(WireErrorKind::ExpandsTooFar { token, limit });
    assert_eq!(decode(with_bodies(499)), expands(Token::Serr, 499));
    assert_eq!(decode(with_total(999)), expands(Token::Doto, 499));
    assert_eq!(
        decode(on_wire(total - 1)),
        Err(WireErrorKind::TooLarge { limit: total - 1 })
    );
}

#[test]
fn believes_no_length_before_its_bytes_come() {
    let greedy = [
        "DIST00000001ARGCffffffff",
        "DIST00000001ARGC00000001ARGVffffffff",
        "DIST00000001ARGC00000001ARGV00000002ccDOTIffffffff",
        "DIST00000003CDIRffffffff",
    ];
    for bytes in greedy {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut input = bytes.as_bytes();
        let error = loop {
            match decoder.next(&mut input) {
                Ok(event) => assert!(event.is_some(), "{bytes} is accepted"),
                Err(error) => break error,
            }
        };
        assert!(error.kind.is_limit(), "{error}");
    }
    let mut decoder = ReplyDecoder::new(Version::Plain, Limits::default());
    let mut input = &b"DONE00000001STAT00000000SERRffffffff"[..];
    assert!(
        decoder.next(&mut input).unwrap().is_some() && decoder.next(&mut input).unwrap().is_some()
    );
    assert!(decoder.next(&mut input).unwrap_err().kind.is_limit());
}

/// Checks that `request` needs just `enough` of a limit, and what it gets with one less.
fn check<N: Copy + std::ops::Sub<Output = N> + From<u8>>(
    request: &Request,
    limits: impl Fn(N) -> Limits,
    enough: N,
    error: impl Fn(N) -> (u64, WireErrorKind),
) {
    let bytes = request.encode().expect("the protocol can express it");
    assert_eq!(
        Request::decode(&bytes, &limits(enough)).as_ref(),
        Ok(request)
    );
    let little = enough - N::from(1);
    let (offset, kind) = error(little);
    assert!(kind.is_limit(), "{kind} invites an answer");
    assert_eq!(
        Request::decode(&bytes, &limits(little)),
        Err(WireError { offset, kind })
    );
}

fn plain(arguments: &[&[u8]], source: &[u8]) -> Request {
    let arguments = arguments.iter().map(|argument| argument.to_vec()).collect();
    Request {
        arguments,
        payload: Payload::Plain(source.to_vec()),
    }
}

fn pump(directory: &[u8], entries: Vec<Entry>) -> Request {
    let payload = Payload::Pump {
        directory: directory.to_vec(),
        entries,
    };
    Request {
        arguments: vec![b"cc".to_vec()],
        payload,
    }
}
