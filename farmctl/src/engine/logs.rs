//! What containers wrote, line by line.

use std::pin::Pin;
use std::time::SystemTime;

use futures_util::Stream;

use super::EngineError;

/// Lines of one container, the oldest first.
pub type LogLines = Pin<Box<dyn Stream<Item = Result<LogLine, EngineError>> + Send>>;

/// Which lines of a container are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// Go on with what the container writes, until it ends.
    pub follow: bool,
    /// Only so many of the last lines; all if not said.
    pub tail: Option<u64>,
    /// Only lines from this time on. Engines take whole seconds: lines of the same second may come too.
    pub since: Option<SystemTime>,
}

/// A line that a container wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When the engine read it.
    pub time: SystemTime,
    /// Where the container wrote it.
    pub stream: LogStream,
    /// The line, without its end.
    pub message: String,
}

/// One of the two streams that a container writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl LogStream {
    /// Its usual name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}
