//! Decompresses an archive, whatever its name says it is, within bounds.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::TarballFault;

const READ_BYTES: usize = 1 << 16;
/// What the decoder of an `xz -9` needs is a quarter of this.
const XZ_MEMORY_KIB: u32 = 256 << 10;
/// Where a tar archive says what it is (POSIX 1003.1, ustar interchange format).
const USTAR: std::ops::Range<usize> = 257..262;

/// The tar archive at `path`, decompressed; reading more than `max_bytes` of it is an error.
pub(super) fn open(path: &Path, max_bytes: u64) -> Result<impl Read + use<>, TarballFault> {
    let mut file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    let compression = Compression::of(file.fill_buf()?)?;
    let data: Box<dyn Read> = match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
        Compression::Xz => Box::new(XzReader::new_mem_limit(file, true, XZ_MEMORY_KIB)),
    };
    let max = max_bytes;
    Ok(Bounded {
        data,
        left: max,
        max,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Xz,
}

impl Compression {
    /// Tells by the first bytes: names lie.
    fn of(start: &[u8]) -> Result<Self, TarballFault> {
        const OTHERS: [(&[u8], &str); 4] = [
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"BZh", "bzip2"),
            (b"PK\x03\x04", "zip"),
            (b"\x04\x22\x4d\x18", "lz4"),
        ];
        if start.starts_with(b"\xfd7zXZ\0") {
            Ok(Self::Xz)
        } else if start.starts_with(b"\x1f\x8b") {
            Ok(Self::Gzip)
        } else if start.get(USTAR) == Some(b"ustar") {
            Ok(Self::None)
        } else if let Some((_magic, name)) = OTHERS
            .iter()
            .find(|(magic, _name)| start.starts_with(magic))
        {
            Err(TarballFault::Compression(name))
        } else {
            Err(TarballFault::NoArchive)
        }
    }
}

/// Ends a stream that would go on and on.
struct Bounded<R> {
    data: R,
    left: u64,
    max: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.data.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {} MiB", self.max >> 20))
        })?;
        Ok(read)
    }
}
