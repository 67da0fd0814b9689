//! Exit codes of the process, those of the stock daemon ("distccd exit codes", distcc manual).

use std::process::ExitCode;

/// Why the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was told to, or had only a question to answer.
    Done = 0,
    /// A probe failed.
    Unhealthy = 1,
    /// Anything not below.
    Failed = 100,
    /// An option, or the value of one.
    BadArguments = 101,
    /// The port is taken, or not ours to open.
    BindFailed = 102,
    /// The log file or the job directory cannot be used.
    IoError = 107,
    /// The one client left before its request was complete.
    Truncated = 108,
    /// The one client does not speak the protocol.
    ProtocolError = 109,
    /// No toolchain, or one whose compilers are not there.
    NoCompiler = 110,
    /// Started as root, and unable to become somebody else.
    StillRoot = 112,
    /// The one client is not on the allow list.
    AccessDenied = 113,
    /// GSS-API, which is not here.
    NoAuthentication = 119,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
