//! The statistics' own port.
//!
//! The stock daemon's text comes at once for any request, even for none; so the beginning of a request is looked at
//! before HTTP is: only what asks for a path of ours goes on to axum. Nothing here waits for a slot or for a job.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{self, Instant, Sleep};
use tokio_util::task::TaskTracker;

use super::facts::Description;
use super::machine::{self, Load, Processes};
use super::metrics::Moment;
use super::stock::{self, StockStatistics};
use super::toolchain::Toolchains;
use super::{Facts, Statistics, lock};
use crate::accept::Service;
use crate::listeners::Listeners;

/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 32;
/// How long to wait for the beginning of a request before answering without one.
const SILENCE: Duration = Duration::from_millis(300);
/// How long a connection may stay, whatever it does.
const LIFETIME: Duration = Duration::from_mins(1);
/// How long a client may take to read the stock daemon's text, which fits into the kernel's buffer.
const READING: Duration = Duration::from_secs(1);
/// The longest beginning of a request that is looked at.
const HEAD_BYTES: usize = 256;
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Paths that are answered in HTTP.
const PATHS: [&str; 4] = ["/metrics", "/jobs", "/toolchain", "/healthz"];

/// What the answers are made of.
#[derive(Debug, Clone)]
struct Sources {
    service: Arc<Service>,
    toolchains: Arc<Toolchains>,
}

/// Serves the statistics of `service` on `listeners`, for ever.
pub(crate) async fn serve(service: Arc<Service>, mut listeners: Listeners) {
    let (http, connections) = mpsc::channel(1);
    let sources = Sources {
        service: Arc::clone(&service),
        toolchains: Arc::default(),
    };
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/jobs", get(jobs))
        .route("/toolchain", get(toolchain))
        .route("/healthz", get(health))
        .with_state(sources);
    let handed_on = HandedOn {
        connections,
        address: listeners.local_addr(),
    };
    tokio::select! {
        () = accept_all(&service, &mut listeners, http) => {}
        ended = axum::serve(handed_on, router) => tracing::error!(?ended, "the statistics have ended"),
    }
}

async fn accept_all(
    service: &Arc<Service>,
    listeners: &mut Listeners,
    http: mpsc::Sender<Connection>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let tasks = TaskTracker::new();
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        let (stream, peer) = listeners.accept().await;
        if !service.settings.allow.allows(peer.ip()) {
            continue;
        }
        let (service, http) = (Arc::clone(service), http.clone());
        tasks.spawn(async move {
            if wants_http(&stream).await {
                // The receiver lives as long as this task's parent.
                drop(http.send(Connection::new(stream, permit)).await);
            } else {
                drop(time::timeout(READING, answer_like_stock(&service, stream)).await);
                drop(permit);
            }
        });
    }
}

/// Whether the connection begins with a request for one of [`PATHS`].
async fn wants_http(stream: &TcpStream) -> bool {
    let mut head = [0; HEAD_BYTES];
    let line = async {
        loop {
            let count = stream.peek(&mut head).await.ok()?;
            let seen = &head[..count];
            if let Some(end) = seen.iter().position(|byte| *byte == b'\n') {
                return Some(is_ours(&seen[..end]));
            }
            if count == 0 || count == HEAD_BYTES {
                return None;
            }
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(SILENCE, line)
        .await
        .ok()
        .flatten()
        .unwrap_or(false)
}

/// Reads the first line of a request.
fn is_ours(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let method = words.next();
    let path = words
        .next()
        .and_then(|target| target.split(|byte| *byte == b'?').next());
    let known = path.is_some_and(|path| PATHS.iter().any(|known| known.as_bytes() == path));
    known && matches!(method, Some(b"GET" | b"HEAD"))
}

async fn answer_like_stock(service: &Arc<Service>, mut stream: TcpStream) -> io::Result<()> {
    let body = stock_statistics(service).await.body();
    stream.write_all(stock::HEADER.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await?;
    // What the client has sent must be read, or it may lose the answer. Who sends for ever does not care for it.
    let mut scratch = [0; 16 * 1024];
    while stream
        .try_read(&mut scratch)
        .is_ok_and(|count| count == scratch.len())
    {}
    Ok(())
}

async fn stock_statistics(service: &Arc<Service>) -> StockStatistics {
    let asked = Arc::clone(service);
    // Hundreds of small files on a large machine; and jobs wait for the totals.
    let machine = tokio::task::spawn_blocking(move || {
        (
            Load::read(),
            Processes::read(),
            asked.statistics.disk.read(),
            machine::free_bytes(&asked.settings.workspace),
            machine::free_memory_bytes(),
        )
    });
    let unknown = (Load::UNKNOWN, Processes::NONE, None, None, None);
    let (load, processes, disk_sectors_per_second, free_disk_bytes, free_memory_bytes) =
        machine.await.unwrap_or(unknown);
    let statistics = &service.statistics;
    let now = statistics.now();
    let mut totals = lock(&statistics.totals);
    let mut counts = totals.counts;
    counts.accepted = statistics.metrics.connections.get();
    StockStatistics {
        counts,
        longest: totals
            .longest
            .clone()
            .map(|(file, compiler, wall)| (file, compiler, wall.as_millis())),
        slots: service.settings.jobs.get(),
        mean_running: [1, 5, 15].map(|minutes| totals.history.mean_running(now, minutes)),
        finished: [1, 5, 15].map(|minutes| totals.history.finished_within(now, minutes)),
        load,
        processes,
        disk_sectors_per_second,
        free_disk_bytes,
        free_memory_bytes,
    }
}

async fn metrics(State(sources): State<Sources>) -> Response {
    let service = &sources.service;
    let load = service.slots.load();
    let moment = Moment {
        slots: service.settings.jobs.get(),
        running: load.running,
        waiting: load.waiting,
        skewed: service.acquaintances.skewed(),
    };
    match service.statistics.metrics.encode(moment) {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn jobs(State(sources): State<Sources>) -> Response {
    let statistics = Arc::clone(&sources.service.statistics);
    // Some small files for each process of each running compiler.
    let listing = tokio::task::spawn_blocking(move || statistics.listed()).await;
    listing.map_or_else(
        |_ended| StatusCode::SERVICE_UNAVAILABLE.into_response(),
        |listing| Json(listing).into_response(),
    )
}

async fn toolchain(State(sources): State<Sources>) -> Response {
    let description = sources.toolchains.describe(&sources.service).await;
    Json(&*description).into_response()
}

async fn health(State(sources): State<Sources>) -> (StatusCode, &'static str) {
    if sources.service.shutdown.is_finishing() {
        (StatusCode::SERVICE_UNAVAILABLE, "finishing\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

/// The answer to `/jobs`.
#[derive(Debug, Serialize)]
struct Listing {
    /// Those that run or wait, the oldest first.
    jobs: Vec<Description>,
    /// The last ones that have ended, the newest first.
    finished: Vec<Description>,
}

impl Statistics {
    fn listed(&self) -> Listing {
        let jobs = lock(&self.jobs);
        let present: Vec<_> = jobs.present.values().map(Arc::clone).collect();
        let finished: Vec<_> = jobs.finished.iter().rev().map(Arc::clone).collect();
        drop(jobs);
        // The job itself must not wait while the kernel is asked about its processes.
        let describe = |facts: &Arc<Mutex<Facts>>| {
            let (description, leader) = lock(facts).describe();
            description.with_peak_of(leader)
        };
        Listing {
            jobs: present.iter().map(describe).collect(),
            finished: finished.iter().map(describe).collect(),
        }
    }
}

/// Connections that ask for one of [`PATHS`].
struct HandedOn {
    connections: mpsc::Receiver<Connection>,
    address: io::Result<SocketAddr>,
}

impl axum::serve::Listener for HandedOn {
    type Io = Connection;
    type Addr = ();

    async fn accept(&mut self) -> (Connection, ()) {
        match self.connections.recv().await {
            Some(connection) => (connection, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        self.address
            .as_ref()
            .map(drop)
            .map_err(|error| error.kind().into())
    }
}

/// A connection that ends after [`LIFETIME`].
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            end: Box::pin(time::sleep_until(Instant::now() + LIFETIME)),
            _permit: permit,
        }
    }

    fn poll_alive(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_alive(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_for_own_paths_are_answered_in_http() {
        let cases = [
            ("GET /metrics HTTP/1.1\r", true),
            ("HEAD /healthz HTTP/1.0\r", true),
            ("GET /jobs?pretty HTTP/1.1\r", true),
            ("GET / HTTP/1.1\r", false),
            ("GET /metrics/more HTTP/1.1\r", false),
            ("POST /jobs HTTP/1.1\r", false),
            ("", false),
            ("metrics", false),
        ];
        for (line, expected) in cases {
            assert_eq!(is_ours(line.as_bytes()), expected, "{line}");
        }
    }
}
