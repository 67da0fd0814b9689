//! Requests that are not what they should be.

use std::time::Duration;

use crate::harness::{Daemon, eventually, play, read_all, request, request_with, text};
use distcc_wire::{Failure, Limits, Outcome, Reply, Token, Version, head, lzo};
use tokio::io::AsyncWriteExt;

const BOTH: [Version; 2] = [Version::Plain, Version::Lzo];

/// What a refused client is told.
fn reason(version: Version, answer: &[u8]) -> String {
    let reply = Reply::decode(version, answer, &Limits::default()).expect("the answer is a reply");
    assert_eq!(reply.outcome, Outcome::Failed(Failure::REFUSED));
    text(&reply.stderr)
}

/// The beginning of a request: version and arguments.
fn opening(version: Version, words: &[&str]) -> Vec<u8> {
    let whole = request_with(version, words)
        .encode()
        .expect("it can be read and written");
    let body = whole
        .windows(4)
        .position(|window| window == b"DOTI")
        .expect("it can be read and written");
    whole[..body].to_vec()
}

#[tokio::test]
async fn a_refusal_comes_before_the_source_and_is_not_lost_while_it_is_sent() {
    let daemon = Daemon::start();
    for version in BOTH {
        let mut stream = daemon.connect().await;
        stream
            .write_all(&opening(version, &["gcc", "-fplugin=evil.so", "-c", "a.c"]))
            .await
            .unwrap();
        // A client reads only after it has written everything; much more than fits into the buffers of a socket.
        stream.write_all(&head(Token::Doti, 8 << 20)).await.unwrap();
        stream.write_all(&vec![b' '; 8 << 20]).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert_eq!(
            reason(version, &answer),
            "distccd (x86_64): error: option -fplugin=evil.so would load code into the compiler\n"
        );
    }
    assert!(daemon.jobs().is_empty());
}

#[tokio::test]
async fn every_kind_of_refusal_names_its_reason() {
    let daemon = Daemon::start();
    let names = "distccd (x86_64): hint: names known here are cc, gcc, c++, g++ and cpp, also with a version as in gcc-14 or a triple in front\n";
    let triples = "distccd (x86_64): hint: use port 3634 (armv6h) or 3635 (armv7h); triples known here are x86_64-linux-gnu\n";
    let version = "distccd (x86_64): hint: leave the version out, or install it on the volunteer\n";
    let cases: [(&[&str], &str, &str); 6] = [
        (&["gcc", "a.c"], "neither -c nor -S is given", ""),
        (
            &["gcc", "-c", "a.c", "-wrapper", "sh"],
            "option -wrapper would run another program on the volunteer",
            "",
        ),
        (
            &["gcc", "-c", "@words"],
            "option @words names files that the volunteer must not read",
            "",
        ),
        (
            &["clang", "-c", "a.c"],
            "compiler clang is not on this volunteer for x86_64",
            names,
        ),
        (
            &["arm-linux-gnueabihf-gcc", "-c", "a.c"],
            "compiler arm-linux-gnueabihf-gcc is for arm-linux-gnueabihf, but this volunteer compiles for x86_64",
            triples,
        ),
        (
            &["gcc-13", "-c", "a.c"],
            "GCC 13 is not on this volunteer for x86_64, which has GCC 14, 12",
            version,
        ),
    ];
    for (words, expected, hint) in cases {
        let reply = daemon.ask(&request_with(Version::Lzo, words)).await;
        assert_eq!(
            text(&reply.stderr),
            format!("distccd (x86_64): error: {expected}\n{hint}")
        );
        assert_eq!(reply.outcome, Outcome::Failed(Failure::REFUSED));
    }
}

#[tokio::test]
async fn a_pump_request_is_answered_and_never_dropped() {
    let daemon = Daemon::start();
    let expected = "distccd (x86_64): error: pump mode is not served by this volunteer: it has no C and C++ headers\n\
        distccd (x86_64): hint: take ',cpp' out of DISTCC_HOSTS and leave ',lzo', or give the target 'headers: true' in farm.yaml\n";
    let reply = daemon.ask(&request(Version::Pump, "object")).await;
    assert_eq!(reply.outcome, Outcome::Failed(Failure::REFUSED));
    assert_eq!(text(&reply.stderr), expected);
    // Broken in other ways, it is answered all the same.
    let broken = [&b"DIST00000003"[..], b"ARGC00000001"].concat();
    let told = reason(Version::Pump, &daemon.exchange(&broken).await);
    assert!(
        told.starts_with("distccd (x86_64): error: malformed request: expected CDIR"),
        "{told}"
    );
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_so() {
    let daemon = Daemon::start();
    let cases: [(&[u8], &str); 6] = [
        (
            b"DIST00000001ARGC00000000",
            "malformed request: no arguments",
        ),
        (
            b"DIST00000001ARGCffffffff",
            "request over a limit: 4294967295 arguments, more than 65536",
        ),
        (
            b"DIST00000001ARGC00000001ARGVffffffff",
            "request over a limit: an argument of 4294967295 bytes, more than 131072",
        ),
        (
            b"DIST00000001ARGC 0000001",
            "malformed request: ` 0000001` after ARGC is not eight hexadecimal digits",
        ),
        (
            b"DIST00000001HTTP/1.1 200",
            "malformed request: expected ARGC, found `HTTP`",
        ),
        (
            b"DIST00000001ARGC00000001ARGV00000001\0",
            "malformed request: ARGV holds a NUL byte",
        ),
    ];
    for (bytes, expected) in cases {
        let told = reason(Version::Plain, &daemon.exchange(bytes).await);
        assert_eq!(told, format!("distccd (x86_64): error: {expected}\n"));
    }
    assert!(daemon.works().await);
}

#[tokio::test]
async fn a_source_that_is_too_long_or_damaged_is_told_so() {
    const LIMIT: u64 = 100_000;
    let daemon = Daemon::start_with(play(), |settings| {
        settings.limits.decoded_body_bytes = LIMIT;
    });
    let words = ["gcc", "-c", "a.c"];
    let bomb = lzo::encode(&vec![b' '; 10_000_000]);
    let block = |block: &[u8]| {
        [
            &head(Token::Doti, u32::try_from(block.len()).unwrap())[..],
            block,
        ]
        .concat()
    };
    let cases = [
        (
            Version::Plain,
            head(Token::Doti, u32::MAX).to_vec(),
            "request over a limit: DOTI of 4294967295 bytes, more than 1073741824",
        ),
        (
            Version::Plain,
            block(&vec![b' '; 100_001]),
            "request over a limit: the body of DOTI expands to more than 100000 bytes",
        ),
        (
            Version::Lzo,
            block(&bomb),
            "request over a limit: the body of DOTI expands to more than 100000 bytes",
        ),
        (
            Version::Lzo,
            block(b"\x11\0\0more"),
            "malformed request: the body of DOTI: ",
        ),
        (
            Version::Lzo,
            block(b"\x20"),
            "malformed request: the body of DOTI: ",
        ),
    ];
    for (version, body, expected) in cases {
        let request = [opening(version, &words), body].concat();
        let told = reason(version, &daemon.exchange(&request).await);
        assert!(
            told.starts_with(&format!("distccd (x86_64): error: {expected}")),
            "{told}"
        );
    }
    eventually(|| daemon.jobs().is_empty()).await;
    assert!(daemon.works().await);
}

#[tokio::test]
async fn what_is_no_request_is_not_answered() {
    let daemon = Daemon::start();
    let cases: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\nHost: volunteer\r\n\r\n",
        b"DIST00000000ARGC00000001",
        b"DIST00000004ARGC00000001",
        b"DIST0000000xARGC00000001",
        b"*",
        &[0; 4096],
    ];
    for bytes in cases {
        let mut stream = daemon.connect().await;
        stream.write_all(bytes).await.unwrap();
        // `*` alone is one byte of a packet; its sender waits, so it is told by the end of the stream.
        stream.shutdown().await.unwrap();
        assert_eq!(read_all(&mut stream).await, b"");
    }
    assert!(daemon.works().await);
}

#[tokio::test]
async fn a_client_may_leave_after_any_byte_of_its_request() {
    let daemon = Daemon::start();
    for version in Version::ALL {
        let whole = request(version, "object").encode().unwrap();
        for end in 0..whole.len() {
            let mut stream = daemon.connect().await;
            stream.write_all(&whole[..end]).await.unwrap();
            drop(stream);
        }
    }
    assert!(daemon.works().await);
    eventually(|| daemon.jobs().is_empty()).await;
}

#[tokio::test]
async fn a_request_may_arrive_byte_by_byte() {
    let daemon = Daemon::start();
    for version in BOTH {
        let mut stream = daemon.connect().await;
        stream.set_nodelay(true).unwrap();
        for byte in request(version, "object").encode().unwrap() {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let answer = read_all(&mut stream).await;
        let reply = Reply::decode(version, &answer, &Limits::default()).unwrap();
        assert!(matches!(reply.outcome, Outcome::Compiled { .. }));
    }
}

#[tokio::test]
async fn bytes_behind_a_request_do_no_harm() {
    let daemon = Daemon::start();
    let mut bytes = request(Version::Lzo, "object").encode().unwrap();
    bytes.extend(b"DIST00000002 and so on");
    let answer = daemon.exchange(&bytes).await;
    assert!(answer.starts_with(b"DONE00000002STAT00000000"));
}

#[tokio::test]
async fn a_client_that_stalls_is_let_go() {
    let soon = Duration::from_millis(50);
    let daemon = Daemon::start_with(play(), |settings| {
        settings.deadlines.header = soon;
        settings.deadlines.preprocessing = soon;
        settings.deadlines.idle = soon;
    });
    let whole = request(Version::Plain, "object").encode().unwrap();
    let arguments_end = opening(
        Version::Plain,
        &["gcc", "-fplay=object", "-c", "play.c", "-o", "play.o"],
    )
    .len();
    for end in [
        0,
        5,
        12,
        40,
        arguments_end,
        arguments_end + 3,
        arguments_end + 12,
        whole.len() - 1,
    ] {
        let mut stream = daemon.connect().await;
        stream.write_all(&whole[..end]).await.unwrap();
        assert_eq!(
            read_all(&mut stream).await,
            b"",
            "stalled after {end} bytes"
        );
    }
    eventually(|| daemon.jobs().is_empty()).await;
    assert!(daemon.works().await);
}
