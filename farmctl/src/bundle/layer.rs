//! A layer of a bundle: unpacked and checked while it is read.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::section::Section;
use crate::image::{Hashing, LayerContent, Sha256};

/// Where a layer is, and what must come out of it.
#[derive(Debug, Clone)]
pub(super) struct PackedLayer {
    pub(super) packed: Section,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
}

const BUFFER_BYTES: usize = 1 << 18;

impl LayerContent for PackedLayer {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let packed = BufReader::with_capacity(BUFFER_BYTES, self.packed.clone());
        let content = MultiGzDecoder::new(packed);
        Ok(Box::new(Checked::new(content, self.bytes, self.sha256)))
    }
}

/// Passes content on as long as it may still be what it must be. The last piece is held back until the digest is known
/// to be right, so whoever gets so many bytes has the right ones.
pub(super) struct Checked<R> {
    content: R,
    left: u64,
    sha256: Sha256,
    hashed: Hashing<io::Sink>,
}

impl<R> Checked<R> {
    pub(super) fn new(content: R, bytes: u64, sha256: Sha256) -> Self {
        Self {
            content,
            left: bytes,
            sha256,
            hashed: Hashing::new(io::sink()),
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.content.read(buffer)?;
        let passed = read as u64;
        if read == 0 && self.left > 0 {
            return Err(wrong(format!("ends {} bytes too early", self.left)));
        }
        if passed > self.left {
            return Err(wrong("is longer than it should be"));
        }
        self.hashed.absorb(&buffer[..read]);
        self.left -= passed;
        if self.left == 0 && self.hashed.digest() != self.sha256 {
            return Err(wrong("has another SHA-256"));
        }
        Ok(read)
    }
}

fn wrong(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}
