//! SHA-256 digests: what names files in the cache, packages in the lock and layers in an image.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no SHA-256 digest of 64 hexadecimal digits")]
pub struct DigestError(String);

impl FromStr for Sha256 {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(DigestError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Sha256 {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Passes bytes on and keeps their count and digest.
pub(crate) struct Hashing<W> {
    inner: W,
    state: sha2::Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            state: sha2::Sha256::new(),
            bytes: 0,
        }
    }

    /// How many bytes passed so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes note of bytes that reached the inner writer some other way.
    pub(crate) fn absorb(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The digest of what passed so far.
    pub(crate) fn digest(&self) -> Sha256 {
        Sha256(self.state.clone().finalize().into())
    }

    /// Forgets what passed so far.
    pub(crate) fn reset(&mut self) {
        self.state.reset();
        self.bytes = 0;
    }

    pub(crate) fn inner(&self) -> &W {
        &self.inner
    }

    pub(crate) fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.absorb(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Hashes a sequence of fields so that no two different sequences give the same input.
#[derive(Default)]
pub(super) struct FieldHash(sha2::Sha256);

impl FieldHash {
    /// Starts with what the fields are about, so that digests of different kinds never meet.
    pub(super) fn new(about: &str) -> Self {
        Self::default().field(about)
    }

    pub(super) fn field(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        self.0.update((field.len() as u64).to_be_bytes());
        self.0.update(field);
        self
    }

    pub(super) fn digest(self, digest: &Sha256) -> Self {
        self.field(digest.0)
    }

    pub(super) fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_the_digest_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256::of(b"abc").to_string(), text);
        assert_eq!(text.parse(), Ok(Sha256::of(b"abc")));
    }

    #[test]
    fn refuses_texts_that_are_no_digest() {
        for text in ["", "ba78", &"g".repeat(64), &"0".repeat(65)] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }

    #[test]
    fn keeps_fields_apart() {
        let joined = FieldHash::new("t").field("ab").field("c").finish();
        let shifted = FieldHash::new("t").field("a").field("bc").finish();
        assert_ne!(joined, shifted);
    }

    #[test]
    fn counts_and_hashes_what_was_written() {
        let mut out = Hashing::new(Vec::new());
        out.write_all(b"a").unwrap();
        out.write_all(b"bc").unwrap();
        assert_eq!((out.digest(), out.bytes()), (Sha256::of(b"abc"), 3));
        assert_eq!(out.into_inner(), b"abc");
    }
}
