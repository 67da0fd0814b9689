//! Bodies: as they are in version 1, LZO1X blocks in versions 2 and 3, and in all of them nothing for an empty one.

use crate::error::{EncodeError, WireErrorKind};
use crate::lzo;
use crate::token::{Token, head};
use crate::version::Version;

/// Turns the wire bytes of one body into what they stand for, piece by piece and in bounded memory.
#[derive(Debug)]
pub struct BodyDecoder {
    token: Token,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Raw { decoded: u64, cap: u64 },
    Lzo(lzo::Decoder),
}

impl BodyDecoder {
    /// A decoder for the body of `token`, which has `length` bytes on the wire and may become `cap` bytes at most.
    ///
    /// [`Limits::decoded_allowance`](crate::Limits::decoded_allowance) knows the cap.
    pub fn new(version: Version, token: Token, length: u32, cap: u64) -> Self {
        let form = if version.is_compressed() && length > 0 {
            Form::Lzo(lzo::Decoder::new(cap))
        } else {
            Form::Raw { decoded: 0, cap }
        };
        Self { token, form }
    }

    /// Appends to `output` what a piece of the body stands for, taking from the front of `piece`.
    ///
    /// Appends at most 256 KiB beyond what a raw body has; call until `piece` is empty.
    pub fn push(&mut self, piece: &mut &[u8], output: &mut Vec<u8>) -> Result<(), WireErrorKind> {
        match &mut self.form {
            Form::Lzo(decoder) => decoder
                .push(piece, output)
                .map_err(|error| WireErrorKind::body(self.token, error)),
            Form::Raw { decoded, cap } => {
                let whole = *piece;
                take_raw(self.token, piece, decoded, *cap)?;
                output.extend_from_slice(whole);
                Ok(())
            }
        }
    }

    /// What a piece of the body stands for, taken from the front of `piece`: the piece itself where nothing is compressed,
    /// and otherwise what [`push`](Self::push) gives, in `scratch`.
    pub fn decode<'scratch, 'piece: 'scratch>(
        &mut self,
        piece: &mut &'piece [u8],
        scratch: &'scratch mut Vec<u8>,
    ) -> Result<&'scratch [u8], WireErrorKind> {
        scratch.clear();
        let whole = *piece;
        if let Form::Raw { decoded, cap } = &mut self.form {
            take_raw(self.token, piece, decoded, *cap)?;
            return Ok(whole);
        }
        self.push(piece, scratch)?;
        Ok(scratch)
    }

    /// How long the decoded body is, after all its bytes have been pushed.
    pub fn finish(self) -> Result<u64, WireErrorKind> {
        match self.form {
            Form::Raw { decoded, .. } => Ok(decoded),
            Form::Lzo(decoder) => decoder
                .finish()
                .map_err(|error| WireErrorKind::body(self.token, error)),
        }
    }
}

/// Takes all of a piece that is not compressed, if it is within the cap.
fn take_raw(
    token: Token,
    piece: &mut &[u8],
    decoded: &mut u64,
    cap: u64,
) -> Result<(), WireErrorKind> {
    *decoded += piece.len() as u64;
    if *decoded > cap {
        return Err(WireErrorKind::ExpandsTooFar { token, limit: cap });
    }
    *piece = &[];
    Ok(())
}

/// Appends a packet with a body: its head, and `body` in the form that `version` has.
pub fn encode_body(
    version: Version,
    token: Token,
    body: &[u8],
    encoder: &mut lzo::Encoder,
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if body.is_empty() || !version.is_compressed() {
        return encode_raw(token, body, output);
    }
    let start = output.len();
    output.extend_from_slice(&head(token, 0));
    encoder.encode_into(body, output);
    let length = output.len() - start - crate::HEAD_BYTES;
    let length = count(token, length)?;
    if let Some(place) = output
        .get_mut(start..)
        .and_then(|packet| packet.first_chunk_mut())
    {
        *place = head(token, length);
    }
    Ok(())
}

/// Appends a packet whose body is never compressed.
pub(crate) fn encode_raw(
    token: Token,
    body: &[u8],
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let length = count(token, body.len())?;
    output.extend_from_slice(&head(token, length));
    output.extend_from_slice(body);
    Ok(())
}

/// Appends a packet whose body must not hold a NUL.
pub(crate) fn encode_string(
    token: Token,
    string: &[u8],
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if string.contains(&0) {
        return Err(EncodeError::NulByte { token });
    }
    encode_raw(token, string, output)
}

/// A count or length as the number of a packet.
pub(crate) fn count(token: Token, count: usize) -> Result<u32, EncodeError> {
    u32::try_from(count)
        .ok()
        .ok_or(EncodeError::TooLarge { token })
}
