//! The distcc wire protocol, without I/O.
//!
//! Bytes go in, events come out, and the other way round; sockets, files and time belong to the caller. Nothing here
//! panics, whatever the bytes, and no length is believed before [`Limits`] has allowed it.
//!
//! A connection carries one job: a request, then its reply, both a sequence of packets. A packet is a token of four
//! letters, a number of eight hexadecimal digits and, where the number is a length, that many bytes:
//!
//! ```text
//! client                                                  server
//!   DIST version
//!   CDIR length, directory          version 3
//!   ARGC count
//!   ARGV length, argument           count times
//!   DOTI length, source             versions 1 and 2
//!   NFIL count                      version 3
//!   NAME length, path               version 3, count times,
//!     FILE length, contents           followed by one
//!     LINK length, target             of these two
//!                                                    DONE version
//!                                                    STAT wait status
//!                                                    SERR length, standard error
//!                                                    SOUT length, standard output
//!                                                    DOTO length, object
//!                                                    DOTD length, dependencies
//! ```
//!
//! `DOTD` follows only in version 3, after a success; a failure has an empty `DOTO`. In versions 2 and 3 every body
//! (source, contents, error, output, object, dependencies) is one LZO1X block, an empty one no bytes at all.
//!
//! | To do                  | Use                                                        |
//! |------------------------|------------------------------------------------------------|
//! | read a request         | [`RequestDecoder`], [`Event`], then [`BodyDecoder`]        |
//! | write a request        | [`Request::encode`]                                        |
//! | write a reply          | [`Reply::encode`], or [`reply::opening`] and [`head`]      |
//! | read a reply           | [`ReplyDecoder`], or [`Reply::decode`]                     |
//! | compress and expand    | [`lzo`]                                                    |
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::string_slice)]

mod body;
mod error;
mod limits;
pub mod lzo;
mod packet;
pub mod reply;
pub mod request;
mod status;
mod step;
mod token;
mod version;

pub use body::{BodyDecoder, encode_body};
pub use error::{EncodeError, WireError, WireErrorKind};
pub use limits::Limits;
pub use reply::{Outcome, Reply, ReplyDecoder, ReplyEvent};
pub use request::{Ending, Entry, Event, Payload, Phase, Request, RequestDecoder};
pub use status::{Failure, WaitStatus};
pub use token::{HEAD_BYTES, Token, head};
pub use version::Version;
