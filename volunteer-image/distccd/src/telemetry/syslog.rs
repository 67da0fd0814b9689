//! The system's log: datagrams to a socket, as `syslog(3)` sends them.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

const SOCKET: &str = "/dev/log";

/// The facility of daemons without one of their own (`LOG_DAEMON`), shifted to its place.
const FACILITY: u8 = 3 << 3;

/// Sends lines to the system's log; without one they go nowhere, as from the C library.
#[derive(Debug)]
pub(super) struct Syslog {
    socket: Option<UnixDatagram>,
    process: u32,
}

/// One line on its way.
#[derive(Debug)]
pub(super) struct Line<'a> {
    syslog: &'a Syslog,
    severity: u8,
}

impl Syslog {
    pub(super) fn open() -> Self {
        Self::to(Path::new(SOCKET))
    }

    fn to(path: &Path) -> Self {
        let connected = UnixDatagram::unbound().and_then(|socket| {
            socket.connect(path)?;
            // A log that is full must not hold jobs up.
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        Self {
            socket: connected.ok(),
            process: std::process::id(),
        }
    }
}

impl<'a> MakeWriter<'a> for Syslog {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            syslog: self,
            severity: severity(Level::INFO),
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        Line {
            syslog: self,
            severity: severity(*metadata.level()),
        }
    }
}

impl io::Write for Line<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if let Some(socket) = &self.syslog.socket {
            let priority = FACILITY | self.severity;
            let mut line = format!("<{priority}>distccd[{}]: ", self.syslog.process).into_bytes();
            line.extend_from_slice(text.trim_ascii_end());
            drop(socket.send(&line));
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// By the numbers of `syslog(3)`.
fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_is_a_datagram_with_priority_and_sender() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::to(&path);
        syslog.make_writer().write_all(b"listening\n").unwrap();
        let mut buffer = [0; 100];
        let length = log.recv(&mut buffer).unwrap();
        let expected = format!("<30>distccd[{}]: listening", std::process::id());
        assert_eq!(&buffer[..length], expected.as_bytes());
    }

    #[test]
    fn without_a_log_lines_go_nowhere() {
        let syslog = Syslog::to(Path::new("/nonexistent"));
        assert!(syslog.make_writer().write_all(b"listening").is_ok());
    }
}
