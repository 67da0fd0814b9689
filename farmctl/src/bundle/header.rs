//! The headers of members: everything in them follows from name, mode and size.

use std::io;

use tar::{EntryType, Header};

/// Size of a header, and what members are padded to (POSIX ustar).
pub(super) const BLOCK: u64 = 512;

/// The same, of what is in memory.
pub(super) const BLOCK_BYTES: usize = 512;

/// An archive ends with two blocks of zeros.
pub(super) const END: [u8; 1024] = [0; 1024];

/// The same for every bundle. Not the epoch: GNU tar finds that implausible, and says so.
const MTIME: u64 = 946_684_800;

/// A member's name and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) path: String,
    pub(super) is_program: bool,
}

impl Name {
    pub(super) fn of_data(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            is_program: false,
        }
    }

    pub(super) fn of_program(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            is_program: true,
        }
    }

    /// The header of this member with so many bytes.
    pub(super) fn header(&self, bytes: u64) -> io::Result<[u8; BLOCK_BYTES]> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_path(&self.path)?;
        header.set_mode(if self.is_program { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MTIME);
        header.set_size(bytes);
        header.set_cksum();
        Ok(*header.as_bytes())
    }
}

/// The size that a header gives, if it is one.
pub(super) fn size(block: &[u8; BLOCK_BYTES]) -> Option<u64> {
    Header::from_byte_slice(block).entry_size().ok()
}

/// How many zeros follow so many bytes.
pub(super) fn padding(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK) - bytes
}
