//! Bytes from the wire in words that are safe to print.

use std::fmt;

/// Longest text shown of one argument, in characters.
const LENGTH: usize = 120;

/// A client's bytes for messages and logs: bounded, and without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut shown: String = text.chars().take(LENGTH).map(printable).collect();
        if text.chars().nth(LENGTH).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

fn printable(character: char) -> char {
    if character.is_control() {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_text_bounded_and_without_control_characters() {
        let cases = [
            (b"-O2".to_vec(), "-O2".to_owned()),
            (b"a\x1b[2Jb\n".to_vec(), "a\u{fffd}[2Jb\u{fffd}".to_owned()),
            (b"\xff".to_vec(), "\u{fffd}".to_owned()),
            (vec![b'x'; LENGTH], "x".repeat(LENGTH)),
            (vec![b'x'; LENGTH + 1], "x".repeat(LENGTH) + "…"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Shown::new(&bytes).to_string(), expected);
        }
    }
}
