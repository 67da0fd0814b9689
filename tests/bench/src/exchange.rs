//! One job, as a client has it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use distcc_wire::{Limits, Outcome, Reply, Request, Version};

/// Longest wait for a daemon to do anything: reached only when it has lost the job.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request as it is on the wire.
#[derive(Debug, Clone)]
pub struct Prepared {
    version: Version,
    bytes: Vec<u8>,
}

/// What came of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// An object came back.
    Compiled,
    /// The compiler's failure came back, or the daemon's refusal.
    Failed,
    /// The connection ended without a reply.
    Lost,
}

impl Prepared {
    /// Encodes `request` once for all the times that it is sent.
    ///
    /// # Errors
    /// It does not fit the protocol.
    pub fn new(request: &Request) -> Result<Self> {
        let bytes = request.encode().context("cannot encode a request")?;
        let version = request.payload.version();
        Ok(Self { version, bytes })
    }

    /// The bytes that are sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Does the job; `scratch` is for the reply.
    pub fn exchange(&self, address: SocketAddr, scratch: &mut Vec<u8>) -> Verdict {
        let done = connect(address).and_then(|mut stream| {
            stream.write_all(&self.bytes)?;
            read_reply(stream, scratch)
        });
        match done {
            Ok(()) => self.verdict(scratch),
            Err(_broken) => Verdict::Lost,
        }
    }

    /// What a reply says.
    pub fn verdict(&self, reply: &[u8]) -> Verdict {
        match Reply::decode(self.version, reply, &Limits::default()) {
            Ok(reply) => match reply.outcome {
                Outcome::Compiled { .. } => Verdict::Compiled,
                Outcome::Failed(_) => Verdict::Failed,
            },
            Err(_not_a_reply) => Verdict::Lost,
        }
    }
}

/// A connection that does not wait for ever.
///
/// # Errors
/// Nobody listens.
pub fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // The stock client sends its last packet at once, too.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads to the end; a connection that is reset after the reply has given it all the same.
///
/// # Errors
/// The daemon does nothing for too long.
pub fn read_reply(mut stream: TcpStream, scratch: &mut Vec<u8>) -> std::io::Result<()> {
    scratch.clear();
    match stream.read_to_end(scratch) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
        _ => Ok(()),
    }
}
