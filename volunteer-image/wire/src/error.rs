//! What can be wrong with a stream of packets.

use crate::lzo::LzoError;
use crate::request::Phase;
use crate::token::Token;

/// A request or reply that breaks the protocol or a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (at byte {offset})")]
pub struct WireError {
    /// Where, in bytes from the start of the stream: the first byte of the packet at fault, or where the stream ended.
    pub offset: u64,
    /// What.
    pub kind: WireErrorKind,
}

/// The ways in which a stream can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireErrorKind {
    /// A packet out of order, or none at all: another protocol.
    #[error("expected {}, found `{}`", one_of(.expected), .found.escape_ascii())]
    UnexpectedToken {
        /// What the order of packets permits here.
        expected: &'static [Token],
        /// The four bytes found.
        found: [u8; 4],
    },
    /// The stream opens with the `*` of a client that wants to authenticate by GSS-API.
    #[error("the client asks for GSS-API authentication")]
    AuthenticationRequested,
    /// A number that is not exactly eight hexadecimal digits.
    #[error("`{}` after {token} is not eight hexadecimal digits", .digits.escape_ascii())]
    BadNumber {
        /// The packet.
        token: Token,
        /// The eight bytes found.
        digits: [u8; 8],
    },
    /// A protocol version other than 1, 2 and 3.
    #[error("protocol version {number} is unknown")]
    UnknownVersion {
        /// The number found.
        number: u32,
    },
    /// A request without any argument, and so without a compiler.
    #[error("no arguments")]
    NoArguments,
    /// A NUL in an argument or a path.
    #[error("{token} holds a NUL byte")]
    NulByte {
        /// The packet.
        token: Token,
    },
    /// The stream ended inside a request.
    #[error("the request ends in its {phase}")]
    TruncatedRequest {
        /// How far the request had come.
        phase: Phase,
    },
    /// The stream ended inside a reply.
    #[error("the reply ends before its {missing}")]
    TruncatedReply {
        /// The first packet that is missing or incomplete.
        missing: Token,
    },
    /// Bytes after the last packet, where the whole stream was given.
    #[error("bytes after the last packet")]
    TrailingBytes,
    /// A reply in another version than the request.
    #[error("the reply has version {found}, not {}", .asked.number())]
    WrongVersion {
        /// The version of the request.
        asked: crate::Version,
        /// The number found.
        found: u32,
    },
    /// A wait status that [`WaitStatus`](crate::WaitStatus) cannot hold.
    #[error("{bits:08x} is not the wait status of an ended process")]
    BadStatus {
        /// The number found.
        bits: u32,
    },
    /// An object although the compiler failed.
    #[error("an object of {length} bytes after a failure")]
    ObjectAfterFailure {
        /// Its length on the wire.
        length: u32,
    },
    /// A body that cannot be decompressed.
    #[error("the body of {token}: {error}")]
    BadBody {
        /// The packet.
        token: Token,
        /// Why.
        #[source]
        error: LzoError,
    },
    /// `ARGC` above [`Limits::argument_count`](crate::Limits::argument_count).
    #[error("{count} arguments, more than {limit}")]
    TooManyArguments {
        /// The number found.
        count: u32,
        /// The limit.
        limit: u32,
    },
    /// `ARGV` above [`Limits::argument_bytes`](crate::Limits::argument_bytes).
    #[error("an argument of {length} bytes, more than {limit}")]
    ArgumentTooLong {
        /// The length found.
        length: u32,
        /// The limit.
        limit: u32,
    },
    /// All `ARGV` together above [`Limits::arguments_bytes`](crate::Limits::arguments_bytes).
    #[error("more than {limit} bytes of arguments")]
    ArgumentsTooLong {
        /// The limit.
        limit: u64,
    },
    /// `CDIR`, `NAME` or `LINK` above [`Limits::path_bytes`](crate::Limits::path_bytes).
    #[error("{token} of {length} bytes, more than {limit}")]
    PathTooLong {
        /// The packet.
        token: Token,
        /// The length found.
        length: u32,
        /// The limit.
        limit: u32,
    },
    /// `NFIL` above [`Limits::entry_count`](crate::Limits::entry_count).
    #[error("{count} files, more than {limit}")]
    TooManyEntries {
        /// The number found.
        count: u32,
        /// The limit.
        limit: u32,
    },
    /// A body above [`Limits::body_bytes`](crate::Limits::body_bytes).
    #[error("{token} of {length} bytes, more than {limit}")]
    BodyTooLarge {
        /// The packet.
        token: Token,
        /// The length found.
        length: u32,
        /// The limit.
        limit: u32,
    },
    /// The whole stream above [`Limits::total_bytes`](crate::Limits::total_bytes).
    #[error("more than {limit} bytes in all")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// A body above what decompression may make of it.
    #[error("the body of {token} expands to more than {limit} bytes")]
    ExpandsTooFar {
        /// The packet.
        token: Token,
        /// The limit.
        limit: u64,
    },
}

impl WireErrorKind {
    /// Whether a limit of ours was exceeded by a stream that is otherwise sound, so that a reply with the reason is in
    /// place; otherwise the peer does not speak the protocol, or has gone.
    pub fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooManyArguments { .. }
                | Self::ArgumentTooLong { .. }
                | Self::ArgumentsTooLong { .. }
                | Self::PathTooLong { .. }
                | Self::TooManyEntries { .. }
                | Self::BodyTooLarge { .. }
                | Self::TooLarge { .. }
                | Self::ExpandsTooFar { .. }
        )
    }

    /// Whether the stream ended too early, so that nobody may be left to answer.
    pub fn is_truncation(&self) -> bool {
        matches!(
            self,
            Self::TruncatedRequest { .. } | Self::TruncatedReply { .. }
        )
    }

    /// The failure to decode the body of this packet.
    pub(crate) fn body(token: Token, error: LzoError) -> Self {
        match error {
            LzoError::OverCap { cap: limit } => Self::ExpandsTooFar { token, limit },
            error => Self::BadBody { token, error },
        }
    }

    pub(crate) fn at(self, offset: u64) -> WireError {
        WireError { offset, kind: self }
    }
}

/// Something that the protocol cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More bytes or packets than 32 bits can count.
    #[error("{token} is too large for the protocol")]
    TooLarge {
        /// The packet.
        token: Token,
    },
    /// A NUL in an argument or a path; the stock server would cut it off there.
    #[error("{token} holds a NUL byte")]
    NulByte {
        /// The packet.
        token: Token,
    },
    /// A request without any argument, and so without a compiler.
    #[error("no arguments")]
    NoArguments,
}

fn one_of(tokens: &[Token]) -> String {
    let names: Vec<_> = tokens.iter().map(ToString::to_string).collect();
    names.join(" or ")
}
