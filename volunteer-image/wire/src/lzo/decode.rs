//! Decompression of a block that arrives in pieces, in bounded memory.

use super::{LzoError, MAX_DISTANCE};

/// Decompresses one whole block to at most `cap` bytes.
pub fn decode(block: &[u8], cap: u64) -> Result<Vec<u8>, LzoError> {
    let mut decoder = Decoder::new(cap);
    let mut output = Vec::new();
    decoder.run(&mut &*block, &mut output, 0, usize::MAX)?;
    decoder.finish()?;
    Ok(output)
}

/// Decompresses one block piece by piece.
///
/// Keeps the end of what it has produced, less than 100 KiB, so the caller may do with the output what it likes.
#[derive(Debug)]
pub struct Decoder {
    cap: u64,
    state: State,
    /// The last bytes produced by earlier calls, at least as many as a match can reach.
    window: Vec<u8>,
    /// Bytes produced by earlier calls.
    produced: u64,
}

/// What one [`Decoder::push`] appends at most.
const PUSH_BYTES: usize = 256 << 10;

/// What is due.
#[derive(Debug, Clone, Copy)]
enum State {
    /// The first opcode.
    First,
    /// An opcode after an instruction that copied no literals.
    AfterMatch,
    /// An opcode after a match that 1 to 3 literals trailed.
    AfterTrail,
    /// An opcode after a literal run.
    AfterRun,
    /// The rest of the length of a literal run.
    RunExtension { length: usize },
    /// The rest of the length of a match.
    MatchExtension { length: usize, base: usize },
    /// The only byte of a distance.
    Distance {
        length: usize,
        low: usize,
        shift: u32,
        trail: usize,
    },
    /// The first of two bytes of a distance.
    DistanceLow { length: usize, base: usize },
    /// The second of two bytes of a distance.
    DistanceHigh { length: usize, base: usize, low: u8 },
    /// A match can be copied.
    Match {
        length: usize,
        distance: usize,
        trail: usize,
    },
    /// Literals.
    Literals { count: usize, is_run: bool },
    /// The end marker has been read.
    End,
}

/// The base of the distances of the `0001` form, by which the end marker is known.
const FAR: usize = 16384;

impl Decoder {
    /// A decoder for one block that may become `cap` bytes at most.
    pub fn new(cap: u64) -> Self {
        Self {
            cap,
            state: State::First,
            window: Vec::new(),
            produced: 0,
        }
    }

    /// Appends to `output` what `input` decodes to, taking from the front of `input`.
    ///
    /// Returns when all input is taken or 256 KiB have been appended, so call until `input` is empty.
    pub fn push(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<(), LzoError> {
        let start = output.len();
        let result = self.run(input, output, start, PUSH_BYTES);
        let fresh = output.get(start..).unwrap_or_default();
        self.produced += fresh.len() as u64;
        self.remember(fresh);
        result
    }

    /// How long the decoded block is; fails unless it has ended.
    pub fn finish(self) -> Result<u64, LzoError> {
        match self.state {
            State::End => Ok(self.produced),
            _ => Err(LzoError::Truncated),
        }
    }

    /// Moves the end of `fresh` to the window; each byte is copied twice at most, however small the pieces are.
    fn remember(&mut self, fresh: &[u8]) {
        let news = fresh
            .get(fresh.len().saturating_sub(MAX_DISTANCE)..)
            .unwrap_or_default();
        if self.window.len() + news.len() > 2 * MAX_DISTANCE {
            let kept = MAX_DISTANCE - news.len();
            self.window.drain(..self.window.len() - kept);
        }
        self.window.extend_from_slice(news);
    }

    /// Decodes until the input is used up or `most` bytes have been appended; `output` holds fresh bytes from `start` on.
    fn run(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        start: usize,
        most: usize,
    ) -> Result<(), LzoError> {
        loop {
            let room = most - (output.len() - start);
            if room == 0 {
                return Ok(());
            }
            let mut fresh = Fresh { output, start };
            self.state = match self.state {
                State::Match {
                    length,
                    distance,
                    trail,
                } => {
                    let count = length.min(room);
                    fresh.copy_match(&self.window, distance, count);
                    match length - count {
                        0 => State::after_match(trail),
                        length => State::Match {
                            length,
                            distance,
                            trail,
                        },
                    }
                }
                State::Literals { count, is_run } => {
                    let literals = take(input, count.min(room));
                    if literals.is_empty() {
                        return Ok(());
                    }
                    fresh.output.extend_from_slice(literals);
                    match (count - literals.len(), is_run) {
                        (0, true) => State::AfterRun,
                        (0, false) => State::AfterTrail,
                        (count, _) => State::Literals { count, is_run },
                    }
                }
                state => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(());
                    };
                    *input = rest;
                    let produced = self.produced + fresh.len() as u64;
                    state.read(byte)?.checked(produced, self.cap)?
                }
            };
        }
    }
}

impl State {
    /// The state after one byte of an instruction.
    fn read(self, byte: u8) -> Result<Self, LzoError> {
        let value = usize::from(byte);
        Ok(match self {
            Self::First if value > 17 => Self::Literals {
                count: value - 17,
                is_run: value - 17 > 3,
            },
            Self::First | Self::AfterMatch | Self::AfterTrail | Self::AfterRun => {
                self.opcode(value)
            }
            Self::RunExtension { length } if byte == 0 => Self::RunExtension {
                length: length + 255,
            },
            Self::RunExtension { length } => Self::Literals {
                count: length + value,
                is_run: true,
            },
            Self::MatchExtension { length, base } if byte == 0 => Self::MatchExtension {
                length: length + 255,
                base,
            },
            Self::MatchExtension { length, base } => Self::DistanceLow {
                length: length + value,
                base,
            },
            Self::Distance {
                length,
                low,
                shift,
                trail,
            } => Self::Match {
                length,
                distance: (value << shift) + low,
                trail,
            },
            Self::DistanceLow { length, base } => Self::DistanceHigh {
                length,
                base,
                low: byte,
            },
            Self::DistanceHigh { length, base, low } => {
                let word = usize::from(u16::from_le_bytes([low, byte]));
                match (base + (word >> 2), length, word) {
                    (FAR, 3, 0) => Self::End,
                    (FAR, ..) if base == FAR => return Err(LzoError::BadEndMarker),
                    (distance, ..) => Self::Match {
                        length,
                        distance,
                        trail: word & 3,
                    },
                }
            }
            Self::Match { .. } | Self::Literals { .. } => self,
            Self::End => return Err(LzoError::TrailingBytes),
        })
    }

    /// The state after an opcode.
    fn opcode(self, opcode: usize) -> Self {
        let trail = opcode & 3;
        match opcode {
            0x00..=0x0f => match self {
                Self::AfterTrail => Self::Distance {
                    length: 2,
                    low: (opcode >> 2) + 1,
                    shift: 2,
                    trail,
                },
                Self::AfterRun => Self::Distance {
                    length: 3,
                    low: (opcode >> 2) + 2049,
                    shift: 2,
                    trail,
                },
                _ if opcode == 0 => Self::RunExtension { length: 18 },
                _ => Self::Literals {
                    count: opcode + 3,
                    is_run: true,
                },
            },
            0x10..=0x1f => {
                let base = FAR + ((opcode & 8) << 11);
                match opcode & 7 {
                    0 => Self::MatchExtension { length: 9, base },
                    length => Self::DistanceLow {
                        length: length + 2,
                        base,
                    },
                }
            }
            0x20..=0x3f => match opcode & 31 {
                0 => Self::MatchExtension {
                    length: 33,
                    base: 1,
                },
                length => Self::DistanceLow {
                    length: length + 2,
                    base: 1,
                },
            },
            _ => {
                // Both forms at once: the length field is the three top bits.
                let length = (opcode >> 5) + 1;
                Self::Distance {
                    length,
                    low: ((opcode >> 2) & 7) + 1,
                    shift: 3,
                    trail,
                }
            }
        }
    }

    fn after_match(trail: usize) -> Self {
        match trail {
            0 => Self::AfterMatch,
            count => Self::Literals {
                count,
                is_run: false,
            },
        }
    }

    /// This state, unless it would copy from nowhere or more than `cap` allows.
    fn checked(self, produced: u64, cap: u64) -> Result<Self, LzoError> {
        let length = match self {
            Self::Match { distance, .. } if distance as u64 > produced => {
                return Err(LzoError::BeforeStart { distance, produced });
            }
            Self::Match { length, .. }
            | Self::RunExtension { length }
            | Self::MatchExtension { length, .. } => length,
            Self::Literals { count, .. } => count,
            _ => 0,
        };
        if produced + length as u64 > cap {
            return Err(LzoError::OverCap { cap });
        }
        Ok(self)
    }
}

/// What this call has produced so far.
struct Fresh<'a> {
    output: &'a mut Vec<u8>,
    start: usize,
}

impl Fresh<'_> {
    fn len(&self) -> usize {
        self.output.len() - self.start
    }

    /// Repeats `count` bytes from `distance` before the end, part of which may lie in the `window` before `start`.
    fn copy_match(&mut self, window: &[u8], distance: usize, mut count: usize) {
        if let Some(beyond @ 1..) = distance.checked_sub(self.len()) {
            let older = window.get(window.len() - beyond..).unwrap_or_default();
            let older = older.get(..count).unwrap_or(older);
            self.output.extend_from_slice(older);
            count -= older.len();
        }
        if count == 0 {
            return;
        }
        let from = self.output.len() - distance;
        while count > 0 {
            // A match that overlaps what it produces repeats a pattern, which doubles with every round.
            let available = count.min(self.output.len() - from);
            self.output.extend_from_within(from..from + available);
            count -= available;
        }
    }
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
    *input = rest;
    taken
}
