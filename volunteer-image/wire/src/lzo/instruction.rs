//! The grammar of a block, one byte at a time.

use super::LzoError;

/// What is due.
#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// The first opcode.
    First,
    /// An opcode after a match that no literals trailed.
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

/// The base of the distances of the `0001` form; as a distance it marks the end.
const FAR: usize = 16384;

impl State {
    /// The state after one byte of an instruction.
    pub(super) fn read(self, byte: u8) -> Result<Self, LzoError> {
        let value = usize::from(byte);
        Ok(match self {
            Self::First if value > 17 => Self::Literals {
                count: value - 17,
                is_run: value > 20,
            },
            Self::First | Self::AfterMatch | Self::AfterTrail | Self::AfterRun => {
                self.opcode(value)
            }
            Self::RunExtension { length } => match value {
                0 => Self::RunExtension {
                    length: length + 255,
                },
                _ => Self::Literals {
                    count: length + value,
                    is_run: true,
                },
            },
            Self::MatchExtension { length, base } => match value {
                0 => Self::MatchExtension {
                    length: length + 255,
                    base,
                },
                _ => Self::DistanceLow {
                    length: length + value,
                    base,
                },
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
                    (FAR, 3, 0) if base == FAR => Self::End,
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

    /// What a whole instruction says, and how many of the bytes are its own; for the usual ones, of three bytes at most.
    ///
    /// The same as [`read`](Self::read) for each byte, but decided at once. `None` for every other instruction, and where
    /// none is due.
    #[inline]
    pub(super) fn read_whole(self, [first, second, third]: [u8; 3]) -> Option<(Self, usize)> {
        let (opcode, next) = (usize::from(first), usize::from(second));
        let word = usize::from(u16::from_le_bytes([second, third]));
        let copy = |length, distance, trail, taken| {
            let instruction = Self::Match {
                length,
                distance,
                trail,
            };
            Some((instruction, taken))
        };
        let near = |length, distance| copy(length, distance, opcode & 3, 2);
        let far = |length, distance| copy(length, distance, word & 3, 3);
        match (self, opcode) {
            (Self::AfterMatch | Self::AfterTrail | Self::AfterRun, 0x40..) => {
                near((opcode >> 5) + 1, (next << 3) + ((opcode >> 2) & 7) + 1)
            }
            (Self::AfterMatch | Self::AfterTrail | Self::AfterRun, 0x21..=0x3f) => {
                far((opcode & 31) + 2, (word >> 2) + 1)
            }
            (Self::AfterMatch | Self::AfterTrail | Self::AfterRun, 0x11..=0x1f) => {
                let distance = FAR + ((opcode & 8) << 11) + (word >> 2);
                match opcode & 7 {
                    // A long length, or the end.
                    0 => None,
                    _ if distance == FAR => None,
                    length => far(length + 2, distance),
                }
            }
            (Self::AfterTrail, 0x00..=0x0f) => near(2, (next << 2) + (opcode >> 2) + 1),
            (Self::AfterRun, 0x00..=0x0f) => near(3, (next << 2) + (opcode >> 2) + 2049),
            (Self::AfterMatch, 0x01..=0x0f) => {
                let count = opcode + 3;
                let is_run = true;
                Some((Self::Literals { count, is_run }, 1))
            }
            _ => None,
        }
    }

    /// The state after an opcode.
    fn opcode(self, opcode: usize) -> Self {
        let trail = opcode & 3;
        match opcode {
            0x00..=0x0f => self.low_opcode(opcode),
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
                // Both forms at once: 01L and 1LL, read as a number, are the length less one.
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

    /// The state after an opcode below 16, whose meaning depends on what went before.
    fn low_opcode(self, opcode: usize) -> Self {
        let (near, trail) = (opcode >> 2, opcode & 3);
        match (self, opcode) {
            (Self::AfterTrail, _) => Self::Distance {
                length: 2,
                low: near + 1,
                shift: 2,
                trail,
            },
            (Self::AfterRun, _) => Self::Distance {
                length: 3,
                low: near + 2049,
                shift: 2,
                trail,
            },
            (_, 0) => Self::RunExtension { length: 18 },
            _ => Self::Literals {
                count: opcode + 3,
                is_run: true,
            },
        }
    }

    /// The state after as much of a match that `missing` bytes are left.
    pub(super) fn after_match(missing: usize, distance: usize, trail: usize) -> Self {
        match (missing, trail) {
            (0, 0) => Self::AfterMatch,
            (0, count) => Self::Literals {
                count,
                is_run: false,
            },
            (length, _) => Self::Match {
                length,
                distance,
                trail,
            },
        }
    }

    /// The state after as many literals that `missing` are left.
    pub(super) fn after_literals(missing: usize, is_run: bool) -> Self {
        match (missing, is_run) {
            (0, true) => Self::AfterRun,
            (0, false) => Self::AfterTrail,
            (count, _) => Self::Literals { count, is_run },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an instruction says, read byte by byte.
    fn read_slowly(mut state: State, bytes: [u8; 3]) -> Option<(State, usize)> {
        for (taken, byte) in bytes.into_iter().enumerate() {
            state = state.read(byte).ok()?;
            if matches!(state, State::Match { .. } | State::Literals { .. }) {
                return Some((state, taken + 1));
            }
        }
        None
    }

    #[test]
    fn what_is_read_at_once_is_what_is_read_byte_by_byte() {
        let states = [State::AfterMatch, State::AfterTrail, State::AfterRun];
        let tails = [
            [0, 0],
            [1, 0],
            [0, 1],
            [3, 0],
            [4, 7],
            [255, 255],
            [170, 85],
        ];
        let mut read = 0;
        for (state, opcode) in states
            .into_iter()
            .flat_map(|state| (0..=255).map(move |opcode| (state, opcode)))
        {
            for [second, third] in tails {
                let bytes = [opcode, second, third];
                let Some(at_once) = state.read_whole(bytes) else {
                    continue;
                };
                let slowly = read_slowly(state, bytes);
                assert_eq!(
                    format!("{slowly:?}"),
                    format!("{:?}", Some(at_once)),
                    "{state:?} {bytes:?}"
                );
                read += 1;
            }
        }
        // All but the long forms, the distance that ends a block, and a long literal run.
        let (long, end, run) = (3 * 3 * 7, 3 * 7 * 3, 7);
        assert_eq!(read, 3 * 256 * 7 - long - end - run);
        assert!(State::First.read_whole([64, 0, 0]).is_none());
        assert!(State::End.read_whole([64, 0, 0]).is_none());
    }
}
