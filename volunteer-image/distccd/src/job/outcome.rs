//! How a job can end.

use std::io;
use std::num::{NonZeroU8, NonZeroUsize};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use distcc_wire::{Failure, Phase};

use super::{BadArtifact, Refusal};
use crate::admission::Overload;
use crate::supervise::{Broken, Stop};

/// How a job ended. What the client is told about it is decided in one place, `reply`.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The compiler did it, and the result is sound.
    Compiled {
        /// The object file, or assembler text.
        object: Vec<u8>,
        /// What it depends on, for `make`; in pump mode only.
        dependencies: Vec<u8>,
    },
    /// The compiler found errors, or crashed.
    Failed(Failure),
    /// The compiler ran too long and was stopped by this signal.
    Overtime(Failure),
    /// Somebody else killed the compiler, most likely the kernel.
    Killed {
        /// Whether the kernel says so: memory ran out.
        out_of_memory: bool,
    },
    /// The compiler said that all is well, and it is not.
    Unsound(BadArtifact),
    /// No server should do this job.
    Refused(Refusal),
    /// This server cannot do it; others may.
    Unable(Unable),
    /// The client has gone.
    ClientGone,
}

/// An [`Outcome`] without what belongs to one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Compiled,
    Failed,
    Overtime,
    Killed,
    Unsound,
    Refused,
    Unable,
    ClientGone,
}

/// Why this server cannot do a job now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unable {
    /// No room for the source, most likely.
    #[error("cannot store the source: {0}")]
    Store(io::Error),
    /// The compiler does not start.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The compiler.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kernel does not tell how the compiler ended.
    #[error("cannot wait for the compiler: {0}")]
    Wait(io::Error),
    /// Too many others.
    #[error(transparent)]
    Overload(#[from] Overload),
    /// Too many of the same client.
    #[error("more than {limit} connections of one client")]
    Crowded {
        /// As many as it may have.
        limit: NonZeroUsize,
    },
    /// The client stopped sending.
    #[error("the client sent nothing more of its {0} for too long")]
    Stalled(Phase),
    /// The daemon is ending and the grace period is over.
    #[error("the volunteer is shutting down")]
    Shutdown,
}

impl Unable {
    /// `program` could not be run to its end.
    pub(super) fn run(program: &Path, broken: Broken) -> Self {
        match broken {
            Broken::Start(source) => Self::Start {
                program: program.to_owned(),
                source,
            },
            Broken::Wait(error) => Self::Wait(error),
        }
    }
}

const SIGTERM: u8 = 15;
const SIGKILL: u8 = 9;

impl Outcome {
    /// The outcome of a compiler that ended with `status`, by itself or because it was stopped.
    pub(super) fn of(
        status: ExitStatus,
        stop: Option<Stop>,
        stderr: &[u8],
        artifact: impl FnOnce() -> Result<Vec<u8>, BadArtifact>,
    ) -> Self {
        match stop {
            Some(Stop::ClientGone) => Self::ClientGone,
            Some(Stop::Shutdown) => Self::Unable(Unable::Shutdown),
            Some(Stop::Overtime) => Self::Overtime(overtime(status)),
            None if status.success() => match artifact() {
                Ok(object) => Self::Compiled {
                    object,
                    dependencies: Vec::new(),
                },
                Err(bad) => Self::Unsound(bad),
            },
            None if was_killed(status, stderr) => Self::Killed {
                out_of_memory: false,
            },
            None => Self::Failed(failure(status)),
        }
    }

    /// The outcome of a job that was stopped before its compiler started.
    pub(crate) fn stopped(stop: Stop) -> Self {
        match stop {
            Stop::ClientGone => Self::ClientGone,
            Stop::Shutdown | Stop::Overtime => Self::Unable(Unable::Shutdown),
        }
    }

    /// What kind it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Compiled { .. } => Kind::Compiled,
            Self::Failed(_) => Kind::Failed,
            Self::Overtime(_) => Kind::Overtime,
            Self::Killed { .. } => Kind::Killed,
            Self::Unsound(_) => Kind::Unsound,
            Self::Refused(_) => Kind::Refused,
            Self::Unable(_) => Kind::Unable,
            Self::ClientGone => Kind::ClientGone,
        }
    }

    /// One stable word on why there is no object, where it was not the compiler that failed.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Compiled { .. } | Self::Failed(_) | Self::Overtime(_) | Self::ClientGone => None,
            Self::Killed { out_of_memory } => {
                Some(if *out_of_memory { "memory" } else { "signal" })
            }
            Self::Unsound(bad) => Some(bad.word()),
            Self::Refused(refusal) => Some(refusal.word()),
            Self::Unable(unable) => Some(unable.word()),
        }
    }

    /// More than the word says, for logs.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Self::Compiled { .. } | Self::ClientGone => None,
            Self::Killed { out_of_memory } => out_of_memory.then(|| "out of memory".to_owned()),
            Self::Failed(failure) | Self::Overtime(failure) => Some(failure.to_string()),
            Self::Unsound(bad) => Some(bad.to_string()),
            Self::Refused(refusal) => Some(refusal.to_string()),
            Self::Unable(unable) => Some(unable.to_string()),
        }
    }
}

/// What GCC's driver prints when the program that does the work was killed; the driver itself ends with an exit code.
const CHILD_KILLED: &[u8] = b"Killed signal terminated program ";

impl Kind {
    /// One word for logs and statistics, stable.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Compiled => "compiled",
            Self::Failed => "failed",
            Self::Overtime => "overtime",
            Self::Killed => "killed",
            Self::Unsound => "unsound",
            Self::Refused => "refused",
            Self::Unable => "unable",
            Self::ClientGone => "client-gone",
        }
    }
}

impl Unable {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Start { .. } => "start",
            Self::Wait(_) => "wait",
            Self::Overload(_) => "overload",
            Self::Crowded { .. } => "crowded",
            Self::Stalled(_) => "stalled",
            Self::Shutdown => "shutdown",
        }
    }
}

/// How a shell tells that a program was killed; some compilers are scripts.
const SHELL_KILLED: i32 = 128 + 9;

fn was_killed(status: ExitStatus, stderr: &[u8]) -> bool {
    status.signal() == Some(i32::from(SIGKILL))
        || status.code() == Some(SHELL_KILLED)
        || memchr::memmem::find(stderr, CHILD_KILLED).is_some()
}

fn failure(status: ExitStatus) -> Failure {
    let exit = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .and_then(NonZeroU8::new);
    let signal = || {
        status
            .signal()
            .and_then(|signal| u8::try_from(signal).ok())
            .and_then(Failure::signal)
    };
    exit.map(Failure::exit)
        .or_else(signal)
        .unwrap_or(Failure::REFUSED)
}

/// Some compilers turn the signal that stops them into an exit code; a client would take that for a compile error.
fn overtime(status: ExitStatus) -> Failure {
    let signal = if status.signal() == Some(i32::from(SIGKILL)) {
        SIGKILL
    } else {
        SIGTERM
    };
    Failure::signal(signal).unwrap_or(Failure::REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: i32, stop: Option<Stop>, stderr: &str) -> String {
        let status = ExitStatus::from_raw(status);
        let outcome = Outcome::of(status, stop, stderr.as_bytes(), || {
            Err(BadArtifact::Missing)
        });
        format!(
            "{} {}",
            outcome.kind().word(),
            outcome.detail().unwrap_or_default()
        )
    }

    #[test]
    fn the_compilers_end_decides_unless_it_was_stopped() {
        let cases = [
            (
                0,
                None,
                "unsound the compiler ended well but made no object file",
            ),
            (0x0100, None, "failed exit code 1"),
            (0xff00, None, "failed exit code 255"),
            (11, None, "failed signal 11"),
            (0x8b, None, "failed signal 11"),
            (15, Some(Stop::Overtime), "overtime signal 15"),
            (9, Some(Stop::Overtime), "overtime signal 9"),
            (0x0100, Some(Stop::Overtime), "overtime signal 15"),
            (0, Some(Stop::Overtime), "overtime signal 15"),
            (9, Some(Stop::ClientGone), "client-gone "),
            (
                9,
                Some(Stop::Shutdown),
                "unable the volunteer is shutting down",
            ),
        ];
        for (status, stop, expected) in cases {
            assert_eq!(told(status, stop, ""), expected, "{status:#x} {stop:?}");
        }
    }

    #[test]
    fn a_compiler_that_somebody_killed_is_told_from_one_that_failed() {
        let driver =
            "gcc: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\n";
        assert_eq!(told(9, None, ""), "killed ");
        assert_eq!(told(0x0100, None, driver), "killed ");
        assert_eq!(told(137 << 8, None, ""), "killed ");
        assert_eq!(
            told(0x0100, None, "cc1: error: killed\n"),
            "failed exit code 1"
        );
        let sound = Outcome::of(ExitStatus::from_raw(0), None, driver.as_bytes(), || {
            Ok(Vec::new())
        });
        assert!(matches!(sound, Outcome::Compiled { .. }));
    }

    #[test]
    fn a_sound_result_is_handed_on() {
        let outcome = Outcome::of(
            ExitStatus::from_raw(0),
            None,
            b"",
            || Ok(b"object".to_vec()),
        );
        assert!(matches!(outcome, Outcome::Compiled { object, .. } if object == b"object"));
    }
}
