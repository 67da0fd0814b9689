//! The states of a [`RequestDecoder`](super::RequestDecoder), one type each.
//!
//! [`State::advance`] takes a state by value and returns the next, so that no state can be used twice. Names and diagram
//! are those of the decoder's documentation.

use super::{Event, Phase};
use crate::error::{WireError, WireErrorKind};
use crate::limits::Limits;
use crate::packet::{Head, PacketReader, Text};
use crate::step::Step;
use crate::token::Token;
use crate::version::Version;

/// What the decoder is waiting for.
#[derive(Debug)]
pub(super) enum State {
    Opening(Opening),
    Directory(Directory),
    Command(Command),
    Arguments(Arguments),
    Awaiting(Awaiting),
    Tree(Tree),
    Entries(Entries),
    Naming(Naming),
    Reading(Reading),
    Body(Body),
    Complete,
    Failed(WireError),
}

/// What a state may use to advance.
pub(super) struct Feed<'f, 'a> {
    pub(super) reader: &'f mut PacketReader,
    pub(super) limits: &'f Limits,
    pub(super) input: &'f mut &'a [u8],
}

type Advance<'a> = Result<Step<State, Event<'a>>, WireError>;

/// `DIST` is due.
#[derive(Debug)]
pub(super) struct Opening;

/// `CDIR` is due.
#[derive(Debug)]
pub(super) struct Directory;

/// `ARGC` is due.
#[derive(Debug)]
pub(super) struct Command(Version);

/// `missing` times `ARGV` are due.
#[derive(Debug)]
pub(super) struct Arguments {
    version: Version,
    missing: u32,
    taken: Vec<Vec<u8>>,
    taken_bytes: u64,
}

/// `DOTI` is due, as soon as the client's preprocessor is through.
#[derive(Debug)]
pub(super) struct Awaiting;

/// `NFIL` is due.
#[derive(Debug)]
pub(super) struct Tree;

/// `missing` times `NAME` and its companion are due.
#[derive(Debug)]
pub(super) struct Entries {
    missing: u32,
}

/// `FILE` or `LINK` is due.
#[derive(Debug)]
pub(super) struct Naming {
    entries: Entries,
    name: Vec<u8>,
}

/// Inside a string.
#[derive(Debug)]
pub(super) struct Reading {
    text: Text,
    purpose: Purpose,
}

/// What a string is for, and the state that it interrupts.
#[derive(Debug)]
enum Purpose {
    Directory,
    Argument(Arguments),
    Name(Entries),
    Target(Naming),
}

/// Inside a `DOTI` or `FILE`.
#[derive(Debug)]
pub(super) struct Body {
    token: Token,
    missing: u32,
    entries: Entries,
}

impl State {
    pub(super) fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        match self {
            Self::Opening(state) => state.advance(feed),
            Self::Directory(state) => state.advance(feed),
            Self::Command(state) => state.advance(feed),
            Self::Arguments(state) => state.advance(feed),
            Self::Awaiting(state) => state.advance(feed),
            Self::Tree(state) => state.advance(feed),
            Self::Entries(state) => state.advance(feed),
            Self::Naming(state) => state.advance(feed),
            Self::Reading(state) => state.advance(feed),
            Self::Body(state) => Ok(state.advance(feed)),
            Self::Complete => Ok(Step::Wait(Self::Complete)),
            Self::Failed(error) => Err(error),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Opening(_) => Phase::Version,
            Self::Directory(_) => Phase::Directory,
            Self::Command(_) | Self::Arguments(_) => Phase::Arguments,
            Self::Awaiting(_) => Phase::Preprocessing,
            Self::Tree(_) | Self::Entries(_) | Self::Naming(_) => Phase::Files,
            Self::Reading(reading) => reading.phase(),
            Self::Body(body) => body.phase(),
            Self::Complete | Self::Failed(_) => Phase::Complete,
        }
    }
}

impl From<WireError> for State {
    fn from(error: WireError) -> Self {
        Self::Failed(error)
    }
}

impl Feed<'_, '_> {
    fn head(&mut self, expected: &'static [Token]) -> Result<Option<Head>, WireError> {
        self.reader.head(self.input, expected)
    }
}

impl Opening {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(head) = feed.head(&[Token::Dist])? else {
            return Ok(Step::Wait(State::Opening(self)));
        };
        let Some(version) = Version::from_number(head.number) else {
            return Err(WireErrorKind::UnknownVersion {
                number: head.number,
            }
            .at(head.offset));
        };
        let next = match version {
            Version::Plain | Version::Lzo => State::Command(Command(version)),
            Version::Pump => State::Directory(Directory),
        };
        Ok(Step::Emit(next, Event::Version(version)))
    }
}

impl Directory {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(head) = feed.head(&[Token::Cdir])? else {
            return Ok(Step::Wait(State::Directory(self)));
        };
        feed.limits.allow_path(&head)?;
        Ok(Step::Go(Reading::start(head, Purpose::Directory)))
    }
}

impl Command {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(head) = feed.head(&[Token::Argc])? else {
            return Ok(Step::Wait(State::Command(self)));
        };
        feed.limits.allow_argument_count(&head)?;
        Ok(Step::Go(State::Arguments(Arguments {
            version: self.0,
            missing: head.number,
            taken: Vec::new(),
            taken_bytes: 0,
        })))
    }
}

impl Arguments {
    fn advance<'a>(mut self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(missing) = self.missing.checked_sub(1) else {
            let next = match self.version {
                Version::Plain | Version::Lzo => State::Awaiting(Awaiting),
                Version::Pump => State::Tree(Tree),
            };
            return Ok(Step::Emit(next, Event::Arguments(self.taken)));
        };
        let Some(head) = feed.head(&[Token::Argv])? else {
            return Ok(Step::Wait(State::Arguments(self)));
        };
        feed.limits.allow_argument(&head, self.taken_bytes)?;
        self.missing = missing;
        self.taken_bytes += u64::from(head.number);
        Ok(Step::Go(Reading::start(head, Purpose::Argument(self))))
    }
}

impl Awaiting {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(head) = feed.head(&[Token::Doti])? else {
            return Ok(Step::Wait(State::Awaiting(self)));
        };
        feed.limits.allow_body(&head)?;
        let body = Body::start(head, Entries { missing: 0 });
        Ok(Step::Emit(
            body,
            Event::Source {
                length: head.number,
            },
        ))
    }
}

impl Tree {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(head) = feed.head(&[Token::Nfil])? else {
            return Ok(Step::Wait(State::Tree(self)));
        };
        feed.limits.allow_entry_count(&head)?;
        let entries = Entries {
            missing: head.number,
        };
        Ok(Step::Emit(
            State::Entries(entries),
            Event::Entries(head.number),
        ))
    }
}

impl Entries {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(missing) = self.missing.checked_sub(1) else {
            return Ok(Step::Emit(State::Complete, Event::End));
        };
        let Some(head) = feed.head(&[Token::Name])? else {
            return Ok(Step::Wait(State::Entries(self)));
        };
        feed.limits.allow_path(&head)?;
        Ok(Step::Go(Reading::start(
            head,
            Purpose::Name(Self { missing }),
        )))
    }
}

impl Naming {
    fn advance<'a>(self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        let Some(head) = feed.head(&[Token::File, Token::Link])? else {
            return Ok(Step::Wait(State::Naming(self)));
        };
        if head.token == Token::Link {
            feed.limits.allow_path(&head)?;
            return Ok(Step::Go(Reading::start(head, Purpose::Target(self))));
        }
        feed.limits.allow_body(&head)?;
        let body = Body::start(head, self.entries);
        Ok(Step::Emit(
            body,
            Event::File {
                name: self.name,
                length: head.number,
            },
        ))
    }
}

impl Reading {
    fn start(head: Head, purpose: Purpose) -> State {
        State::Reading(Self {
            text: Text::new(head),
            purpose,
        })
    }

    fn advance<'a>(mut self, feed: &mut Feed<'_, 'a>) -> Advance<'a> {
        if !self.text.fill(feed.reader, feed.input) {
            return Ok(Step::Wait(State::Reading(self)));
        }
        let string = self.text.into_string()?;
        Ok(match self.purpose {
            Purpose::Directory => Step::Emit(
                State::Command(Command(Version::Pump)),
                Event::Directory(string),
            ),
            Purpose::Argument(mut arguments) => {
                arguments.taken.push(string);
                Step::Go(State::Arguments(arguments))
            }
            Purpose::Name(entries) => Step::Go(State::Naming(Naming {
                entries,
                name: string,
            })),
            Purpose::Target(Naming { entries, name }) => Step::Emit(
                State::Entries(entries),
                Event::Link {
                    name,
                    target: string,
                },
            ),
        })
    }

    fn phase(&self) -> Phase {
        match self.purpose {
            Purpose::Directory => Phase::Directory,
            Purpose::Argument(_) => Phase::Arguments,
            Purpose::Name(_) | Purpose::Target(_) => Phase::Files,
        }
    }
}

impl Body {
    fn start(head: Head, entries: Entries) -> State {
        State::Body(Self {
            token: head.token,
            missing: head.number,
            entries,
        })
    }

    fn advance<'a>(mut self, feed: &mut Feed<'_, 'a>) -> Step<State, Event<'a>> {
        if self.missing == 0 {
            return Step::Emit(State::Entries(self.entries), Event::BodyEnd);
        }
        match feed.reader.body(feed.input, &mut self.missing) {
            [] => Step::Wait(State::Body(self)),
            chunk => Step::Emit(State::Body(self), Event::Chunk(chunk)),
        }
    }

    fn phase(&self) -> Phase {
        match self.token {
            Token::Doti => Phase::Source,
            _ => Phase::Files,
        }
    }
}
