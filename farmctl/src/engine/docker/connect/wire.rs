//! What carries the engine's HTTP: connections of our own making under the client library.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use super::tls::Certified;
use super::{CONNECT_TIMEOUT, tcp};
use crate::engine::TlsProblem;
use crate::engine::ssh::Tunnel;

/// Where connections lead.
#[derive(Debug, Clone)]
pub(super) enum Far {
    /// A port that is open to everybody.
    Open { host: String, port: u16 },
    /// A port that asks for certificates.
    Tls {
        host: String,
        port: u16,
        certified: Arc<Certified>,
    },
    /// The near end of a tunnel.
    Tunnel(Arc<Tunnel>),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error(transparent)]
    System(#[from] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsProblem),
    #[error("no answer within {} s", CONNECT_TIMEOUT.as_secs())]
    Silence,
}

impl Far {
    /// A client of the engine there. Nothing is dialled yet.
    pub(super) fn docker(self) -> Result<Docker, bollard::errors::Error> {
        let address = self.to_string();
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(self.clone());
        let transport = move |request: BollardRequest| {
            let (answer, far) = (client.request(request), self.clone());
            async move {
                let answer = answer.await;
                if answer.is_err() {
                    far.settle().await;
                }
                Ok(answer?)
            }
        };
        Docker::connect_with_custom_transport(
            transport,
            Some(address),
            CONNECT_TIMEOUT.as_secs(),
            API_DEFAULT_VERSION,
        )
    }

    /// After a failure: waits until it is known whether it was a tunnel that ended.
    async fn settle(&self) {
        if let Self::Tunnel(tunnel) = self {
            tunnel.settle().await;
        }
    }

    async fn dial(self) -> Result<TokioIo<Wire>, DialError> {
        let dialled = tokio::time::timeout(CONNECT_TIMEOUT, self.connect()).await;
        dialled.unwrap_or(Err(DialError::Silence)).map(TokioIo::new)
    }

    async fn connect(self) -> Result<Wire, DialError> {
        Ok(Wire(match self {
            Self::Open { host, port } => Box::new(tcp::connect(&host, port).await?),
            Self::Tls {
                host,
                port,
                certified,
            } => {
                let stream = tcp::connect(&host, port).await?;
                Box::new(certified.greet(&host, stream).await?)
            }
            Self::Tunnel(tunnel) => Box::new(UnixStream::connect(tunnel.near()).await?),
        }))
    }
}

/// As the client library wants it: it says `http` to everything, for what is below is none of its business.
impl fmt::Display for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { host, port } | Self::Tls { host, port, .. } if host.contains(':') => {
                write!(f, "http://[{host}]:{port}")
            }
            Self::Open { host, port } | Self::Tls { host, port, .. } => {
                write!(f, "http://{host}:{port}")
            }
            Self::Tunnel(_) => f.write_str("http://engine"),
        }
    }
}

impl tower_service::Service<Uri> for Far {
    type Response = TokioIo<Wire>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _engine: Uri) -> Self::Future {
        Box::pin(self.clone().dial())
    }
}

/// One connection, of whatever kind.
pub(super) struct Wire(Box<dyn Stream>);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
