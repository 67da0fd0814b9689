//! A client's two directions: one socket, or one descriptor for each as ssh gives them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};

/// What a client's bytes come from and go to.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Pair {
        from_client: Input,
        to_client: Output,
    },
}

/// A direction that only reads.
#[derive(Debug)]
pub(crate) enum Input {
    Pipe(pipe::Receiver),
    Socket(UnixStream),
}

/// A direction that only writes.
#[derive(Debug)]
pub(crate) enum Output {
    Pipe(pipe::Sender),
    Socket(UnixStream),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        // Replies are written in few large pieces; waiting for more would only delay them.
        drop(stream.set_nodelay(true));
        Self::Tcp(stream)
    }
}

impl Stream {
    /// Waits until there is something to read, be it the end.
    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
            Self::Pair { from_client, .. } => match from_client {
                Input::Pipe(pipe) => pipe.readable().await,
                Input::Socket(socket) => socket.readable().await,
            },
        }
    }

    /// Reads what is there; [`io::ErrorKind::WouldBlock`] if nothing is.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
            Self::Unix(stream) => stream.try_read(buffer),
            Self::Pair { from_client, .. } => match from_client {
                Input::Pipe(pipe) => pipe.try_read(buffer),
                Input::Socket(socket) => socket.try_read(buffer),
            },
        }
    }

    /// Writes what can be written at once.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
            Self::Pair { to_client, .. } => match to_client {
                Output::Pipe(pipe) => pipe.try_write(bytes),
                Output::Socket(socket) => socket.try_write(bytes),
            },
        }
    }

    fn input(self: Pin<&mut Self>) -> Pin<&mut (dyn AsyncRead + Unpin)> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream),
            Self::Unix(stream) => Pin::new(stream),
            Self::Pair { from_client, .. } => match from_client {
                Input::Pipe(pipe) => Pin::new(pipe),
                Input::Socket(socket) => Pin::new(socket),
            },
        }
    }

    fn output(self: Pin<&mut Self>) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream),
            Self::Unix(stream) => Pin::new(stream),
            Self::Pair { to_client, .. } => match to_client {
                Output::Pipe(pipe) => Pin::new(pipe),
                Output::Socket(socket) => Pin::new(socket),
            },
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.input().poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output().poll_shutdown(context)
    }
}
