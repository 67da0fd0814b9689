//! LZO1X, the compression of protocol versions 2 and 3.
//!
//! A block is a sequence of instructions and ends with `11 00 00`. Each instruction copies bytes, either *literals* that
//! follow it or a *match* that lies up to 48 KiB back in the output; a match may overlap what it produces. `S` is what
//! the instruction before did: 0, or 1 to 3 literals trailing a match, or 4 for a literal run.
//!
//! | Opcode     | Then    | Condition | Meaning                                                                      |
//! |------------|---------|-----------|------------------------------------------------------------------------------|
//! | above 17   |         | first     | opcode - 17 literals; S = 4 if there are more than 3                         |
//! | `0000LLLL` |         | S = 0     | L + 3 literals, L = 0: 18 + extension; S = 4                                 |
//! | `0000DDSS` | `H`     | S = 1..3  | match of 2, distance (H << 2) + D + 1                                        |
//! | `0000DDSS` | `H`     | S = 4     | match of 3, distance (H << 2) + D + 2049                                     |
//! | `0001HLLL` | `lo hi` |           | match of L + 2, L = 0: 9 + extension; distance 16384 + (H << 14) + (w >> 2)  |
//! | `001LLLLL` | `lo hi` |           | match of L + 2, L = 0: 33 + extension; distance (w >> 2) + 1                 |
//! | `01LDDDSS` | `H`     |           | match of L + 3, distance (H << 3) + D + 1                                    |
//! | `1LLDDDSS` | `H`     |           | match of L + 5, distance (H << 3) + D + 1                                    |
//!
//! w is `lo hi` as a little-endian number. An extension, right after the opcode, is 255 for each byte `00` plus the first
//! other byte. SS literals trail every match; in the two-byte distances they are the low bits of w. Distance 16384 in the
//! `0001` form marks the end.

mod decode;
mod encode;
mod error;
mod instruction;

pub use decode::{Decoder, decode};
pub use encode::{Encoder, encode};
pub use error::LzoError;

/// The farthest that a match can reach back, in bytes.
pub const MAX_DISTANCE: usize = 16384 + 16384 + 16383;

/// The end of every block; alone it is the block of nothing.
pub const END_MARKER: [u8; 3] = [0x11, 0, 0];
