//! The client library's errors, turned into ours.

use bollard::errors::Error;

use super::super::{EngineError, EngineErrorKind, TlsProblem};
use super::connect::Line;

/// What was being done, and where; turns a failure into an [`EngineError`].
#[derive(Debug)]
pub(super) struct Operation<'a> {
    pub(super) line: &'a Line,
    pub(super) operation: String,
}

impl Operation<'_> {
    pub(super) fn failed(&self, error: Error) -> EngineError {
        self.failed_by(match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => refusal(status_code, message),
            Error::DockerStreamError { error } => refusal(500, error),
            Error::RequestTimeoutError => broken("the engine did not answer in time"),
            other => match self.line.explain(&other) {
                Some(kind) => kind,
                None => return self.lost(&other),
            },
        })
    }

    /// The first words of whatever answers are not an engine's, or there are none.
    pub(super) fn not_understood(&self, error: Error) -> EngineError {
        match error {
            Error::DockerResponseServerError { message, .. }
                if message.contains("HTTP request to an HTTPS server") =>
            {
                self.failed_by(EngineErrorKind::Tls {
                    endpoint: self.line.endpoint.to_string(),
                    problem: TlsProblem::OnlyTls,
                })
            }
            other => self.unreachable(&other),
        }
    }

    /// Nobody answers where an engine answered before, or what it says is cut short.
    fn lost(&self, error: &Error) -> EngineError {
        if is_gone(error) {
            self.unreachable(error)
        } else {
            self.failed_by(broken(&with_sources(error)))
        }
    }

    pub(super) fn unreachable(&self, error: &Error) -> EngineError {
        let reason = root_cause(error);
        self.failed_by(EngineErrorKind::Unreachable {
            endpoint: self.line.endpoint.to_string(),
            reason,
        })
    }

    pub(super) fn broken(&self, reason: &str) -> EngineError {
        self.failed_by(broken(reason))
    }

    pub(super) fn failed_by(&self, kind: EngineErrorKind) -> EngineError {
        EngineError {
            operation: self.operation.clone(),
            kind,
        }
    }
}

fn broken(reason: &str) -> EngineErrorKind {
    EngineErrorKind::Broken {
        reason: reason.to_owned(),
    }
}

/// The engine has no codes for these, only sentences.
fn refusal(status: u16, message: String) -> EngineErrorKind {
    let has = |part: &str| message.contains(part);
    if has("port is already allocated") || has("address already in use") {
        EngineErrorKind::PortTaken { message }
    } else if has("no space left on device") {
        EngineErrorKind::DiskFull { message }
    } else if has("authentication required") || has("no basic auth credentials") {
        EngineErrorKind::LoginNeeded { message }
    } else {
        EngineErrorKind::Refused { status, message }
    }
}

/// Above it the client library only says which of its parts noticed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn is_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        if matches!(kind, Some(ConnectionRefused | NotFound)) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let words = source.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = source.source();
    }
    text
}

/// Whether the thing a call was about does not exist (any more), or already is as wished.
pub(super) trait Missing {
    fn is_missing(&self) -> bool;
}

impl Missing for Error {
    fn is_missing(&self) -> bool {
        // 304: already stopped. 404: gone. 409 while a removal is under way means that it will be gone.
        match self {
            Error::DockerResponseServerError {
                status_code: 304 | 404,
                ..
            } => true,
            Error::DockerResponseServerError {
                status_code: 409,
                message,
            } => message.contains("is already in progress"),
            _ => false,
        }
    }
}

/// Whether something else has the name that was asked for.
pub(super) trait NameTaken {
    fn is_name_taken(&self) -> bool;
}

impl NameTaken for Error {
    fn is_name_taken(&self) -> bool {
        matches!(
            self,
            Error::DockerResponseServerError { status_code: 409, message }
                if message.contains("is already in use") || message.contains("already exists")
        )
    }
}
