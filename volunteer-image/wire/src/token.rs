//! The head of a packet: a token of four letters and eight hexadecimal digits.

use std::fmt;

/// Bytes of a packet's head, that is of its token and its number.
pub const HEAD_BYTES: usize = 12;

/// The name of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    /// `DIST`: opens a request; the protocol version.
    Dist,
    /// `CDIR`: the client's working directory.
    Cdir,
    /// `ARGC`: how many arguments follow, the compiler included.
    Argc,
    /// `ARGV`: one argument.
    Argv,
    /// `DOTI`: the preprocessed source.
    Doti,
    /// `NFIL`: how many files and links follow.
    Nfil,
    /// `NAME`: the client's absolute path of the file or link that follows.
    Name,
    /// `FILE`: contents of the file just named.
    File,
    /// `LINK`: target of the link just named; never compressed.
    Link,
    /// `DONE`: opens a reply; the protocol version of the request.
    Done,
    /// `STAT`: the compiler's wait status.
    Stat,
    /// `SERR`: the compiler's standard error.
    Serr,
    /// `SOUT`: the compiler's standard output.
    Sout,
    /// `DOTO`: the object.
    Doto,
    /// `DOTD`: the dependency file.
    Dotd,
}

/// The head of a packet whose number, value or length, is `number`.
///
/// Digits are written in lower case, as the stock programs do.
pub fn head(token: Token, number: u32) -> [u8; HEAD_BYTES] {
    let [a, b, c, d] = *token.letters();
    let [n0, n1, n2, n3, n4, n5, n6, n7] = digits(number);
    [a, b, c, d, n0, n1, n2, n3, n4, n5, n6, n7]
}

impl Token {
    /// The four letters on the wire.
    pub const fn letters(self) -> &'static [u8; 4] {
        match self {
            Self::Dist => b"DIST",
            Self::Cdir => b"CDIR",
            Self::Argc => b"ARGC",
            Self::Argv => b"ARGV",
            Self::Doti => b"DOTI",
            Self::Nfil => b"NFIL",
            Self::Name => b"NAME",
            Self::File => b"FILE",
            Self::Link => b"LINK",
            Self::Done => b"DONE",
            Self::Stat => b"STAT",
            Self::Serr => b"SERR",
            Self::Sout => b"SOUT",
            Self::Doto => b"DOTO",
            Self::Dotd => b"DOTD",
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.letters().escape_ascii().fmt(formatter)
    }
}

/// A number as eight lower-case hexadecimal digits, the most significant first.
pub(crate) fn digits(number: u32) -> [u8; 8] {
    [28, 24, 20, 16, 12, 8, 4, 0].map(|shift| match ((number >> shift) & 0xf) as u8 {
        digit @ 0..=9 => b'0' + digit,
        digit => b'a' + (digit - 10),
    })
}

/// The number that exactly eight hexadecimal digits of either case spell.
///
/// The stock parser also takes blanks, signs and `0x`; no client sends them.
pub(crate) fn number(digits: [u8; 8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, &digit| {
        Some(number << 4 | char::from(digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::{Token, digits, head, number};

    #[test]
    fn writes_lower_case_with_leading_zeros() {
        assert_eq!(&head(Token::Doti, 0x9b), b"DOTI0000009b");
        assert_eq!(&head(Token::Argc, u32::MAX), b"ARGCffffffff");
    }

    #[test]
    fn reads_digits_of_either_case() {
        for (text, value) in [
            (b"00000000", 0),
            (b"0000009B", 0x9b),
            (b"deadBEEF", 0xdead_beef),
            (b"FFFFFFFF", u32::MAX),
        ] {
            assert_eq!(number(*text), Some(value), "{}", text.escape_ascii());
            assert_eq!(number(digits(value)), Some(value));
        }
    }

    #[test]
    fn rejects_all_that_is_not_eight_digits() {
        for text in [
            b"0x00009b",
            b"      9b",
            b"+000009b",
            b"-0000001",
            b"0000009g",
            b"000009b ",
            b"\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(number(*text), None, "{}", text.escape_ascii());
        }
    }
}
