//! The client's half: arguments, and a preprocessed source or a tree of files.
//!
//! A server feeds what it receives to a [`RequestDecoder`] and acts on its [`Event`]s; bodies come as they are on the
//! wire, for a [`BodyDecoder`](crate::BodyDecoder). Probes, load generators and tests build a [`Request`].

mod assembly;
mod decode;
mod encode;
mod state;

use std::fmt;

use crate::Version;

pub use decode::RequestDecoder;

/// What a [`RequestDecoder`] has found next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// `DIST`: the protocol version, always first.
    Version(Version),
    /// `CDIR`: the client's working directory, without NUL and otherwise unchecked. Version 3 only.
    Directory(Vec<u8>),
    /// `ARGC` and all `ARGV`: at least one argument, the compiler first; none holds a NUL.
    Arguments(Vec<Vec<u8>>),
    /// `DOTI`: the preprocessed source begins. Versions 1 and 2 only.
    Source {
        /// Bytes on the wire; in version 2 the compressed length, 0 for an empty source.
        length: u32,
    },
    /// `NFIL`: how many [`Event::File`] and [`Event::Link`] follow. Version 3 only.
    Entries(u32),
    /// `NAME`, `FILE`: a file begins.
    File {
        /// The client's path for it, without NUL and otherwise unchecked.
        name: Vec<u8>,
        /// Bytes on the wire; 0 for an empty file.
        length: u32,
    },
    /// A piece of the current body as it is on the wire, never empty.
    Chunk(&'a [u8]),
    /// The current body, [`Event::Source`] or [`Event::File`], is complete.
    BodyEnd,
    /// `NAME`, `LINK`: a symbolic link.
    Link {
        /// The client's path for it, without NUL and otherwise unchecked.
        name: Vec<u8>,
        /// Where it points, without NUL and otherwise unchecked.
        target: Vec<u8>,
    },
    /// The request is complete; what follows in the stream is none of it.
    End,
}

/// How far a request has come, for deadlines and for error messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing or only a part of `DIST` has arrived.
    Version,
    /// `CDIR` is due.
    Directory,
    /// `ARGC` or an `ARGV` is due.
    Arguments,
    /// All arguments are there and nothing of `DOTI` is: the client's preprocessor is still running. This may take long
    /// and, should the preprocessor fail, ends with the client closing the connection.
    Preprocessing,
    /// `DOTI` has begun.
    Source,
    /// `NFIL`, or one of the files and links, is due.
    Files,
    /// All has arrived.
    Complete,
}

/// How a stream may end without being at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Not a byte came: a port scan, or somebody testing whether the server is up.
    Silent,
    /// The client left after its arguments, in [`Phase::Preprocessing`]: its preprocessor failed.
    Abandoned,
    /// The request is complete.
    Complete,
}

/// A whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The command, the compiler first; at least one argument, none with a NUL.
    pub arguments: Vec<Vec<u8>>,
    /// What to compile; decides the protocol version.
    pub payload: Payload,
}

/// What a request brings along, uncompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Version 1: a preprocessed source.
    Plain(Vec<u8>),
    /// Version 2: a preprocessed source, compressed on the wire.
    Lzo(Vec<u8>),
    /// Version 3: all files that a preprocessor on the server needs.
    Pump {
        /// The client's working directory.
        directory: Vec<u8>,
        /// Files and links, in the order of the wire.
        entries: Vec<Entry>,
    },
}

/// A file or link of a version 3 request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file, contents compressed on the wire.
    File {
        /// The client's absolute path.
        name: Vec<u8>,
        /// What is in it.
        contents: Vec<u8>,
    },
    /// A symbolic link.
    Link {
        /// The client's absolute path.
        name: Vec<u8>,
        /// Where it points.
        target: Vec<u8>,
    },
}

impl Payload {
    /// The protocol version that carries this.
    pub fn version(&self) -> Version {
        match self {
            Self::Plain(_) => Version::Plain,
            Self::Lzo(_) => Version::Lzo,
            Self::Pump { .. } => Version::Pump,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Version => "version",
            Self::Directory => "directory",
            Self::Arguments => "arguments",
            Self::Preprocessing => "preprocessing",
            Self::Source => "source",
            Self::Files => "files",
            Self::Complete => "end",
        })
    }
}
