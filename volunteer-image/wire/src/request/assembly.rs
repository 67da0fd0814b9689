//! Bytes in, a whole request out: for peers that do not mind holding it in memory.

use std::mem;

use super::{Ending, Entry, Event, Payload, Request, RequestDecoder};
use crate::body::BodyDecoder;
use crate::error::{WireError, WireErrorKind};
use crate::limits::Limits;
use crate::token::{HEAD_BYTES, Token};
use crate::version::Version;

impl Request {
    /// Decodes a whole request, bodies included; nothing may follow it.
    pub fn decode(mut bytes: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let mut decoder = RequestDecoder::new(limits.clone());
        let mut assembly = Assembly::new(limits);
        while let Some(event) = decoder.next(&mut bytes)? {
            assembly.add(event, decoder.offset())?;
        }
        match decoder.finish()? {
            Ending::Complete if bytes.is_empty() => Ok(assembly.finish()),
            Ending::Complete => Err(WireErrorKind::TrailingBytes.at(decoder.offset())),
            Ending::Silent | Ending::Abandoned => {
                let phase = decoder.phase();
                Err(WireErrorKind::TruncatedRequest { phase }.at(decoder.offset()))
            }
        }
    }
}

/// The parts that have come so far.
struct Assembly<'a> {
    limits: &'a Limits,
    version: Version,
    directory: Vec<u8>,
    arguments: Vec<Vec<u8>>,
    entries: Vec<Entry>,
    /// The body that is being decoded, and the file it belongs to.
    body: Option<BodyDecoder>,
    name: Option<Vec<u8>>,
    contents: Vec<u8>,
    /// Where its packet begins.
    offset: u64,
    /// Bytes of all bodies that are complete.
    decoded: u64,
}

impl<'a> Assembly<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            version: Version::Plain,
            directory: Vec::new(),
            arguments: Vec::new(),
            entries: Vec::new(),
            body: None,
            name: None,
            contents: Vec::new(),
            offset: 0,
            decoded: 0,
        }
    }

    /// `end` is where the event ends in the stream.
    fn add(&mut self, event: Event<'_>, end: u64) -> Result<(), WireError> {
        match event {
            Event::Version(version) => self.version = version,
            Event::Directory(directory) => self.directory = directory,
            Event::Arguments(arguments) => self.arguments = arguments,
            Event::Source { length } => self.open(Token::Doti, length, end),
            Event::File { name, length } => {
                self.name = Some(name);
                self.open(Token::File, length, end);
            }
            Event::Chunk(chunk) => self.extend(chunk).map_err(|kind| kind.at(self.offset))?,
            Event::BodyEnd => self.close().map_err(|kind| kind.at(self.offset))?,
            Event::Link { name, target } => self.entries.push(Entry::Link { name, target }),
            Event::Entries(_) | Event::End => {}
        }
        Ok(())
    }

    fn open(&mut self, token: Token, length: u32, end: u64) {
        self.offset = end - HEAD_BYTES as u64;
        let cap = self.limits.decoded_allowance(self.decoded);
        self.body = Some(BodyDecoder::new(self.version, token, length, cap));
    }

    fn extend(&mut self, mut chunk: &[u8]) -> Result<(), WireErrorKind> {
        let Some(body) = &mut self.body else {
            return Ok(());
        };
        while !chunk.is_empty() {
            body.push(&mut chunk, &mut self.contents)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), WireErrorKind> {
        if let Some(body) = self.body.take() {
            self.decoded += body.finish()?;
        }
        if let Some(name) = self.name.take() {
            self.entries.push(Entry::File {
                name,
                contents: mem::take(&mut self.contents),
            });
        }
        Ok(())
    }

    fn finish(self) -> Request {
        let payload = match self.version {
            Version::Plain => Payload::Plain(self.contents),
            Version::Lzo => Payload::Lzo(self.contents),
            Version::Pump => Payload::Pump {
                directory: self.directory,
                entries: self.entries,
            },
        };
        Request {
            arguments: self.arguments,
            payload,
        }
    }
}
