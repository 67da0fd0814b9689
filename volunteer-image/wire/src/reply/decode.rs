//! Bytes in, what the server says out.

use std::mem;

use super::ReplyEvent;
use crate::body::BodyDecoder;
use crate::error::{WireError, WireErrorKind};
use crate::limits::Limits;
use crate::packet::{Head, PacketReader};
use crate::status::WaitStatus;
use crate::step::{Step, drive};
use crate::token::Token;
use crate::version::Version;

/// Decodes one reply from a stream that arrives in pieces of any size.
///
/// Between packets it knows which is due; the order is `DONE`, `STAT`, `SERR`, `SOUT`, `DOTO` and, after a success in
/// version 3, `DOTD`.
#[derive(Debug)]
pub struct ReplyDecoder {
    asked: Version,
    limits: Limits,
    reader: PacketReader,
    state: State,
    status: WaitStatus,
    /// Bytes of all bodies that are complete, decompressed.
    decoded: u64,
}

#[derive(Debug)]
enum State {
    /// The head of this packet is due.
    Due(Token),
    /// Inside a body.
    Inside(Body),
    /// All has arrived, which has not been told.
    Closing,
    Complete,
    Failed(WireError),
}

#[derive(Debug)]
struct Body {
    head: Head,
    missing: u32,
    decoder: BodyDecoder,
    decoded: Vec<u8>,
}

type Advance = Result<Step<State, ReplyEvent>, WireError>;

impl ReplyDecoder {
    /// A decoder for the reply to a request in version `asked`.
    ///
    /// Of the limits, those on bodies, on their decompressed sizes and on the total apply.
    pub fn new(asked: Version, limits: Limits) -> Self {
        Self {
            asked,
            limits,
            reader: PacketReader::default(),
            state: State::Due(Token::Done),
            status: WaitStatus::Success,
            decoded: 0,
        }
    }

    /// The next event, taking from the front of `input` what belongs to it; `None` when more input is needed, and always
    /// after [`ReplyEvent::End`].
    ///
    /// Some events need no input, so call until `None` before reading on. After an error every call returns that error.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<ReplyEvent>, WireError> {
        let state = mem::replace(&mut self.state, State::Complete);
        let (state, result) = drive(state, |state| self.advance(state, input));
        self.state = state;
        result
    }

    /// Bytes of the stream taken so far.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// Fails unless the reply is complete.
    pub fn finish(&self) -> Result<(), WireError> {
        let missing = match &self.state {
            State::Closing | State::Complete => return Ok(()),
            State::Failed(error) => return Err(error.clone()),
            State::Due(token) => *token,
            State::Inside(body) => body.head.token,
        };
        Err(WireErrorKind::TruncatedReply { missing }.at(self.offset()))
    }

    fn advance(&mut self, state: State, input: &mut &[u8]) -> Advance {
        match state {
            State::Due(token) => match self.reader.head(input, one(token))? {
                None => Ok(Step::Wait(State::Due(token))),
                Some(head) => self.begin(head),
            },
            State::Inside(body) => self.fill(body, input),
            State::Closing => Ok(Step::Emit(State::Complete, ReplyEvent::End)),
            State::Complete => Ok(Step::Wait(State::Complete)),
            State::Failed(error) => Err(error),
        }
    }

    fn begin(&mut self, head: Head) -> Advance {
        match head.token {
            Token::Done if head.number == self.asked.number() => Ok(Step::Emit(
                State::Due(Token::Stat),
                ReplyEvent::Version(self.asked),
            )),
            Token::Done => {
                let (asked, found) = (self.asked, head.number);
                Err(WireErrorKind::WrongVersion { asked, found }.at(head.offset))
            }
            Token::Stat => {
                let bits = head.number;
                let status = WaitStatus::from_bits(bits)
                    .ok_or_else(|| WireErrorKind::BadStatus { bits }.at(head.offset))?;
                self.status = status;
                Ok(Step::Emit(
                    State::Due(Token::Serr),
                    ReplyEvent::Status(status),
                ))
            }
            Token::Doto if !self.status.is_success() => match head.number {
                0 => Ok(Step::Go(State::Closing)),
                length => Err(WireErrorKind::ObjectAfterFailure { length }.at(head.offset)),
            },
            _ => self.open(head),
        }
    }

    fn open(&self, head: Head) -> Advance {
        self.limits.allow_body(&head)?;
        let cap = self.limits.decoded_allowance(self.decoded);
        let decoder = BodyDecoder::new(self.asked, head.token, head.number, cap);
        let body = Body {
            head,
            missing: head.number,
            decoder,
            decoded: Vec::new(),
        };
        Ok(Step::Go(State::Inside(body)))
    }

    fn fill(&mut self, mut body: Body, input: &mut &[u8]) -> Advance {
        let mut piece = self.reader.body(input, &mut body.missing);
        while !piece.is_empty() {
            body.decoder
                .push(&mut piece, &mut body.decoded)
                .map_err(|kind| kind.at(body.head.offset))?;
        }
        if body.missing > 0 {
            return Ok(Step::Wait(State::Inside(body)));
        }
        let Body {
            head,
            decoder,
            decoded,
            ..
        } = body;
        self.decoded += decoder.finish().map_err(|kind| kind.at(head.offset))?;
        Ok(match head.token {
            Token::Serr => Step::Emit(State::Due(Token::Sout), ReplyEvent::Stderr(decoded)),
            Token::Sout => Step::Emit(State::Due(Token::Doto), ReplyEvent::Stdout(decoded)),
            Token::Doto if self.asked.carries_files() => {
                Step::Emit(State::Due(Token::Dotd), ReplyEvent::Object(decoded))
            }
            Token::Doto => Step::Emit(State::Closing, ReplyEvent::Object(decoded)),
            _ => Step::Emit(State::Closing, ReplyEvent::Dependencies(decoded)),
        })
    }
}

impl From<WireError> for State {
    fn from(error: WireError) -> Self {
        Self::Failed(error)
    }
}

/// A packet that nothing else may stand in for.
const fn one(token: Token) -> &'static [Token] {
    match token {
        Token::Done => &[Token::Done],
        Token::Stat => &[Token::Stat],
        Token::Serr => &[Token::Serr],
        Token::Sout => &[Token::Sout],
        Token::Doto => &[Token::Doto],
        _ => &[Token::Dotd],
    }
}
