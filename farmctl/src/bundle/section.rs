//! A part of a file, read without moving anybody else's place in it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Where a member's bytes are.
#[derive(Debug, Clone)]
pub(super) struct Section {
    file: Arc<File>,
    offset: u64,
    bytes: u64,
}

impl Section {
    pub(super) fn new(file: &Arc<File>, offset: u64, bytes: u64) -> Self {
        Self {
            file: Arc::clone(file),
            offset,
            bytes,
        }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        let length = buffer.len().min(wanted);
        let read = self.file.read_at(&mut buffer[..length], self.offset)?;
        self.offset += read as u64;
        self.bytes -= read as u64;
        Ok(read)
    }
}
