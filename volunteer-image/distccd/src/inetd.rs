//! Serves the one client at standard input and output: ssh's command, or a connection that inetd accepted.
//!
//! Standard output carries the protocol and nothing else. Several such processes on a machine share its slots ([`turn`]);
//! a process has its slot before it reads, so a client that still preprocesses holds one, as it holds a worker of the stock
//! daemon.

mod turn;

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;

use rustix::fs::{FileType, fstat};
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};

use crate::accept::Service;
use crate::connection::{self, Input, Output, Peer, Served, Stream};
use crate::shutdown::{Shutdown, Signals};
use crate::supervise::Orphans;

pub(crate) use turn::Turn;

/// Whether standard input is a socket, as it is where inetd or the stock client's ssh starts a program.
pub(crate) fn standard_input_is_socket() -> bool {
    kind(io::stdin()) == Some(FileType::Socket)
}

/// Serves the client to the end, or until a signal says otherwise.
///
/// Must be called inside the runtime.
///
/// # Errors
/// Standard input and output are neither sockets nor pipes.
pub(crate) async fn serve(
    service: &Service,
    signals: Signals,
    orphans: Orphans,
    shutdown: Shutdown,
) -> io::Result<Served> {
    let (stream, peer) = client()?;
    let served = tokio::select! {
        served = connection::serve(service, stream, peer) => served,
        () = signals.tell(shutdown) => Served::Truncated,
        () = orphans.collect(service.children.clone()) => Served::Truncated,
    };
    connection::report_skew(service);
    Ok(served)
}

/// The client at standard input and output.
fn client() -> io::Result<(Stream, Peer)> {
    let (input, output) = (duplicate(io::stdin())?, duplicate(io::stdout())?);
    if kind(&input) == Some(FileType::Socket) {
        if let Some(address) = network_peer(&input) {
            let stream = std::net::TcpStream::from(input);
            stream.set_nonblocking(true)?;
            return Ok((TcpStream::from_std(stream)?.into(), Peer::Network(address)));
        }
        if is_same(&input, &output) {
            return Ok((Stream::Unix(socket(input)?), Peer::UnixDomain));
        }
    }
    let peer = match kind(&input) {
        Some(FileType::Socket) => Peer::UnixDomain,
        _ => Peer::Pipes,
    };
    let from_client = match kind(&input) {
        Some(FileType::Socket) => Input::Socket(socket(input)?),
        _ => Input::Pipe(pipe::Receiver::from_owned_fd(input)?),
    };
    let to_client = match kind(&output) {
        Some(FileType::Socket) => Output::Socket(socket(output)?),
        _ => Output::Pipe(pipe::Sender::from_owned_fd(output)?),
    };
    let stream = Stream::Pair {
        from_client,
        to_client,
    };
    Ok((stream, peer))
}

fn duplicate(standard: impl AsFd) -> io::Result<OwnedFd> {
    standard.as_fd().try_clone_to_owned()
}

fn socket(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let stream = StdUnixStream::from(descriptor);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

fn kind(descriptor: impl AsFd) -> Option<FileType> {
    let status = fstat(descriptor).ok()?;
    Some(FileType::from_raw_mode(status.st_mode))
}

fn is_same(one: &OwnedFd, other: &OwnedFd) -> bool {
    match (fstat(one), fstat(other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

fn network_peer(socket: &OwnedFd) -> Option<SocketAddr> {
    let address = rustix::net::getpeername(socket).ok()??;
    SocketAddr::try_from(address).ok()
}
