//! Logging: lines for people on a terminal, JSON everywhere else.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::Log;

/// Sends every log line of this process to where `log` says. To be called once.
pub(crate) fn start(log: &Log) -> io::Result<()> {
    let terminal = log.file.is_none() && io::stderr().is_terminal();
    let writer = match &log.file {
        Some(path) => BoxMakeWriter::new(Mutex::new(
            OpenOptions::new().create(true).append(true).open(path)?,
        )),
        None => BoxMakeWriter::new(io::stderr),
    };
    let lines = fmt()
        .with_max_level(LevelFilter::from(log.level))
        .with_target(false)
        .with_writer(writer);
    let started = if terminal {
        tracing::subscriber::set_global_default(lines.finish())
    } else {
        tracing::subscriber::set_global_default(lines.json().flatten_event(true).finish())
    };
    started.map_err(io::Error::other)
}
