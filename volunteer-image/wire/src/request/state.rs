//! The states of a [`RequestDecoder`](super::RequestDecoder), one type each.
//!
//! [`State::advance`] takes a state by value and returns the next, so that no state can be used twice. Names and diagram
//! are those of the decoder's documentation.

use super::{Event, Phase};
use crate::error::{WireError, WireErrorKind};
use crate::limits::Limits;
use crate::packet::{PacketReader, Text};
use crate::token::Token;
use crate::version::Version;

/// What the decoder is waiting for.
#[derive(Debug)]
pub(super) enum State {
    Opening(Opening),
    Directory(Directory),
    DirectoryText(DirectoryText),
    Command(Command),
    Arguments(Arguments),
    ArgumentText(ArgumentText),
    Awaiting(Awaiting),
    Tree(Tree),
    Entries(Entries),
    NameText(NameText),
    Naming(Naming),
    LinkText(LinkText),
    Body(Body),
    Complete,
    Failed(WireError),
}

/// What came of one advance.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// More input is needed.
    Wait(State),
    /// The next state can go on.
    Go(State),
    /// There is something to tell.
    Emit(State, Event<'a>),
}

/// `DIST` is due.
#[derive(Debug)]
pub(super) struct Opening;

/// `CDIR` is due.
#[derive(Debug)]
pub(super) struct Directory;

/// Inside `CDIR`.
#[derive(Debug)]
pub(super) struct DirectoryText(Text);

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

/// Inside an `ARGV`.
#[derive(Debug)]
pub(super) struct ArgumentText {
    arguments: Arguments,
    text: Text,
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

/// Inside a `NAME`.
#[derive(Debug)]
pub(super) struct NameText {
    entries: Entries,
    text: Text,
}

/// `FILE` or `LINK` is due.
#[derive(Debug)]
pub(super) struct Naming {
    entries: Entries,
    name: Vec<u8>,
}

/// Inside a `LINK`.
#[derive(Debug)]
pub(super) struct LinkText {
    entries: Entries,
    name: Vec<u8>,
    text: Text,
}

/// Inside a `DOTI` or `FILE`.
#[derive(Debug)]
pub(super) struct Body {
    token: Token,
    missing: u32,
    entries: Entries,
}

type Advance<'a> = Result<Step<'a>, WireError>;

impl State {
    pub(super) fn opening() -> Self {
        Self::Opening(Opening)
    }

    pub(super) fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        match self {
            Self::Opening(state) => state.advance(reader, input),
            Self::Directory(state) => state.advance(reader, limits, input),
            Self::DirectoryText(state) => state.advance(reader, input),
            Self::Command(state) => state.advance(reader, limits, input),
            Self::Arguments(state) => state.advance(reader, limits, input),
            Self::ArgumentText(state) => state.advance(reader, input),
            Self::Awaiting(state) => state.advance(reader, limits, input),
            Self::Tree(state) => state.advance(reader, limits, input),
            Self::Entries(state) => state.advance(reader, limits, input),
            Self::NameText(state) => state.advance(reader, input),
            Self::Naming(state) => state.advance(reader, limits, input),
            Self::LinkText(state) => state.advance(reader, input),
            Self::Body(state) => Ok(state.advance(reader, input)),
            Self::Complete => Ok(Step::Wait(Self::Complete)),
            Self::Failed(error) => Err(error),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Opening(_) => Phase::Version,
            Self::Directory(_) | Self::DirectoryText(_) => Phase::Directory,
            Self::Command(_) | Self::Arguments(_) | Self::ArgumentText(_) => Phase::Arguments,
            Self::Awaiting(_) => Phase::Preprocessing,
            Self::Body(Body {
                token: Token::Doti, ..
            }) => Phase::Source,
            Self::Tree(_)
            | Self::Entries(_)
            | Self::NameText(_)
            | Self::Naming(_)
            | Self::LinkText(_)
            | Self::Body(_) => Phase::Files,
            Self::Complete | Self::Failed(_) => Phase::Complete,
        }
    }
}

impl Opening {
    fn advance<'a>(self, reader: &mut PacketReader, input: &mut &'a [u8]) -> Advance<'a> {
        let Some(head) = reader.head(input, &[Token::Dist])? else {
            return Ok(Step::Wait(State::Opening(self)));
        };
        let Some(version) = Version::from_number(head.number) else {
            return Err(WireErrorKind::UnknownVersion {
                number: head.number,
            }
            .at(head.offset));
        };
        let next = if version.carries_files() {
            State::Directory(Directory)
        } else {
            State::Command(Command(version))
        };
        Ok(Step::Emit(next, Event::Version(version)))
    }
}

impl Directory {
    fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        let Some(head) = reader.head(input, &[Token::Cdir])? else {
            return Ok(Step::Wait(State::Directory(self)));
        };
        limits.allow_path(&head)?;
        Ok(Step::Go(State::DirectoryText(DirectoryText(Text::new(
            head,
        )))))
    }
}

impl DirectoryText {
    fn advance<'a>(mut self, reader: &mut PacketReader, input: &mut &'a [u8]) -> Advance<'a> {
        if !self.0.fill(reader, input) {
            return Ok(Step::Wait(State::DirectoryText(self)));
        }
        let directory = self.0.into_string()?;
        Ok(Step::Emit(
            State::Command(Command(Version::Pump)),
            Event::Directory(directory),
        ))
    }
}

impl Command {
    fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        let Some(head) = reader.head(input, &[Token::Argc])? else {
            return Ok(Step::Wait(State::Command(self)));
        };
        limits.allow_argument_count(&head)?;
        Ok(Step::Go(State::Arguments(Arguments {
            version: self.0,
            missing: head.number,
            taken: Vec::new(),
            taken_bytes: 0,
        })))
    }
}

impl Arguments {
    fn advance<'a>(
        mut self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        if self.missing == 0 {
            let next = if self.version.carries_files() {
                State::Tree(Tree)
            } else {
                State::Awaiting(Awaiting)
            };
            return Ok(Step::Emit(next, Event::Arguments(self.taken)));
        }
        let Some(head) = reader.head(input, &[Token::Argv])? else {
            return Ok(Step::Wait(State::Arguments(self)));
        };
        limits.allow_argument(&head, self.taken_bytes)?;
        self.taken_bytes += u64::from(head.number);
        let text = Text::new(head);
        Ok(Step::Go(State::ArgumentText(ArgumentText {
            arguments: self,
            text,
        })))
    }
}

impl ArgumentText {
    fn advance<'a>(mut self, reader: &mut PacketReader, input: &mut &'a [u8]) -> Advance<'a> {
        if !self.text.fill(reader, input) {
            return Ok(Step::Wait(State::ArgumentText(self)));
        }
        let mut arguments = self.arguments;
        arguments.taken.push(self.text.into_string()?);
        arguments.missing -= 1;
        Ok(Step::Go(State::Arguments(arguments)))
    }
}

impl Awaiting {
    fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        let Some(head) = reader.head(input, &[Token::Doti])? else {
            return Ok(Step::Wait(State::Awaiting(self)));
        };
        limits.allow_body(&head)?;
        let length = head.number;
        let body = Body {
            token: head.token,
            missing: length,
            entries: Entries { missing: 0 },
        };
        Ok(Step::Emit(State::Body(body), Event::Source { length }))
    }
}

impl Tree {
    fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        let Some(head) = reader.head(input, &[Token::Nfil])? else {
            return Ok(Step::Wait(State::Tree(self)));
        };
        limits.allow_entry_count(&head)?;
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
    fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        let Some(missing) = self.missing.checked_sub(1) else {
            return Ok(Step::Emit(State::Complete, Event::End));
        };
        let Some(head) = reader.head(input, &[Token::Name])? else {
            return Ok(Step::Wait(State::Entries(self)));
        };
        limits.allow_path(&head)?;
        let text = Text::new(head);
        Ok(Step::Go(State::NameText(NameText {
            entries: Self { missing },
            text,
        })))
    }
}

impl NameText {
    fn advance<'a>(mut self, reader: &mut PacketReader, input: &mut &'a [u8]) -> Advance<'a> {
        if !self.text.fill(reader, input) {
            return Ok(Step::Wait(State::NameText(self)));
        }
        let name = self.text.into_string()?;
        Ok(Step::Go(State::Naming(Naming {
            entries: self.entries,
            name,
        })))
    }
}

impl Naming {
    fn advance<'a>(
        self,
        reader: &mut PacketReader,
        limits: &Limits,
        input: &mut &'a [u8],
    ) -> Advance<'a> {
        let Some(head) = reader.head(input, &[Token::File, Token::Link])? else {
            return Ok(Step::Wait(State::Naming(self)));
        };
        let Self { entries, name } = self;
        if head.token == Token::Link {
            limits.allow_path(&head)?;
            let text = Text::new(head);
            return Ok(Step::Go(State::LinkText(LinkText {
                entries,
                name,
                text,
            })));
        }
        limits.allow_body(&head)?;
        let length = head.number;
        let body = Body {
            token: head.token,
            missing: length,
            entries,
        };
        Ok(Step::Emit(State::Body(body), Event::File { name, length }))
    }
}

impl LinkText {
    fn advance<'a>(mut self, reader: &mut PacketReader, input: &mut &'a [u8]) -> Advance<'a> {
        if !self.text.fill(reader, input) {
            return Ok(Step::Wait(State::LinkText(self)));
        }
        let target = self.text.into_string()?;
        Ok(Step::Emit(
            State::Entries(self.entries),
            Event::Link {
                name: self.name,
                target,
            },
        ))
    }
}

impl Body {
    fn advance<'a>(mut self, reader: &mut PacketReader, input: &mut &'a [u8]) -> Step<'a> {
        if self.missing == 0 {
            return Step::Emit(State::Entries(self.entries), Event::BodyEnd);
        }
        let chunk = reader.body(input, &mut self.missing);
        if chunk.is_empty() {
            return Step::Wait(State::Body(self));
        }
        Step::Emit(State::Body(self), Event::Chunk(chunk))
    }
}
