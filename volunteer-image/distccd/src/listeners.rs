//! Where connections of one kind come from: a socket of one's own, and that of a door while there is one.

use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::accept;

/// A door's socket, as long as there is a door.
pub(crate) type Adopted = watch::Receiver<Option<Arc<TcpListener>>>;

/// The sockets that connections of one kind come from.
#[derive(Debug)]
pub struct Listeners {
    own: TcpListener,
    door: Option<Adopted>,
}

impl From<TcpListener> for Listeners {
    fn from(own: TcpListener) -> Self {
        Self { own, door: None }
    }
}

impl Listeners {
    /// `own` and that of a door.
    pub(crate) fn behind(own: TcpListener, door: Option<Adopted>) -> Self {
        Self { own, door }
    }

    /// Where it listens by itself.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.own.local_addr()
    }

    /// Accepts the next connection of whichever socket has one. Whoever stops waiting loses none.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let door = self
                .door
                .as_mut()
                .and_then(|door| door.borrow_and_update().clone());
            tokio::select! {
                accepted = accept::accept(&self.own) => return accepted,
                accepted = accept_adopted(door.as_deref()) => return accepted,
                () = changed(self.door.as_mut()) => {}
            }
        }
    }
}

async fn accept_adopted(listener: Option<&TcpListener>) -> (TcpStream, SocketAddr) {
    match listener {
        Some(listener) => accept::accept(listener).await,
        None => future::pending().await,
    }
}

/// Waits until there is another door, or none any more.
async fn changed(door: Option<&mut Adopted>) {
    let has_changed = match door {
        Some(door) => door.changed().await.is_ok(),
        None => false,
    };
    if !has_changed {
        future::pending::<()>().await;
    }
}
