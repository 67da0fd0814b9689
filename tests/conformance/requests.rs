//! Requests that the stock client never sends, and how each server ends them.

use std::io::{Read, Write};
use std::net::TcpStream;

use distcc_wire::{Payload, Request};

use crate::server::{Kind, PATIENCE};
use crate::stage::{Stage, Trouble};

/// Bytes for a server, and what must come back.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) name: &'static str,
    bytes: Vec<u8>,
    stock: Ends,
    pub(crate) differs: Option<(Ends, &'static str)>,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Without a byte.
    Closed,
    /// With a reply of this status.
    Status(u32),
    /// With something else.
    Broken,
}

use Ends::{Closed, Status};

/// Exit code 200: a refusal with a reason.
const REFUSED: Ends = Status(0xc800);

const SAYS_WHY: &str =
    "ours answers with the reason, so that a person sees it and pump mode stays on";

/// All of them.
pub(crate) fn all() -> Vec<Raw> {
    let mut all = vec![
        Raw::same("a whole job", job(&["gcc", "-c", "a.c", "-o", "a.o"]), Status(0)),
        Raw::same("numbers in capital letters", numbers_in_capitals(), Status(0)),
        Raw::same("no distcc at all", b"GET / HTTP/1.0\r\nHost: here\r\n\r\n".to_vec(), Closed),
        Raw::same("a version that nobody knows", b"DIST00000004ARGC00000001".to_vec(), Closed),
        Raw::same("a number that is none", b"DIST0000000xARGC00000001".to_vec(), Closed),
        Raw::differs(
            "version 0",
            [b"DIST00000000".as_slice(), &job(&["gcc", "-c", "a.c"])[12..]].concat(),
            (Status(0), Closed),
            "no client sends it, and the stock daemon takes it for version 1",
        ),
        Raw::differs(
            "no arguments",
            b"DIST00000001ARGC00000000DOTI00000000".to_vec(),
            (Closed, REFUSED),
            "the stock daemon's worker crashes; ours answers with the reason",
        ),
        Raw::differs(
            "a token out of place",
            // The stock daemon reads on, to show what it did not expect.
            [b"DIST00000001DOTI00000000".as_slice(), &[b' '; 1000]].concat(),
            (Closed, REFUSED),
            SAYS_WHY,
        ),
        Raw::differs(
            "compressed bytes that are none",
            b"DIST00000002ARGC00000003ARGV00000003gccARGV00000002-cARGV00000003a.cDOTI00000004\x00\x00\x00\x00".to_vec(),
            (Closed, REFUSED),
            SAYS_WHY,
        ),
        Raw::differs(
            "a NUL in an argument",
            nul_in_an_argument(),
            (Status(0), REFUSED),
            "the stock daemon cuts the argument there; ours takes no argument for another one",
        ),
    ];
    let refused: [(&str, &[&str]); 9] = [
        ("a compiler whose name is an option", &["-gcc", "-c", "a.c"]),
        (
            "a compiler that is not permitted",
            &["tool-gcc", "-c", "a.c"],
        ),
        (
            "a compiler in another folder",
            &["/opt/bin/gcc", "-c", "a.c"],
        ),
        ("neither -c nor -S", &["gcc", "a.c"]),
        ("no source", &["gcc", "-c"]),
        ("-E", &["gcc", "-E", "-c", "a.c"]),
        ("-march=native", &["gcc", "-march=native", "-c", "a.c"]),
        ("an assembler source", &["gcc", "-c", "a.s"]),
        ("-fplugin", &["gcc", "-fplugin=none", "-c", "a.c"]),
    ];
    all.extend(
        refused.map(|(name, words)| Raw::differs(name, job(words), (Closed, REFUSED), SAYS_WHY)),
    );
    all
}

impl Raw {
    fn same(name: &'static str, bytes: Vec<u8>, ends: Ends) -> Self {
        Self {
            name,
            bytes,
            stock: ends,
            differs: None,
        }
    }

    fn differs(
        name: &'static str,
        bytes: Vec<u8>,
        (stock, ours): (Ends, Ends),
        why: &'static str,
    ) -> Self {
        Self {
            name,
            bytes,
            stock,
            differs: Some((ours, why)),
        }
    }
}

fn job(words: &[&str]) -> Vec<u8> {
    let request = Request {
        arguments: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        payload: Payload::Plain(b"int f(void) { return 1; }\n".to_vec()),
    };
    request.encode().unwrap_or_default()
}

fn nul_in_an_argument() -> Vec<u8> {
    let bytes = job(&["gcc", "-c", "a.c", "-DA~B"]).into_iter();
    bytes
        .map(|byte| if byte == b'~' { 0 } else { byte })
        .collect()
}

fn numbers_in_capitals() -> Vec<u8> {
    let words = [
        "gcc", "-c", "a.c", "-o", "a.o", "-W", "-O1", "-g0", "-w", "-fPIC",
    ];
    let text = String::from_utf8_lossy(&job(&words)).replace("0000000a", "0000000A");
    text.replace("0000001a", "0000001A").into_bytes()
}

/// Sends the bytes to both servers and compares how they end.
pub(crate) fn both(stage: &Stage, raw: &Raw) -> Result<(), Trouble> {
    for kind in Kind::BOTH {
        let seen = exchange(TcpStream::connect(stage.server(kind).address)?, &raw.bytes);
        let expected = match (kind, raw.differs) {
            (Kind::Ours, Some((ours, _))) => ours,
            _ => raw.stock,
        };
        if seen != expected {
            let text = format!("{kind}: {seen:x?} where {expected:x?} is expected");
            return Err(Trouble::Wrong(text));
        }
    }
    Ok(())
}

fn exchange(mut server: TcpStream, bytes: &[u8]) -> Ends {
    let mut answer = Vec::new();
    // A server that closes while bytes are on their way resets the connection.
    drop(server.write_all(bytes));
    drop(server.set_read_timeout(Some(PATIENCE)));
    drop(server.read_to_end(&mut answer));
    let status = answer
        .get(12..24)
        .and_then(|packet| packet.strip_prefix(b"STAT"));
    let status =
        status.and_then(|digits| u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
    match (answer.is_empty(), status) {
        (true, _) => Closed,
        (false, Some(status)) => Status(status),
        (false, None) => Ends::Broken,
    }
}
