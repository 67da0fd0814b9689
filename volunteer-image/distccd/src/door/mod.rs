//! The door of a volunteer: it keeps the port open for years, while the volunteers behind it come and go.
//!
//! ```text
//! keeper ──► handout ──► rights ═══ DIR/door.sock ═══► rights ──► handout ──► adoption ──► accept
//!  opens      which       descriptors and the words     that they come with     checked       from the
//!  ports      is which                                                                        shared queue
//! ```
//!
//! The door accepts no connection and copies no byte: it gives the *listening* sockets themselves to whoever connects to
//! its Unix socket. Clients wait in the kernel's queue of such a socket, and who has room takes the next one. So what a
//! volunteer has not accepted when it ends, or is killed, its successor finds there.
//!
//! Both sides keep the connection as a sign of life and say nothing more on it.

mod adoption;
mod handout;
mod keeper;
mod rights;

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketType, ipproto, sockopt};
use tokio::net::UnixStream;

pub(crate) use adoption::Adoption;
pub(crate) use keeper::keep;

/// Where in its directory a door is found.
fn socket_of(directory: &Path) -> PathBuf {
    directory.join("door.sock")
}

/// Whether the other end is of the same user as this process.
fn is_of_this_user(stream: &UnixStream) -> io::Result<bool> {
    Ok(stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw())
}

/// Whether clients can wait in the queue of `socket`, and come over TCP.
fn is_listening(socket: &impl AsFd) -> bool {
    let asked = || {
        let family = sockopt::socket_domain(socket)?;
        Ok::<_, rustix::io::Errno>(
            [AddressFamily::INET, AddressFamily::INET6].contains(&family)
                && sockopt::socket_type(socket)? == SocketType::STREAM
                && sockopt::socket_protocol(socket)? == Some(ipproto::TCP)
                && sockopt::socket_acceptconn(socket)?,
        )
    };
    asked().unwrap_or(false)
}
