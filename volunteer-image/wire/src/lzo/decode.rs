//! Decompression of a block that arrives in pieces, in bounded memory.

use super::instruction::State;
use super::{LzoError, MAX_DISTANCE};

/// Decompresses one whole block to at most `cap` bytes.
pub fn decode(mut block: &[u8], cap: u64) -> Result<Vec<u8>, LzoError> {
    let mut decoder = Decoder::new(cap);
    let mut output = Vec::new();
    decoder.run(&mut block, Fresh::new(&mut output), usize::MAX)?;
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
    failure: Option<LzoError>,
}

/// What one [`Decoder::push`] appends at most.
const PUSH_BYTES: usize = 256 << 10;

impl Decoder {
    /// A decoder for one block that may become `cap` bytes at most.
    pub fn new(cap: u64) -> Self {
        Self {
            cap,
            state: State::First,
            window: Vec::new(),
            produced: 0,
            failure: None,
        }
    }

    /// Appends to `output` what `input` decodes to, taking from the front of `input`.
    ///
    /// Returns when all input is taken or 256 KiB have been appended, so call until `input` is empty. After an error
    /// every call returns that error.
    pub fn push(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<(), LzoError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let start = output.len();
        let result = self.run(input, Fresh::new(output), PUSH_BYTES);
        let fresh = output.get(start..).unwrap_or_default();
        self.produced += fresh.len() as u64;
        self.remember(fresh);
        self.failure = result.err();
        result
    }

    /// How long the decoded block is; fails unless it has ended.
    pub fn finish(self) -> Result<u64, LzoError> {
        match (self.failure, self.state) {
            (Some(failure), _) => Err(failure),
            (None, State::End) => Ok(self.produced),
            (None, _) => Err(LzoError::Truncated),
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

    /// Decodes until `input` is used up or `most` bytes have been appended.
    fn run(
        &mut self,
        input: &mut &[u8],
        mut fresh: Fresh<'_>,
        most: usize,
    ) -> Result<(), LzoError> {
        let mut rest = *input;
        let mut state = self.state;
        loop {
            state = self.run_whole(state, &mut rest, &mut fresh, most);
            let room = most - fresh.len();
            if room == 0 {
                break;
            }
            let produced = self.produced + fresh.len() as u64;
            state = match state {
                State::Match {
                    length,
                    distance,
                    trail,
                } => {
                    if distance as u64 > produced {
                        return Err(LzoError::BeforeStart { distance, produced });
                    }
                    self.allow(produced, length)?;
                    let count = length.min(room);
                    fresh.copy_match(&self.window, distance, count);
                    State::after_match(length - count, distance, trail)
                }
                State::Literals { count, is_run } => {
                    self.allow(produced, count)?;
                    match fresh.copy_literals(&mut rest, count.min(room)) {
                        0 => break,
                        copied => State::after_literals(count - copied, is_run),
                    }
                }
                state => {
                    let Some((&byte, after)) = rest.split_first() else {
                        break;
                    };
                    rest = after;
                    state.read(byte)?
                }
            };
        }
        self.state = state;
        *input = rest;
        Ok(())
    }

    /// Decodes as long as whole instructions, with all that they copy, are at hand and within every bound. What is left is
    /// for the careful way.
    fn run_whole(
        &self,
        mut state: State,
        input: &mut &[u8],
        fresh: &mut Fresh<'_>,
        most: usize,
    ) -> State {
        let mut rest = *input;
        while let Some(&bytes) = rest.first_chunk()
            && let Some((instruction, taken)) = state.read_whole(bytes)
            && let Some(behind) = rest.get(taken..)
        {
            let produced = self.produced + fresh.len() as u64;
            let room = (self.cap - produced).min((most - fresh.len()) as u64);
            let (length, distance, count) = match instruction {
                State::Match {
                    length,
                    distance,
                    trail,
                } => (length, distance, trail),
                State::Literals { count, .. } => (0, 0, count),
                _ => break,
            };
            if distance as u64 > produced || (length + count) as u64 > room || behind.len() < count
            {
                break;
            }
            rest = behind;
            if length > 0 {
                fresh.copy_match(&self.window, distance, length);
            }
            if count > 0 {
                fresh.copy_literals(&mut rest, count);
            }
            state = match (length, count) {
                (0, _) => State::AfterRun,
                (_, 0) => State::AfterMatch,
                (_, _) => State::AfterTrail,
            };
        }
        *input = rest;
        state
    }

    fn allow(&self, produced: u64, length: usize) -> Result<(), LzoError> {
        if length as u64 > self.cap - produced {
            return Err(LzoError::OverCap { cap: self.cap });
        }
        Ok(())
    }
}

/// What one call appends to the caller's buffer.
struct Fresh<'a> {
    output: &'a mut Vec<u8>,
    /// How much was in the buffer before.
    start: usize,
}

/// A length that a processor copies at once.
const WIDE: usize = 16;

impl<'a> Fresh<'a> {
    fn new(output: &'a mut Vec<u8>) -> Self {
        let start = output.len();
        Self { output, start }
    }

    #[inline]
    fn len(&self) -> usize {
        self.output.len() - self.start
    }

    /// Repeats `count` bytes from `distance` before the end, the first of which may lie in the `window` of what came
    /// before; that much there must be.
    #[inline]
    fn copy_match(&mut self, window: &[u8], distance: usize, count: usize) {
        let beyond = distance.saturating_sub(self.len());
        if beyond == 0 {
            return self.repeat(distance, count);
        }
        let older = window.get(window.len() - beyond..).unwrap_or_default();
        let older = older.get(..count).unwrap_or(older);
        self.output.extend_from_slice(older);
        if count > older.len() {
            self.repeat(distance, count - older.len());
        }
    }

    /// Repeats `count` bytes from `distance` before the end.
    fn repeat(&mut self, distance: usize, mut count: usize) {
        let from = self.output.len() - distance;
        if count <= WIDE
            && distance >= WIDE
            && let Some(&chunk) = self.output.get(from..).and_then(<[u8]>::first_chunk)
        {
            return self.append_start(chunk, count);
        }
        while count > 0 {
            // A match that overlaps what it produces repeats a pattern, which doubles with every round.
            let available = count.min(self.output.len() - from);
            self.output.extend_from_within(from..from + available);
            count -= available;
        }
    }

    /// Copies `count` literals from the front of `input`, or as many as are there; returns how many.
    #[inline]
    fn copy_literals(&mut self, input: &mut &[u8], count: usize) -> usize {
        if count <= WIDE
            && let Some(&chunk) = input.first_chunk()
        {
            *input = input.get(count..).unwrap_or_default();
            self.append_start(chunk, count);
            return count;
        }
        let (literals, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
        *input = rest;
        self.output.extend_from_slice(literals);
        literals.len()
    }

    /// Appends the first `count` bytes of `chunk`: most copies are short, and a fixed length is copied without a call.
    #[inline]
    fn append_start(&mut self, chunk: [u8; WIDE], count: usize) {
        let end = self.output.len() + count;
        self.output.extend_from_slice(&chunk);
        self.output.truncate(end);
    }
}
