//! Replies that a scripted server gives to the stock client, and what it makes of them: what our replies rely on.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::stage::{Stage, Trouble};

/// A reply of version 1, and what the client makes of it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) name: &'static str,
    reply: Vec<u8>,
    manner: Manner,
    /// Whether the client may compile by itself where it gets no object.
    fallback: bool,
    code: i32,
    file: File,
    /// Whether the compiler's messages are shown.
    shown: bool,
}

/// What is in the client's object file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Missing,
    Is(&'static [u8]),
    /// What the client compiled by itself.
    Compiled,
}

/// How the reply is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// In one piece.
    Whole,
    /// In single bytes.
    Bytes,
    /// In one piece, while the client still sends.
    Early,
}

const OBJECT: &[u8] = b"not really an object";
const MESSAGE: &str = "a message of the compiler\n";
/// What the client ends with when no server gave an answer and it may not compile by itself.
const NO_ANSWER: i32 = 116;

/// All of them.
pub(crate) fn all() -> Vec<Answer> {
    let success = reply("00000000", OBJECT);
    let cut = success[..success.len() - 5].to_vec();
    let other_version = [b"DONE00000002", &success[12..]].concat();
    let more = [success.as_slice(), b"and more"].concat();
    vec![
        answer("an object", success.clone(), 0)
            .object(OBJECT)
            .shown(),
        answer("an object, byte by byte", success.clone(), 0)
            .object(OBJECT)
            .shown()
            .manner(Manner::Bytes),
        answer("an object, before the request is complete", success, 0)
            .object(OBJECT)
            .shown()
            .manner(Manner::Early),
        answer("bytes behind the reply", more, 0)
            .object(OBJECT)
            .shown(),
        answer(
            "an object of no bytes is a success",
            reply("00000000", b""),
            0,
        )
        .object(b"")
        .shown(),
        answer(
            "a status with other bits set is a success without any object",
            reply("00010000", b""),
            0,
        )
        .shown(),
        answer("exit code 1", reply("00000100", b""), 1).shown(),
        answer(
            "exit code 1, and an object that nobody reads",
            reply("00000100", OBJECT),
            1,
        )
        .shown(),
        answer("exit code 200", reply("0000c800", b""), 200).shown(),
        answer("signal 9", reply("00000009", b""), 137).shown(),
        answer("signal 11 and a core", reply("0000008b", b""), 139).shown(),
        answer("closed before a byte", Vec::new(), NO_ANSWER),
        answer(
            "closed within the promise of a reply",
            b"DONE00000001STA".to_vec(),
            NO_ANSWER,
        ),
        answer(
            "closed within the object leaves no part of it",
            cut,
            NO_ANSWER,
        )
        .shown(),
        answer("another version", other_version, NO_ANSWER),
        answer(
            "no reply at all",
            b"HTTP/1.0 400 Bad Request\r\n\r\n".to_vec(),
            NO_ANSWER,
        ),
        answer(
            "exit code 1, and the client may compile by itself",
            reply("00000100", b""),
            0,
        )
        .by_itself(),
        answer(
            "exit code 200, and the client may compile by itself",
            reply("0000c800", b""),
            0,
        )
        .by_itself(),
        answer(
            "closed before a byte, and the client may compile by itself",
            Vec::new(),
            0,
        )
        .by_itself(),
    ]
}

fn answer(name: &'static str, reply: Vec<u8>, code: i32) -> Answer {
    Answer {
        name,
        reply,
        manner: Manner::Whole,
        fallback: false,
        code,
        file: File::Missing,
        shown: false,
    }
}

impl Answer {
    fn object(self, bytes: &'static [u8]) -> Self {
        Self {
            file: File::Is(bytes),
            ..self
        }
    }

    fn shown(self) -> Self {
        Self {
            shown: true,
            ..self
        }
    }

    fn manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    fn by_itself(self) -> Self {
        Self {
            fallback: true,
            file: File::Compiled,
            ..self
        }
    }
}

fn reply(status: &str, object: &[u8]) -> Vec<u8> {
    let head = format!(
        "DONE00000001STAT{status}SERR{:08x}{MESSAGE}SOUT00000000DOTO{:08x}",
        MESSAGE.len(),
        object.len()
    );
    [head.as_bytes(), object].concat()
}

/// Lets the client ask a server that gives this answer.
pub(crate) fn check(stage: &Stage, answer: &Answer) -> Result<(), Trouble> {
    let folder = stage.folder()?;
    fs::write(folder.join("a.c"), "int f(void) { return 1; }\n")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let hosts = listener.local_addr()?.to_string();
    let (reply, manner) = (answer.reply.clone(), answer.manner);
    thread::spawn(move || serve(&listener, &reply, manner));
    let fallback = answer.fallback.then(|| ("DISTCC_FALLBACK", "1".to_owned()));
    let client = Client {
        folder: &folder,
        hosts,
        environment: fallback.into_iter().collect(),
    };
    let done = client.compile(&["gcc", "-c", "a.c", "-o", "a.o"], "a.o")?;
    let file = match (&done.output, answer.file) {
        (None, _) => File::Missing,
        (Some(bytes), File::Is(expected)) if bytes == expected => File::Is(expected),
        (Some(_), _) => File::Compiled,
    };
    let seen = (done.code, file, done.stderr.contains(MESSAGE));
    let expected = (answer.code, answer.file, answer.shown);
    if seen == expected {
        return Ok(());
    }
    let stderr = done.stderr;
    Err(Trouble::Wrong(format!(
        "{seen:?} where {expected:?} is expected\n{stderr}"
    )))
}

fn serve(listener: &TcpListener, reply: &[u8], manner: Manner) {
    for mut client in listener.incoming().filter_map(Result::ok) {
        if manner != Manner::Early {
            read_request(&mut client);
        }
        let pieces = match manner {
            Manner::Bytes => reply.chunks(1),
            Manner::Whole | Manner::Early => reply.chunks(reply.len().max(1)),
        };
        for piece in pieces {
            drop(client.write_all(piece));
            if manner == Manner::Bytes {
                thread::sleep(Duration::from_millis(1));
            }
        }
        drop(client.shutdown(Shutdown::Write));
        // What is unread when a connection closes resets it.
        drop(client.read_to_end(&mut Vec::new()));
    }
}

/// Reads until the source is there, whose length is behind `DOTI`.
fn read_request(client: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut piece) {
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let source = text.split_once("DOTI").and_then(|(_, rest)| {
            let (digits, source) = rest.split_at_checked(8)?;
            Some((usize::from_str_radix(digits, 16).ok()?, source.len()))
        });
        if source.is_some_and(|(length, here)| here >= length) {
            return;
        }
    }
}
