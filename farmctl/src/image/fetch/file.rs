//! A file of this machine, taken into the cache like one of the mirror.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::partial::Partial;
use super::{FetchError, RemoteFile};

const READ_BYTES: usize = 1 << 18;

/// Copies `path` into `partial`, from its beginning.
pub(super) fn copy(
    path: &Path,
    file: &RemoteFile,
    advance: &impl Fn(u64),
    partial: &mut Partial,
) -> Result<(), FetchError> {
    let unreadable = |source| FetchError::Unreadable {
        path: path.to_owned(),
        source,
    };
    partial.restart()?;
    let mut source = File::open(path).map_err(unreadable)?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = source.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            return Ok(());
        }
        if partial.bytes() + read as u64 > file.length.max() {
            return Err(FetchError::TooLarge {
                url: file.url.to_string(),
                max_bytes: file.length.max(),
            });
        }
        partial.append(&buffer[..read])?;
        advance(read as u64);
    }
}
