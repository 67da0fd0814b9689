//! What a process prints, kept up to a limit.

use std::io;

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use tokio::net::unix::pipe;

/// Bytes asked of a pipe at once; a pipe holds 64 KiB by default.
const PIECE_BYTES: usize = 16 * 1024;

/// Pieces that can wait in a pipe of the largest size that Linux allows; more means that somebody is still writing.
const LAST_PIECES: usize = 1024 * 1024 / PIECE_BYTES;

/// What a process printed to one of its outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Printed {
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more than the limit.
    pub(crate) cut: bool,
}

/// Reads a pipe to its end, forgetting what exceeds a limit so that the writer never blocks.
#[derive(Debug)]
pub(super) struct Capture {
    pipe: pipe::Receiver,
    limit_bytes: usize,
    printed: Printed,
    ended: bool,
}

impl Capture {
    pub(super) fn new(pipe: pipe::Receiver, limit_bytes: usize) -> Self {
        Self {
            pipe,
            limit_bytes,
            printed: Printed::default(),
            ended: false,
        }
    }

    /// Reads until the last writer has closed the pipe. May be dropped and called again without losing anything.
    pub(super) async fn read(&mut self) {
        while !self.ended {
            match self.pipe.readable().await {
                Ok(()) => self.read_available(),
                Err(_broken) => self.ended = true,
            }
        }
    }

    /// What was printed so far, together with what waits in the pipe: processes that have ended left it there.
    ///
    /// Asks the kernel and not the runtime, which may not have heard of it yet.
    pub(super) fn finish(mut self) -> Printed {
        for _ in 0..LAST_PIECES {
            self.printed.bytes.reserve(PIECE_BYTES);
            match rustix::io::read(&self.pipe, spare_capacity(&mut self.printed.bytes)) {
                Ok(1..) => self.cut(),
                Err(Errno::INTR) => {}
                Ok(0) | Err(_) => break,
            }
        }
        self.printed
    }

    fn read_available(&mut self) {
        while !self.ended {
            self.printed.bytes.reserve(PIECE_BYTES);
            match self.pipe.try_read_buf(&mut self.printed.bytes) {
                Ok(0) => self.ended = true,
                Ok(_) => self.cut(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_broken) => self.ended = true,
            }
        }
    }

    fn cut(&mut self) {
        if self.printed.bytes.len() > self.limit_bytes {
            self.printed.bytes.truncate(self.limit_bytes);
            self.printed.cut = true;
        }
    }
}
