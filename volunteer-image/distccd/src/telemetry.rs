//! Logging: lines for people on a terminal, plain lines for the system's log, JSON everywhere else.

mod syslog;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::{Log, Sink};
use syslog::Syslog;

/// Sends every log line of this process to where `log` says. To be called once.
pub(crate) fn start(log: &Log) -> io::Result<()> {
    let terminal = log.sink == Sink::StandardError && io::stderr().is_terminal();
    let writer = match &log.sink {
        Sink::File(path) => BoxMakeWriter::new(Mutex::new(
            OpenOptions::new().create(true).append(true).open(path)?,
        )),
        Sink::StandardError => BoxMakeWriter::new(io::stderr),
        Sink::Syslog => BoxMakeWriter::new(Syslog::open()),
    };
    let lines = fmt()
        .with_max_level(LevelFilter::from(log.level))
        .with_target(false)
        .with_writer(writer);
    let started = match &log.sink {
        // The system's log has time and level of its own.
        Sink::Syslog => {
            let plain = lines.with_ansi(false).with_level(false).without_time();
            tracing::subscriber::set_global_default(plain.finish())
        }
        _ if terminal => tracing::subscriber::set_global_default(lines.finish()),
        _ => tracing::subscriber::set_global_default(lines.json().flatten_event(true).finish()),
    };
    started.map_err(io::Error::other)
}
