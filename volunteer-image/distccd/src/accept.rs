//! Accepts connections, each served by a task of its own.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use tokio_util::task::TaskTracker;

use crate::admission::{Clients, Room, Slots, Sources};
use crate::connection::{self, Peer};
use crate::job::{Acquaintances, Compilers, SearchLists};
use crate::listeners::Listeners;
use crate::sandbox::{MissingLayer, Sandbox};
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::stats::{self, Statistics};
use crate::supervise::Children;

/// A compile server on a port.
#[derive(Debug)]
pub struct Server {
    listeners: Listeners,
    service: Arc<Service>,
}

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) compilers: Compilers,
    pub(crate) settings: Settings,
    pub(crate) clients: Arc<Clients>,
    pub(crate) slots: Slots,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) children: Arc<Children>,
    pub(crate) shutdown: Shutdown,
    pub(crate) sandbox: Sandbox,
    pub(crate) acquaintances: Acquaintances,
    pub(crate) search: SearchLists,
}

impl Service {
    /// What connections share in a process that serves `compilers`.
    pub(crate) fn new(
        compilers: Compilers,
        settings: Settings,
        shutdown: Shutdown,
    ) -> Result<Self, MissingLayer> {
        let homes = compilers.homes();
        let sandbox = Sandbox::set_up(settings.sandbox, settings.compiler_limits, homes)?;
        let room = Room {
            connections: settings.connections,
            jobs: settings.jobs,
            queue: settings.queue,
            patience: settings.deadlines.queue,
        };
        let slots = Slots::new(room, Sources::of_this_machine());
        Ok(Self {
            compilers,
            clients: Clients::new(settings.client_connections),
            settings,
            slots,
            statistics: Statistics::new(),
            children: Arc::new(Children::default()),
            shutdown,
            sandbox,
            acquaintances: Acquaintances::default(),
            search: SearchLists::default(),
        })
    }
}

/// How long to wait when the process or the machine is out of descriptors: connections end meanwhile.
const BACK_OFF: Duration = Duration::from_millis(200);

/// How long killed compilers may take to vanish before the daemon ends without them.
const LAST_WAIT: Duration = Duration::from_secs(10);

impl Server {
    /// A server for `compilers`, on bound `listeners`, until `shutdown` says otherwise.
    ///
    /// # Errors
    /// A layer of the sandbox that the settings ask for and this machine does not provide.
    pub fn new(
        listeners: impl Into<Listeners>,
        compilers: impl Into<Compilers>,
        settings: Settings,
        shutdown: Shutdown,
    ) -> Result<Self, MissingLayer> {
        let service = Service::new(compilers.into(), settings, shutdown)?;
        Ok(Self {
            listeners: listeners.into(),
            service: Arc::new(service),
        })
    }

    /// Where it listens by itself.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listeners.local_addr()
    }

    /// Tells on `listeners`, for ever, what this server does and has done; to be run beside [`serve`](Self::serve).
    pub fn statistics<L: Into<Listeners>>(
        &self,
        listeners: L,
    ) -> impl Future<Output = ()> + Send + use<L> {
        stats::serve(Arc::clone(&self.service), listeners.into())
    }

    /// The processes it runs, for who collects orphans.
    pub(crate) fn children(&self) -> Arc<Children> {
        Arc::clone(&self.service.children)
    }

    /// Serves until it is told to shut down and every job in flight has ended.
    pub async fn serve(self) {
        let Self {
            mut listeners,
            service,
        } = self;
        let connections = TaskTracker::new();
        tokio::select! {
            () = service.shutdown.finishing() => {}
            never = accept_all(&mut listeners, &service, &connections) => match never {},
        }
        drop(listeners);
        connections.close();
        finish(&service, &connections).await;
        connection::report_skew(&service);
    }
}

async fn finish(service: &Service, connections: &TaskTracker) {
    let deadline = service.settings.deadlines.shutdown;
    tokio::select! {
        () = connections.wait() => return,
        () = service.shutdown.stopping_jobs() => {}
        () = time::sleep(deadline) => tracing::warn!(connections = connections.len(), "the grace period is over, stopping jobs"),
    }
    service.shutdown.stop_jobs();
    if time::timeout(LAST_WAIT, connections.wait()).await.is_err() {
        tracing::error!(
            connections = connections.len(),
            "ending although jobs have not ended"
        );
    }
}

enum Never {}

async fn accept_all(
    listeners: &mut Listeners,
    service: &Arc<Service>,
    connections: &TaskTracker,
) -> Never {
    loop {
        // Room first: who cannot be served waits in the kernel's queue, where another daemon behind the same door has it.
        let permit = service.slots.connection().await;
        let (stream, peer) = listeners.accept().await;
        service.statistics.connected();
        let service = Arc::clone(service);
        connections.spawn(async move {
            connection::serve(&service, stream.into(), Peer::Network(peer)).await;
            drop(permit);
        });
    }
}

/// Accepts one connection, however long the process may be out of descriptors.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    patiently(|| listener.accept()).await
}

/// The same for any kind of socket.
pub(crate) async fn patiently<T, A: Future<Output = io::Result<T>>>(
    mut accept: impl FnMut() -> A,
) -> T {
    let mut failed = false;
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            // Somebody connected and left before we looked.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !failed {
                    tracing::warn!(%error, "cannot accept connections, trying again");
                }
                failed = true;
                time::sleep(BACK_OFF).await;
            }
        }
    }
}
