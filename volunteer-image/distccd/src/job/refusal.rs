//! Jobs that no server should do, or that this one cannot.

use distcc_wire::WireErrorKind;

use super::argv;
use super::choice::Unsuited;
use super::compiler::{Compilers, NoCompiler};

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
    #[error("pump mode is not served by this volunteer")]
    Pump,
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
    /// What to do about it, if anything.
    pub(crate) fn hint(&self, compilers: &Compilers) -> Option<String> {
        match self {
            Self::Compiler(compiler) => Some(compiler.hint(compilers)),
            Self::Unsuited(unsuited) => Some(unsuited.hint()),
            Self::Pump => Some("take ',cpp' out of DISTCC_HOSTS and leave ',lzo'".to_owned()),
            Self::Arguments(_) | Self::NoArguments | Self::Malformed(_) | Self::OverLimit(_) => {
                None
            }
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
