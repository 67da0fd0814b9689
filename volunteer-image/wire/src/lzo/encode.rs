//! Compression: greedy, one pass, one candidate per position.

use std::fmt;

use super::{END_MARKER, MAX_DISTANCE};

/// Compresses one block.
///
/// Who compresses many keeps an [`Encoder`] instead, which saves the allocation of its table.
pub fn encode(input: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    Encoder::new().encode_into(input, &mut block);
    block
}

/// Compresses blocks, each independent of the ones before.
///
/// The same input always gives the same block.
pub struct Encoder {
    /// For each hash of four bytes where they were seen last. Positions are kept modulo 2^32; a stale or colliding entry
    /// is harmless, since a candidate counts only if its bytes are the same.
    last_seen: Box<[u32; TABLE_ENTRIES]>,
}

const TABLE_BITS: u32 = 14;
const TABLE_ENTRIES: usize = 1 << TABLE_BITS;

/// What a candidate is compared by, and so the shortest match.
const MIN_MATCH: usize = 4;

/// The shorter this is, the sooner the search gives up on data without repetitions: after 2^`PATIENCE` bytes without a
/// match it looks at every second position, then at every third, and so on.
const PATIENCE: u32 = 5;

impl Encoder {
    /// An encoder; reserves 64 KiB.
    pub fn new() -> Self {
        let table = vec![0; TABLE_ENTRIES].into_boxed_slice();
        Self {
            last_seen: table
                .try_into()
                .expect("the slice has the length of the array"),
        }
    }

    /// Appends `input` as one block. Nothing at all becomes the end marker alone; the protocol sends an empty body
    /// instead.
    pub fn encode_into(&mut self, input: &[u8], block: &mut Vec<u8>) {
        self.last_seen.fill(0);
        block.reserve(input.len() / 2 + END_MARKER.len());
        let mut writer = BlockWriter::new(block);
        let mut literals = 0;
        let mut position = 0;
        while let Some(word) = word_at(input, position) {
            match self.candidate(input, position, word) {
                Some(distance) => {
                    let length = match_length(input, position, distance);
                    writer.literals(input.get(literals..position).unwrap_or_default());
                    writer.back_reference(distance, length);
                    position += length;
                    literals = position;
                }
                None => position += 1 + ((position - literals) >> PATIENCE),
            }
        }
        writer.literals(input.get(literals..).unwrap_or_default());
        writer.end();
    }

    /// How far back the same four bytes were seen last, if that is near enough; remembers this position.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "positions are kept modulo 2^32"
    )]
    fn candidate(&mut self, input: &[u8], position: usize, word: u32) -> Option<usize> {
        let hash = word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - TABLE_BITS);
        let slot = self.last_seen.get_mut(hash as usize)?;
        let distance = (position as u32).wrapping_sub(*slot) as usize;
        *slot = position as u32;
        let candidate = position.checked_sub(distance)?;
        let is_match = (1..=MAX_DISTANCE).contains(&distance) && word_at(input, candidate)? == word;
        is_match.then_some(distance)
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Encoder").finish_non_exhaustive()
    }
}

fn word_at(input: &[u8], position: usize) -> Option<u32> {
    input
        .get(position..)?
        .first_chunk()
        .copied()
        .map(u32::from_le_bytes)
}

/// How many bytes from `position` on equal those `distance` before, given that [`MIN_MATCH`] do.
fn match_length(input: &[u8], position: usize, distance: usize) -> usize {
    let ahead = input.get(position + MIN_MATCH..).unwrap_or_default();
    let behind = input
        .get(position + MIN_MATCH - distance..)
        .unwrap_or_default();
    let mut length = 0;
    for (ahead, behind) in ahead
        .as_chunks::<8>()
        .0
        .iter()
        .zip(behind.as_chunks::<8>().0)
    {
        let difference = u64::from_le_bytes(*ahead) ^ u64::from_le_bytes(*behind);
        if difference != 0 {
            return MIN_MATCH + length + (difference.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let tail = ahead.iter().zip(behind).skip(length);
    MIN_MATCH + length + tail.take_while(|(ahead, behind)| ahead == behind).count()
}

/// Writes instructions.
struct BlockWriter<'a> {
    block: &'a mut Vec<u8>,
    /// Where the block begins in `block`.
    start: usize,
}

impl<'a> BlockWriter<'a> {
    fn new(block: &'a mut Vec<u8>) -> Self {
        let start = block.len();
        Self { block, start }
    }

    fn literals(&mut self, literals: &[u8]) {
        let count = literals.len();
        let is_first = self.block.len() == self.start;
        match count {
            0 => {}
            1..=238 if is_first => self.block.push(low_byte(17 + count)),
            1..=3 => self.trail(count),
            4..=18 => self.block.push(low_byte(count - 3)),
            _ => {
                self.block.push(0);
                self.extension(count - 18);
            }
        }
        self.block.extend_from_slice(literals);
    }

    /// Tells the match before that `count` literals trail it.
    fn trail(&mut self, count: usize) {
        if let Some(operand) = self.block.iter_mut().nth_back(1) {
            *operand |= low_byte(count);
        }
    }

    fn back_reference(&mut self, distance: usize, length: usize) {
        let nearest = distance - 1;
        if length <= 8 && nearest < 2048 {
            let opcode = ((length - 1) << 5) | ((nearest & 7) << 2);
            self.block
                .extend_from_slice(&[low_byte(opcode), low_byte(nearest >> 3)]);
        } else if nearest < 16384 {
            self.long_match(0x20, 31, length, nearest);
        } else {
            let beyond = distance - 16384;
            self.long_match(0x10 | ((beyond >> 14) << 3), 7, length, beyond & 0x3fff);
        }
    }

    /// The forms with two bytes of distance; `longest` is the length field with all bits set.
    fn long_match(&mut self, opcode: usize, longest: usize, length: usize, distance: usize) {
        if length - 2 <= longest {
            self.block.push(low_byte(opcode | (length - 2)));
        } else {
            self.block.push(low_byte(opcode));
            self.extension(length - 2 - longest);
        }
        self.block
            .extend_from_slice(&[low_byte(distance << 2), low_byte(distance >> 6)]);
    }

    fn extension(&mut self, mut rest: usize) {
        while rest > 255 {
            self.block.push(0);
            rest -= 255;
        }
        self.block.push(low_byte(rest));
    }

    fn end(self) {
        self.block.extend_from_slice(&END_MARKER);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "operands are split into bytes here"
)]
const fn low_byte(number: usize) -> u8 {
    number as u8
}
