//! Jobs that no server should do, or that this one cannot.

use distcc_wire::WireErrorKind;

use super::argv::{self, Shown};
use super::choice::Unsuited;
use super::compiler::{Compilers, NoCompiler};
use super::pump::{BadEntry, BadPath};

/// Why a job is refused. Its client is told, and compiles by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// By its arguments.
    #[error(transparent)]
    Arguments(#[from] argv::Refusal),
    /// By its compiler.
    #[error(transparent)]
    Compiler(#[from] NoCompiler),
    /// By its client's compiler.
    #[error(transparent)]
    Unsuited(#[from] Unsuited),
    /// A request of pump mode, which needs the headers of the client's system.
    #[error("pump mode is not served by this volunteer: it has no C and C++ headers")]
    Pump,
    /// A request of pump mode from a place that is none.
    #[error("the working directory {0} {1}")]
    Directory(Shown, BadPath),
    /// A file or link of pump mode.
    #[error("{0}")]
    Entry(#[from] BadEntry),
    /// Pump mode: something that the compiler looks for was not sent, and is not here.
    #[error("a file that this compile needs is not on this volunteer")]
    FileMissing,
    /// Not even a compiler.
    #[error("the request has no arguments")]
    NoArguments,
    /// A request that breaks the protocol or a limit.
    #[error("malformed request: {0}")]
    Malformed(WireErrorKind),
    /// A sound request that is too large.
    #[error("request over a limit: {0}")]
    OverLimit(WireErrorKind),
}

impl Refusal {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Arguments(arguments) => arguments.word(),
            Self::Compiler(compiler) => compiler.word(),
            Self::Unsuited(unsuited) => unsuited.word(),
            Self::Pump => "pump",
            Self::Directory(..) | Self::Entry(_) => "pump-path",
            Self::FileMissing => "file-missing",
            Self::NoArguments | Self::Malformed(_) => "malformed",
            Self::OverLimit(_) => "over-limit",
        }
    }

    /// What to do about it, if anything.
    pub(crate) fn hint(&self, compilers: &Compilers) -> Option<String> {
        match self {
            Self::Compiler(compiler) => Some(compiler.hint(compilers)),
            Self::Unsuited(unsuited) => Some(unsuited.hint()),
            Self::Pump => Some(
                "take ',cpp' out of DISTCC_HOSTS and leave ',lzo', or give the target 'headers: true' in farm.yaml".to_owned(),
            ),
            Self::FileMissing => Some(
                "pump mode leaves system headers out: install the same on both, or take ',cpp' out of DISTCC_HOSTS".to_owned(),
            ),
            Self::Arguments(_)
            | Self::Directory(..)
            | Self::Entry(_)
            | Self::NoArguments
            | Self::Malformed(_)
            | Self::OverLimit(_) => None,
        }
    }
}

impl From<WireErrorKind> for Refusal {
    fn from(kind: WireErrorKind) -> Self {
        if kind.is_limit() {
            Self::OverLimit(kind)
        } else {
            Self::Malformed(kind)
        }
    }
}
