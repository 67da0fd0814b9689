//! What a process prints, kept up to a limit.

use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::ioctl_fionread;

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

/// Reads a pipe, forgetting what exceeds a limit so that the writer never blocks.
#[derive(Debug)]
pub(super) struct Capture {
    pipe: PipeReader,
    limit_bytes: usize,
    printed: Printed,
}

impl Capture {
    pub(super) fn new(pipe: PipeReader, limit_bytes: usize) -> Self {
        Self {
            pipe,
            limit_bytes,
            printed: Printed::default(),
        }
    }

    /// Reads a piece, for which it may have to wait.
    pub(super) fn read(&mut self) {
        let before = self.printed.bytes.len();
        self.printed.bytes.resize(before + PIECE_BYTES, 0);
        // One that cannot be read has nothing to tell; that it was interrupted the next call makes good.
        let count = self.pipe.read(&mut self.printed.bytes[before..]);
        self.printed
            .bytes
            .truncate(before + count.unwrap_or_default());
        if self.printed.bytes.len() > self.limit_bytes {
            self.printed.bytes.truncate(self.limit_bytes);
            self.printed.cut = true;
        }
    }

    /// What was printed so far, together with what waits in the pipe: processes that have ended left it there.
    pub(super) fn finish(mut self) -> Printed {
        for _ in 0..LAST_PIECES {
            // Somebody may have it open still, so it must not be waited for.
            if !matches!(ioctl_fionread(&self.pipe), Ok(1..)) {
                break;
            }
            self.read();
        }
        self.printed
    }
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
