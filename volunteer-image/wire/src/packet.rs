//! Packets out of a stream that arrives in pieces of any size.

use crate::error::{WireError, WireErrorKind};
use crate::token::{HEAD_BYTES, Token, number};

/// Follows a stream: knows how many bytes have passed and keeps a head that has arrived only in part.
#[derive(Debug, Default)]
pub(crate) struct PacketReader {
    offset: u64,
    partial: [u8; HEAD_BYTES],
    filled: usize,
}

/// The head of a packet that the order of packets permits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) token: Token,
    pub(crate) number: u32,
    /// Where the packet begins.
    pub(crate) offset: u64,
}

/// A body that is wanted whole, and what has arrived of it.
#[derive(Debug)]
pub(crate) struct Text {
    head: Head,
    missing: u32,
    bytes: Vec<u8>,
}

impl PacketReader {
    /// How many bytes of the stream have passed.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether a head has begun but not ended.
    pub(crate) fn is_inside_head(&self) -> bool {
        self.filled > 0
    }

    /// The next head, which must be one of `expected`; `None` while it is incomplete.
    ///
    /// A wrong token is reported as soon as its four letters are there, since its sender may have no more to say.
    pub(crate) fn head(
        &mut self,
        input: &mut &[u8],
        expected: &'static [Token],
    ) -> Result<Option<Head>, WireError> {
        self.fill(input);
        let start = self.offset - self.filled as u64;
        let [a, b, c, d, digits @ ..] = self.partial;
        if self.filled > 0 && a == b'*' && expected == [Token::Dist] {
            return Err(WireErrorKind::AuthenticationRequested.at(start));
        }
        if self.filled < 4 {
            return Ok(None);
        }
        let found = [a, b, c, d];
        let Some(&token) = expected.iter().find(|token| *token.letters() == found) else {
            return Err(WireErrorKind::UnexpectedToken { expected, found }.at(start));
        };
        if self.filled < HEAD_BYTES {
            return Ok(None);
        }
        let Some(number) = number(digits) else {
            return Err(WireErrorKind::BadNumber { token, digits }.at(start));
        };
        self.filled = 0;
        Ok(Some(Head {
            token,
            number,
            offset: start,
        }))
    }

    /// As much of a body as has arrived, of which `missing` bytes are due; counts them off.
    pub(crate) fn body<'a>(&mut self, input: &mut &'a [u8], missing: &mut u32) -> &'a [u8] {
        let (arrived, rest) = input
            .split_at_checked(*missing as usize)
            .unwrap_or((input, &[]));
        *input = rest;
        self.offset += arrived.len() as u64;
        *missing = missing.saturating_sub(arrived.len().try_into().unwrap_or(u32::MAX));
        arrived
    }

    fn fill(&mut self, input: &mut &[u8]) {
        let mut arrived = 0;
        let free = self.partial.iter_mut().skip(self.filled);
        for (slot, &byte) in free.zip(*input) {
            *slot = byte;
            arrived += 1;
        }
        *input = input.get(arrived..).unwrap_or_default();
        self.filled += arrived;
        self.offset += arrived as u64;
    }
}

impl Text {
    /// Makes room for a body whose length has been allowed.
    pub(crate) fn new(head: Head) -> Self {
        Self {
            head,
            missing: head.number,
            bytes: Vec::with_capacity(head.number as usize),
        }
    }

    /// Whether all of it has arrived, after taking what `input` has of it.
    pub(crate) fn fill(&mut self, reader: &mut PacketReader, input: &mut &[u8]) -> bool {
        self.bytes
            .extend_from_slice(reader.body(input, &mut self.missing));
        self.missing == 0
    }

    /// The whole body, which a C string must be able to hold.
    pub(crate) fn into_string(self) -> Result<Vec<u8>, WireError> {
        let Head { token, offset, .. } = self.head;
        if self.bytes.contains(&0) {
            return Err(WireErrorKind::NulByte { token }.at(offset));
        }
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::PacketReader;
    use crate::error::WireErrorKind;
    use crate::token::Token;

    fn first_error(bytes: &[u8]) -> Option<WireErrorKind> {
        let mut reader = PacketReader::default();
        reader
            .head(&mut &*bytes, &[Token::File, Token::Link])
            .err()
            .map(|error| error.kind)
    }

    #[test]
    fn reads_a_head_that_arrives_in_pieces() {
        let mut reader = PacketReader::default();
        for piece in [&b"LI"[..], b"", b"NK0000", b"001"] {
            assert!(
                reader
                    .head(&mut &*piece, &[Token::File, Token::Link])
                    .unwrap()
                    .is_none()
            );
        }
        let mut last = &b"fbody"[..];
        let head = reader
            .head(&mut last, &[Token::File, Token::Link])
            .unwrap()
            .unwrap();
        assert_eq!(
            (head.token, head.number, head.offset),
            (Token::Link, 0x1f, 0)
        );
        assert_eq!((last, reader.offset()), (&b"body"[..], 12));
    }

    #[test]
    fn rejects_a_wrong_token_at_its_fourth_letter() {
        assert_eq!(first_error(b"GET"), None);
        let expected: &'static [Token] = &[Token::File, Token::Link];
        let wrong = WireErrorKind::UnexpectedToken {
            expected,
            found: *b"GET ",
        };
        assert_eq!(wrong.to_string(), "expected FILE or LINK, found `GET `");
        assert_eq!(first_error(b"GET "), Some(wrong));
        assert!(
            first_error(b"link00000000").is_some(),
            "tokens are upper case"
        );
    }

    #[test]
    fn rejects_a_number_that_is_not_eight_digits() {
        let wrong = WireErrorKind::BadNumber {
            token: Token::File,
            digits: *b"0x000001",
        };
        assert_eq!(first_error(b"FILE0x000001"), Some(wrong));
        assert_eq!(first_error(b"FILE0x00000"), None);
    }

    #[test]
    fn recognises_an_authenticating_client_by_its_first_byte() {
        let opening = PacketReader::default().head(&mut &b"*"[..], &[Token::Dist]);
        assert_eq!(
            opening.unwrap_err().kind,
            WireErrorKind::AuthenticationRequested
        );
        assert_eq!(
            first_error(b"*"),
            None,
            "later it is a wrong token like any other"
        );
    }
}
