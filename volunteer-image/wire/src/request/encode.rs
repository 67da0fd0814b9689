//! Requests in, bytes out.

use super::{Entry, Payload, Request};
use crate::body::{count, encode_body, encode_string};
use crate::error::EncodeError;
use crate::lzo;
use crate::token::{Token, head};
use crate::version::Version;

impl Request {
    /// The request as it is on the wire.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut output = Vec::new();
        self.encode_into(&mut lzo::Encoder::new(), &mut output)?;
        Ok(output)
    }

    /// Appends the request as it is on the wire.
    ///
    /// After an error, what has been appended is worth nothing.
    pub fn encode_into(
        &self,
        encoder: &mut lzo::Encoder,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let version = self.payload.version();
        output.extend_from_slice(&head(Token::Dist, version.number()));
        if let Payload::Pump { directory, .. } = &self.payload {
            encode_string(Token::Cdir, directory, output)?;
        }
        encode_arguments(&self.arguments, output)?;
        match &self.payload {
            Payload::Plain(source) | Payload::Lzo(source) => {
                encode_body(version, Token::Doti, source, encoder, output)
            }
            Payload::Pump { entries, .. } => encode_entries(entries, encoder, output),
        }
    }
}

fn encode_arguments(arguments: &[Vec<u8>], output: &mut Vec<u8>) -> Result<(), EncodeError> {
    if arguments.is_empty() {
        return Err(EncodeError::NoArguments);
    }
    output.extend_from_slice(&head(Token::Argc, count(Token::Argc, arguments.len())?));
    arguments
        .iter()
        .try_for_each(|argument| encode_string(Token::Argv, argument, output))
}

fn encode_entries(
    entries: &[Entry],
    encoder: &mut lzo::Encoder,
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    output.extend_from_slice(&head(Token::Nfil, count(Token::Nfil, entries.len())?));
    for entry in entries {
        match entry {
            Entry::File { name, contents } => {
                encode_string(Token::Name, name, output)?;
                encode_body(Version::Pump, Token::File, contents, encoder, output)?;
            }
            Entry::Link { name, target } => {
                encode_string(Token::Name, name, output)?;
                encode_string(Token::Link, target, output)?;
            }
        }
    }
    Ok(())
}
