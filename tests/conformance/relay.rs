//! A way to a server that looks at how connections begin, and can be slow.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::stage::Trouble;

/// How bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As they come.
    Free,
    /// One at a time.
    Dribble,
}

/// Listens until the process ends.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    /// The first bytes of each connection.
    openings: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// How many bytes of a connection are kept: a packet without its body.
const OPENING_BYTES: usize = 12;

impl Relay {
    /// A way to `server`.
    pub(crate) fn to(server: SocketAddr, pace: Pace) -> Result<Self, Trouble> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let openings: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let seen = Arc::clone(&openings);
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let mut opening = [0; OPENING_BYTES];
                let count = peek(&client, &mut opening);
                lock(&seen).push(opening[..count].to_vec());
                if let Ok(server) = TcpStream::connect(server) {
                    join(client, server, pace);
                }
            }
        });
        Ok(Self { address, openings })
    }

    /// Whether a client has come.
    pub(crate) fn was_used(&self) -> bool {
        !lock(&self.openings).is_empty()
    }

    /// The first packet of each connection.
    pub(crate) fn first_bytes(&self) -> Vec<Vec<u8>> {
        lock(&self.openings).clone()
    }
}

fn lock(openings: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    openings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the first packet, which clients send at once.
fn peek(client: &TcpStream, opening: &mut [u8]) -> usize {
    loop {
        match client.peek(opening) {
            Ok(count) if count == 0 || count == opening.len() => return count,
            Ok(_) => thread::sleep(Duration::from_millis(1)),
            Err(_gone) => return 0,
        }
    }
}

fn join(client: TcpStream, server: TcpStream, pace: Pace) {
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    thread::spawn(move || copy(from, to, pace));
    thread::spawn(move || copy(server, client, pace));
}

fn copy(mut from: TcpStream, mut to: TcpStream, pace: Pace) {
    let mut buffer = [0; 16 * 1024];
    let piece = match pace {
        Pace::Free => buffer.len(),
        Pace::Dribble => 1,
    };
    // Without this the kernel would gather the bytes again.
    drop(to.set_nodelay(true));
    while let Ok(count @ 1..) = from.read(&mut buffer[..piece]) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        if pace == Pace::Dribble {
            thread::sleep(Duration::from_micros(200));
        }
    }
    drop(to.shutdown(Shutdown::Write));
    drop(from.shutdown(Shutdown::Read));
}
