//! Accepts connections, each served by a task of its own.

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
use crate::sandbox::{MissingLayer, Sandbox};
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::stats::{self, Statistics};
use crate::supervise::Children;

/// A compile server on a port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
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
    /// A server for `compilers`, on a bound `listener`, until `shutdown` says otherwise.
    ///
    /// # Errors
    /// A layer of the sandbox that the settings ask for and this machine does not provide.
    pub fn new(
        listener: TcpListener,
        compilers: impl Into<Compilers>,
        settings: Settings,
        shutdown: Shutdown,
    ) -> Result<Self, MissingLayer> {
        let service = Service::new(compilers.into(), settings, shutdown)?;
        Ok(Self {
            listener,
            service: Arc::new(service),
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Tells on `listener`, for ever, what this server does and has done; to be run beside [`serve`](Self::serve).
    pub fn statistics(&self, listener: TcpListener) -> impl Future<Output = ()> + Send + use<> {
        stats::serve(Arc::clone(&self.service), listener)
    }

    /// The processes it runs, for who collects orphans.
    pub(crate) fn children(&self) -> Arc<Children> {
        Arc::clone(&self.service.children)
    }

    /// Serves until it is told to shut down and every job in flight has ended.
    pub async fn serve(self) {
        let Self { listener, service } = self;
        let connections = TaskTracker::new();
        tokio::select! {
            () = service.shutdown.finishing() => {}
            never = accept_all(&listener, &service, &connections) => match never {},
        }
        drop(listener);
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
    listener: &TcpListener,
    service: &Arc<Service>,
    connections: &TaskTracker,
) -> Never {
    loop {
        // Room first: who cannot be served waits in the kernel's queue.
        let permit = service.slots.connection().await;
        let (stream, peer) = accept(listener).await;
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
    let mut failed = false;
    loop {
        match listener.accept().await {
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
