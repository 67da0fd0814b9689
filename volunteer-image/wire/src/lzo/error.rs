//! What can be wrong with a block.

/// A block that is not LZO1X, or expands too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LzoError {
    /// The block ends before its end marker.
    #[error("the compressed data ends early")]
    Truncated,
    /// Bytes follow the end marker.
    #[error("bytes after the end of the compressed data")]
    TrailingBytes,
    /// A match reaches back before the start of the output.
    #[error("a match reaches back {distance} bytes where only {produced} are")]
    BeforeStart {
        /// How far it reaches back, in bytes.
        distance: usize,
        /// How much output there was, in bytes.
        produced: u64,
    },
    /// An end marker other than `11 00 00`.
    #[error("malformed end of the compressed data")]
    BadEndMarker,
    /// The output would exceed what the caller allows.
    #[error("the compressed data expands to more than {cap} bytes")]
    OverCap {
        /// What the caller allows, in bytes.
        cap: u64,
    },
}
