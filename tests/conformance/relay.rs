//! A way to a server that counts connections, and can be slow.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    connections: Arc<AtomicUsize>,
}

impl Relay {
    /// A way to `server`.
    pub(crate) fn to(server: SocketAddr, pace: Pace) -> Result<Self, Trouble> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                if let Ok(server) = TcpStream::connect(server) {
                    join(client, server, pace);
                }
            }
        });
        Ok(Self {
            address,
            connections,
        })
    }

    /// How many clients have come so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
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
