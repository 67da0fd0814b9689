//! What a client is told about each outcome: the one table of decisions, and its encoding.
//!
//! | outcome                         | versions 1 and 2            | version 3           | why |
//! |---------------------------------|-----------------------------|---------------------|-----|
//! | compiled                        | success                     | success             | |
//! | failed                          | the compiler's own status   | the same            | |
//! | overtime                        | the signal that stopped it  | the same            | clients compile locally and do not count it against the server's honesty |
//! | killed                          | signal 9 and a reason       | the same            | as above: the kernel killed it, not the source |
//! | unsound, refused                | exit code 200 and a reason  | the same            | no other server would do better; below 128 it would switch pump mode off |
//! | unable                          | closed before `DONE`        | exit code 200       | other servers are tried after a broken connection; version 3 clients crash on one |
//! | client gone                     | closed                      | closed              | nobody listens |

use distcc_wire::{
    EncodeError, Failure, HEAD_BYTES, Outcome as WireOutcome, Reply, Token, Version, WaitStatus,
    head, reply,
};

use crate::job::{Compilers, Outcome};
use crate::supervise::Printed;

/// What a client gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A reply.
    Reply {
        outcome: WireOutcome,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
    },
    /// A closed connection.
    Silence,
}

/// Decides what the client is told.
pub(crate) fn answer(
    version: Version,
    outcome: Outcome,
    stdout: Printed,
    stderr: Printed,
    compilers: &Compilers,
) -> Answer {
    let reason = reason(&outcome, compilers);
    let told = match outcome {
        Outcome::Compiled {
            object,
            dependencies,
        } => WireOutcome::Compiled {
            object,
            dependencies,
        },
        Outcome::Failed(failure) | Outcome::Overtime(failure) => WireOutcome::Failed(failure),
        Outcome::Killed { .. } => WireOutcome::Failed(Failure::KILLED),
        Outcome::Unsound(_) | Outcome::Refused(_) => WireOutcome::Failed(Failure::REFUSED),
        Outcome::Unable(_) if version.carries_files() => WireOutcome::Failed(Failure::REFUSED),
        Outcome::Unable(_) | Outcome::ClientGone => return Answer::Silence,
    };
    let cut = cut_note(&stdout, &stderr, compilers);
    let mut text = stderr.bytes;
    for note in [cut, reason].into_iter().flatten() {
        text.extend_from_slice(note.as_bytes());
    }
    Answer::Reply {
        outcome: told,
        stdout: stdout.bytes,
        stderr: text,
    }
}

/// An object of this size is sooner copied than sent by a call of its own.
const SMALL_BYTES: usize = 64 * 1024;

/// Encodes a reply in parts, so that a large object which is not compressed is not copied.
pub(crate) fn encode(
    version: Version,
    outcome: WireOutcome,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
) -> Result<Vec<Vec<u8>>, EncodeError> {
    match outcome {
        WireOutcome::Compiled { object, .. } if version == Version::Plain => {
            encode_plain(&stdout, &stderr, object)
        }
        outcome => Reply {
            version,
            outcome,
            stderr,
            stdout,
        }
        .encode()
        .map(|reply| vec![reply]),
    }
}

fn encode_plain(
    stdout: &[u8],
    stderr: &[u8],
    object: Vec<u8>,
) -> Result<Vec<Vec<u8>>, EncodeError> {
    let bodies = [
        (Token::Serr, stderr),
        (Token::Sout, stdout),
        (Token::Doto, object.as_slice()),
    ];
    let mut front =
        Vec::with_capacity(reply::OPENING_BYTES + 3 * HEAD_BYTES + stdout.len() + stderr.len());
    front.extend(reply::opening(Version::Plain, WaitStatus::Success));
    for (token, body) in bodies {
        let length = u32::try_from(body.len());
        front.extend(head(
            token,
            length.map_err(|_too_large| EncodeError::TooLarge { token })?,
        ));
        if token != Token::Doto || body.len() <= SMALL_BYTES {
            front.extend_from_slice(body);
        }
    }
    if object.len() <= SMALL_BYTES {
        return Ok(vec![front]);
    }
    Ok(vec![front, object])
}

/// Why there is no object, for a person who reads the build's output on the master.
fn reason(outcome: &Outcome, compilers: &Compilers) -> Option<String> {
    let said = |error: &dyn std::fmt::Display, hint: Option<String>| {
        let who = speaker(compilers);
        let hint = hint
            .map(|hint| format!("{who}: hint: {hint}\n"))
            .unwrap_or_default();
        Some(format!("{who}: error: {error}\n{hint}"))
    };
    match outcome {
        Outcome::Compiled { .. } | Outcome::Failed(_) | Outcome::ClientGone => None,
        Outcome::Overtime(failure) => said(
            &format_args!("the compiler ran too long and was stopped ({failure})"),
            None,
        ),
        Outcome::Killed { out_of_memory } => said(&killed(*out_of_memory), Some(ROOM.to_owned())),
        Outcome::Unsound(bad) => said(bad, None),
        Outcome::Refused(refusal) => said(refusal, refusal.hint(compilers)),
        Outcome::Unable(unable) => said(unable, None),
    }
}

/// What helps against a compiler that was killed.
const ROOM: &str = "give the volunteer more memory, or fewer jobs at once";

fn killed(out_of_memory: bool) -> &'static str {
    if out_of_memory {
        "the compiler was killed because the volunteer ran out of memory (signal 9)"
    } else {
        "the compiler was killed, most likely because memory ran out (signal 9)"
    }
}

fn cut_note(stdout: &Printed, stderr: &Printed, compilers: &Compilers) -> Option<String> {
    let cut = stdout.cut || stderr.cut;
    cut.then(|| {
        format!(
            "\n{}: note: the compiler printed more than is sent\n",
            speaker(compilers)
        )
    })
}

fn speaker(compilers: &Compilers) -> String {
    format!("distccd ({})", compilers.target())
}

#[cfg(test)]
mod tests;
