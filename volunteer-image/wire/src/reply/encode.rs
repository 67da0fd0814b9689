//! Replies in, bytes out.

use super::{Outcome, Reply};
use crate::body::encode_body;
use crate::error::EncodeError;
use crate::lzo;
use crate::status::WaitStatus;
use crate::token::{HEAD_BYTES, Token, head};
use crate::version::Version;

/// Bytes of what [`opening`] returns.
pub const OPENING_BYTES: usize = 2 * HEAD_BYTES;

/// How many bytes of what [`opening`] returns do not depend on the status.
///
/// Clients give up after a time without a byte. A server may send these one by one while a job waits or runs.
pub const PROMISE_BYTES: usize = HEAD_BYTES + 4;

/// `DONE` and `STAT`, the first two packets of a reply.
///
/// `SERR`, `SOUT` and `DOTO` must follow, and `DOTD` after a success in version 3: each either by
/// [`encode_body`], or as a [`head`] and the same number of bytes. After a failure `DOTO` is empty.
pub fn opening(version: Version, status: WaitStatus) -> [u8; OPENING_BYTES] {
    let mut bytes = [0; OPENING_BYTES];
    let heads = [
        head(Token::Done, version.number()),
        head(Token::Stat, status.to_bits()),
    ];
    for (slot, byte) in bytes.iter_mut().zip(heads.into_iter().flatten()) {
        *slot = byte;
    }
    bytes
}

impl Reply {
    /// The reply as it is on the wire.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut output = Vec::new();
        self.encode_into(&mut lzo::Encoder::new(), &mut output)?;
        Ok(output)
    }

    /// Appends the reply as it is on the wire.
    ///
    /// After an error, what has been appended is worth nothing.
    pub fn encode_into(
        &self,
        encoder: &mut lzo::Encoder,
        output: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let mut body =
            |token, body, output: &mut _| encode_body(self.version, token, body, encoder, output);
        output.extend_from_slice(&opening(self.version, self.outcome.status()));
        body(Token::Serr, &self.stderr, output)?;
        body(Token::Sout, &self.stdout, output)?;
        match &self.outcome {
            Outcome::Failed(_) => body(Token::Doto, &[], output),
            Outcome::Compiled {
                object,
                dependencies,
            } => {
                body(Token::Doto, object, output)?;
                if self.version.carries_files() {
                    body(Token::Dotd, dependencies, output)?;
                }
                Ok(())
            }
        }
    }
}
