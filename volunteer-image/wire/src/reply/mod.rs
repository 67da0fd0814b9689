//! The server's half: how the compiler ended, what it printed, and the object.
//!
//! A server writes a [`Reply`], or, when the object is to be streamed, [`opening`] and then a packet per body. Probes,
//! load generators and tests read with a [`ReplyDecoder`].

mod assembly;
mod decode;
mod encode;

use crate::status::{Failure, WaitStatus};
use crate::version::Version;

pub use decode::ReplyDecoder;
pub use encode::{OPENING_BYTES, PROMISE_BYTES, opening};

/// A whole reply, uncompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The version of the request.
    pub version: Version,
    /// How it went.
    pub outcome: Outcome,
    /// What the compiler printed to its standard error, or why the job was refused.
    pub stderr: Vec<u8>,
    /// What the compiler printed to its standard output.
    pub stdout: Vec<u8>,
}

/// How a job went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The compiler succeeded.
    Compiled {
        /// The object file.
        object: Vec<u8>,
        /// The dependency file; part of the reply in version 3 only.
        dependencies: Vec<u8>,
    },
    /// The compiler failed, or the job was refused; there is no object.
    Failed(Failure),
}

/// What a [`ReplyDecoder`] has found next, decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyEvent {
    /// `DONE`: the reply has begun, in the version of the request.
    Version(Version),
    /// `STAT`: how the compiler ended.
    Status(WaitStatus),
    /// `SERR`: what it printed to its standard error.
    Stderr(Vec<u8>),
    /// `SOUT`: what it printed to its standard output.
    Stdout(Vec<u8>),
    /// `DOTO`: the object file; absent after a failure.
    Object(Vec<u8>),
    /// `DOTD`: the dependency file; only in version 3 and absent after a failure.
    Dependencies(Vec<u8>),
    /// The reply is complete; what follows in the stream is none of it.
    End,
}

impl Outcome {
    /// The wait status that tells it.
    pub fn status(&self) -> WaitStatus {
        match self {
            Self::Compiled { .. } => WaitStatus::Success,
            Self::Failed(failure) => WaitStatus::Failure(*failure),
        }
    }
}
