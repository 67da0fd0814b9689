//! Data for pipes. A reader that went away is no failure.

use std::io::{ErrorKind, Write};
use std::ops::ControlFlow;

use super::{Exit, Failure};

/// Writes `text` to stdout.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_while_read(text).map(drop)
}

/// Writes `text` to stdout; for output without an end, which must stop when its reader goes away.
pub(super) fn print_while_read(text: &str) -> Result<ControlFlow<()>, Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => {
            let error = anyhow::Error::from(error).context("cannot write to stdout");
            Err(Failure::new(Exit::Failed, error, None))
        }
    }
}

/// Writes `value` to stdout as one JSON document.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?;
    print(&format!("{text}\n"))
}
