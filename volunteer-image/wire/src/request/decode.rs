//! Bytes in, events out.

use std::mem;

use super::state::{Feed, Opening, State};
use super::{Ending, Event, Phase};
use crate::error::{WireError, WireErrorKind};
use crate::limits::Limits;
use crate::packet::PacketReader;
use crate::step::drive;
use crate::version::Version;

/// Decodes one request from a stream that arrives in pieces of any size.
///
/// ```
/// # use distcc_wire::{Event, Limits, RequestDecoder, Version};
/// let mut decoder = RequestDecoder::new(Limits::default());
/// let mut input = &b"DIST00000001ARGC00000001ARGV00000003g++DOTI00000002;"[..];
/// let mut events = Vec::new();
/// while let Some(event) = decoder.next(&mut input)? {
///     events.push(event);
/// }
/// assert_eq!(events, [
///     Event::Version(Version::Plain),
///     Event::Arguments(vec![b"g++".to_vec()]),
///     Event::Source { length: 2 },
///     Event::Chunk(b";"),
/// ]);
/// # Ok::<(), distcc_wire::WireError>(())
/// ```
///
/// The states behind it, each of which consumes itself to become the next:
///
/// ```text
/// Opening ──DIST 3──► Directory ──CDIR─┐
///    └─────DIST 1, 2───────────────────┴► Command ──ARGC──► Arguments ◄─┐
///                                                            │ │ └─ARGV─┘
///             ┌─────────────── all there, versions 1, 2 ─────┘ └── all there, version 3 ──┐
///             ▼                                                                           ▼
///         Awaiting ──DOTI──► Body ──────────────► Entries ◄──────────────NFIL─────────── Tree
///                             ▲                    ▲ │ │
///                             │               LINK─┘ │ └─none left─► Complete
///                             └──FILE── Naming ◄─NAME┘
/// ```
///
/// While a string (`CDIR`, `ARGV`, `NAME`, `LINK`) arrives, the state is `Reading`.
#[derive(Debug)]
pub struct RequestDecoder {
    limits: Limits,
    reader: PacketReader,
    state: State,
    version: Option<Version>,
}

impl RequestDecoder {
    /// A decoder for one request.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            reader: PacketReader::default(),
            state: State::Opening(Opening),
            version: None,
        }
    }

    /// The next event, taking from the front of `input` what belongs to it; `None` when more input is needed, and always
    /// after [`Event::End`].
    ///
    /// Some events need no input, so call until `None` before reading on. After an error every call returns that error.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, WireError> {
        let mut feed = Feed {
            reader: &mut self.reader,
            limits: &self.limits,
            input,
        };
        let state = mem::replace(&mut self.state, State::Complete);
        let (state, result) = drive(state, |state| state.advance(&mut feed));
        self.state = state;
        if let Ok(Some(Event::Version(version))) = result {
            self.version = Some(version);
        }
        result
    }

    /// The request's version once `DIST` has been read, also after an error: a reply must repeat it.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Bytes of the stream taken so far.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// How far the request has come.
    pub fn phase(&self) -> Phase {
        match self.state.phase() {
            Phase::Preprocessing if self.reader.is_inside_head() => Phase::Source,
            phase => phase,
        }
    }

    /// What it means that the stream ends here.
    pub fn finish(&self) -> Result<Ending, WireError> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        match self.phase() {
            Phase::Complete => Ok(Ending::Complete),
            Phase::Preprocessing => Ok(Ending::Abandoned),
            Phase::Version if self.offset() == 0 => Ok(Ending::Silent),
            phase => Err(WireErrorKind::TruncatedRequest { phase }.at(self.offset())),
        }
    }
}
