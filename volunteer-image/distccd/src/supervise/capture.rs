//! What a process prints, kept up to a limit.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

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
    /// Nothing once the last writer has closed it.
    pipe: Option<OwnedFd>,
    limit_bytes: usize,
    printed: Printed,
}

impl Capture {
    pub(super) fn new(pipe: Option<OwnedFd>, limit_bytes: usize) -> Self {
        Self {
            pipe,
            limit_bytes,
            printed: Printed::default(),
        }
    }

    /// The pipe, while there may be more in it.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes a piece from the pipe, of which `found` is known: what is there, or that there is an end.
    pub(super) fn take(&mut self, found: PollFlags) {
        if found.contains(PollFlags::IN) {
            self.read();
        } else if !found.is_empty() {
            self.pipe = None;
        }
    }

    /// What was printed so far, together with what waits in the pipe: processes that have ended left it there.
    pub(super) fn finish(mut self) -> Printed {
        for _ in 0..LAST_PIECES {
            let Some(pipe) = &self.pipe else { break };
            let mut pipe = [PollFd::new(pipe, PollFlags::IN)];
            // Somebody may have it open still, so it must not be waited for.
            let [found] = match poll(&mut pipe, Some(&Timespec::default())) {
                Ok(_) => pipe.map(|pipe| pipe.revents()),
                Err(_interrupted) => continue,
            };
            if found.is_empty() {
                break;
            }
            self.take(found);
        }
        self.printed
    }

    fn read(&mut self) {
        let Some(pipe) = &self.pipe else { return };
        self.printed.bytes.reserve(PIECE_BYTES);
        match rustix::io::read(pipe, spare_capacity(&mut self.printed.bytes)) {
            Ok(1..) => self.cut(),
            Err(Errno::INTR) => {}
            Ok(0) | Err(_) => self.pipe = None,
        }
    }

    fn cut(&mut self) {
        if self.printed.bytes.len() > self.limit_bytes {
            self.printed.bytes.truncate(self.limit_bytes);
            self.printed.cut = true;
        }
    }
}
