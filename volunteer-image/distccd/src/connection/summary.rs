//! The stock daemon's line about a job, word for word, for programs that read logs.

use std::time::Duration;

use distcc_wire::Failure;

use super::peer::Peer;
use crate::job::{Outcome, Refusal, Shown};

/// How a job ended, as the stock daemon counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    word: &'static str,
    exit: u8,
    signal: u8,
    /// One of the stock daemon's exit codes, for what is not the compiler's doing.
    code: u8,
    /// Whether compiler and source are told.
    compiled: bool,
}

impl Default for Ended {
    fn default() -> Self {
        Self::without_compiler("OTHER", 0)
    }
}

/// Codes of the stock programs.
const PROTOCOL_ERROR: u8 = 109;
const IO_ERROR: u8 = 107;
const NOT_HERE: u8 = 110;
const BAD_ARGUMENTS: u8 = 101;
const TIMEOUT: u8 = 118;

const SIGKILL: u8 = 9;

impl Ended {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let compiler = |word, (exit, signal), code| Self {
            word,
            exit,
            signal,
            code,
            compiled: true,
        };
        match outcome {
            Outcome::Compiled { .. } => compiler("COMPILE_OK", (0, 0), 0),
            Outcome::Failed(failure) => compiler("COMPILE_ERROR", parts(*failure), 0),
            Outcome::Killed { .. } => compiler("COMPILE_ERROR", (0, SIGKILL), 0),
            Outcome::Overtime(failure) => Self {
                compiled: false,
                ..compiler("COMPILE_TIMEOUT", parts(*failure), TIMEOUT)
            },
            Outcome::Unsound(_) | Outcome::Unable(_) => Self::without_compiler("OTHER", IO_ERROR),
            Outcome::Refused(Refusal::Compiler(_)) => Self::without_compiler("OTHER", NOT_HERE),
            Outcome::Refused(Refusal::Malformed(_) | Refusal::NoArguments) => {
                Self::without_compiler("REJ_BAD_REQ", PROTOCOL_ERROR)
            }
            Outcome::Refused(_) => Self::without_compiler("OTHER", BAD_ARGUMENTS),
            Outcome::ClientGone => Self::without_compiler("CLI_DISCONNECT", IO_ERROR),
        }
    }

    fn without_compiler(word: &'static str, code: u8) -> Self {
        Self {
            word,
            exit: 0,
            signal: 0,
            code,
            compiled: false,
        }
    }
}

/// Exit code and signal, 0 for none.
fn parts(failure: Failure) -> (u8, u8) {
    let exit = failure.exit_code().unwrap_or_default();
    (exit, failure.signal_number().unwrap_or_default())
}

/// The line; `names` are those of compiler and source.
pub(super) fn line(
    client: Peer,
    ended: Ended,
    elapsed: Duration,
    names: [Option<&Shown>; 2],
) -> String {
    let Ended {
        word,
        exit,
        signal,
        code,
        compiled,
    } = ended;
    let milliseconds = elapsed.as_millis();
    let names = match (names, compiled) {
        ([Some(compiler), Some(source)], true) => format!("{compiler} {source}"),
        _ => String::new(),
    };
    format!(
        "client: {client} {word} exit:{exit} sig:{signal} core:0 ret:{code} time:{milliseconds}ms {names}"
    )
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use super::*;

    /// The first three are what the stock daemon of Debian logged, but for the address.
    #[test]
    fn reads_as_the_stock_daemons_does() {
        let exit = Failure::exit(NonZeroU8::MIN);
        let killed = Failure::signal(9).unwrap();
        let cases = [
            (
                Outcome::Compiled {
                    object: Vec::new(),
                    dependencies: Vec::new(),
                },
                "COMPILE_OK exit:0 sig:0 core:0 ret:0 time:34ms gcc hello.c",
            ),
            (
                Outcome::Failed(exit),
                "COMPILE_ERROR exit:1 sig:0 core:0 ret:0 time:34ms gcc hello.c",
            ),
            (
                Outcome::Refused(Refusal::NoArguments),
                "REJ_BAD_REQ exit:0 sig:0 core:0 ret:109 time:34ms ",
            ),
            (
                Outcome::Overtime(killed),
                "COMPILE_TIMEOUT exit:0 sig:9 core:0 ret:118 time:34ms ",
            ),
            (
                Outcome::ClientGone,
                "CLI_DISCONNECT exit:0 sig:0 core:0 ret:107 time:34ms ",
            ),
        ];
        let peer = Peer::Network("[::ffff:10.1.2.3]:4242".parse().unwrap());
        let names = [Shown::new(b"gcc"), Shown::new(b"hello.c")];
        let told = |peer, outcome| {
            let names = [Some(&names[0]), Some(&names[1])];
            line(peer, Ended::of(&outcome), Duration::from_millis(34), names)
        };
        for (outcome, expected) in cases {
            assert_eq!(
                told(peer, outcome),
                format!("client: 10.1.2.3:4242 {expected}")
            );
        }
        for (peer, expected) in [
            (Peer::UnixDomain, "client: UNIX-DOMAIN  CLI_DISCONNECT "),
            (Peer::Pipes, "client: NOTSOCKET CLI_DISCONNECT "),
        ] {
            assert!(told(peer, Outcome::ClientGone).starts_with(expected));
        }
    }
}
