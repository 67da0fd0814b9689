//! Every size that is accepted from a peer.

use crate::error::{WireError, WireErrorKind};
use crate::packet::Head;
use crate::token::{HEAD_BYTES, Token};

/// What a request may ask for.
///
/// Each length is compared with its limit before memory is reserved for it. The defaults are far above what real
/// builds need and far below what hurts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most arguments (`ARGC`), the compiler included. Default 65 536.
    pub argument_count: u32,
    /// Longest argument (`ARGV`). Default 128 KiB, the longest that Linux gives to a process.
    pub argument_bytes: u32,
    /// Most bytes of all arguments together. Default 2 MiB.
    pub arguments_bytes: u64,
    /// Longest working directory, file name or link target (`CDIR`, `NAME`, `LINK`). Default 4096, Linux's `PATH_MAX`.
    pub path_bytes: u32,
    /// Most files and links of one request (`NFIL`). Default 100 000.
    pub entry_count: u32,
    /// Longest body as it is on the wire (`DOTI`, `FILE`, and all bodies of a reply). Default 1 GiB.
    pub body_bytes: u32,
    /// Longest body after decompression. Default 1 GiB.
    pub decoded_body_bytes: u64,
    /// Most bytes of a whole request or reply on the wire, heads included. Default 3 GiB.
    pub total_bytes: u64,
    /// Most bytes of all bodies of a request or reply together after decompression. Default 3 GiB.
    pub decoded_total_bytes: u64,
}

const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;
const GIB: u32 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            argument_count: 64 * KIB,
            argument_bytes: 128 * KIB,
            arguments_bytes: u64::from(2 * MIB),
            path_bytes: 4 * KIB,
            entry_count: 100_000,
            body_bytes: GIB,
            decoded_body_bytes: u64::from(GIB),
            total_bytes: u64::from(3 * GIB),
            decoded_total_bytes: u64::from(3 * GIB),
        }
    }
}

impl Limits {
    /// How long the next body may become by decompression, after `decoded` bytes of bodies before it.
    pub fn decoded_allowance(&self, decoded: u64) -> u64 {
        self.decoded_body_bytes
            .min(self.decoded_total_bytes.saturating_sub(decoded))
    }
}

/// Whether a packet may be as its head says.
impl Limits {
    pub(crate) fn allow_argument_count(&self, head: &Head) -> Result<(), WireError> {
        let (count, limit) = (head.number, self.argument_count);
        match count {
            0 => Err(WireErrorKind::NoArguments.at(head.offset)),
            _ if count > limit => {
                Err(WireErrorKind::TooManyArguments { count, limit }.at(head.offset))
            }
            _ => Ok(()),
        }
    }

    /// `taken` is the length of all arguments before this one.
    pub(crate) fn allow_argument(&self, head: &Head, taken: u64) -> Result<(), WireError> {
        let (length, limit) = (head.number, self.argument_bytes);
        if length > limit {
            return Err(WireErrorKind::ArgumentTooLong { length, limit }.at(head.offset));
        }
        let limit = self.arguments_bytes;
        if taken + u64::from(length) > limit {
            return Err(WireErrorKind::ArgumentsTooLong { limit }.at(head.offset));
        }
        self.allow_total(head)
    }

    pub(crate) fn allow_entry_count(&self, head: &Head) -> Result<(), WireError> {
        let (count, limit) = (head.number, self.entry_count);
        if count > limit {
            return Err(WireErrorKind::TooManyEntries { count, limit }.at(head.offset));
        }
        Ok(())
    }

    pub(crate) fn allow_path(&self, head: &Head) -> Result<(), WireError> {
        self.allow_length(head, self.path_bytes, |token, length, limit| {
            WireErrorKind::PathTooLong {
                token,
                length,
                limit,
            }
        })
    }

    pub(crate) fn allow_body(&self, head: &Head) -> Result<(), WireError> {
        self.allow_length(head, self.body_bytes, |token, length, limit| {
            WireErrorKind::BodyTooLarge {
                token,
                length,
                limit,
            }
        })
    }

    fn allow_length(
        &self,
        head: &Head,
        limit: u32,
        kind: fn(Token, u32, u32) -> WireErrorKind,
    ) -> Result<(), WireError> {
        if head.number > limit {
            return Err(kind(head.token, head.number, limit).at(head.offset));
        }
        self.allow_total(head)
    }

    fn allow_total(&self, head: &Head) -> Result<(), WireError> {
        let limit = self.total_bytes;
        if head.offset + HEAD_BYTES as u64 + u64::from(head.number) > limit {
            return Err(WireErrorKind::TooLarge { limit }.at(head.offset));
        }
        Ok(())
    }
}
