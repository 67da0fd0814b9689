//! An engine that says that it runs on an ARM machine: the real one behind a socket of its own, whose words pass through
//! but for one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What the real engine says of its machine, and what comes out instead: as long, so that lengths stay true.
const TRUTH: &[u8] = br#""Architecture":"x86_64""#;
const CLAIM: &[u8] = br#""Architecture":"arm64" "#;

const SOCKET: &str = "/var/run/docker.sock";

/// How long a chunk that may end in the middle of the word is held back.
const PATIENCE: Duration = Duration::from_millis(200);

/// The engine; it goes when this is dropped.
#[derive(Debug)]
pub struct ForeignEngine {
    folder: TempDir,
    server: JoinHandle<()>,
}

impl ForeignEngine {
    /// Opens its socket.
    ///
    /// # Errors
    /// The real engine does not listen on a socket, or the disk is full.
    pub fn start() -> Result<Self> {
        let real = std::env::var("DOCKER_HOST").unwrap_or_else(|_unset| format!("unix://{SOCKET}"));
        let Some(real) = real.strip_prefix("unix://").map(PathBuf::from) else {
            bail!("{real} is no socket");
        };
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join("docker.sock"))?;
        let server = tokio::spawn(serve(listener, real));
        Ok(Self { folder, server })
    }

    /// What `DOCKER_HOST` must be.
    pub fn endpoint(&self) -> String {
        format!(
            "unix://{}",
            self.folder.path().join("docker.sock").display()
        )
    }
}

impl Drop for ForeignEngine {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: UnixListener, real: PathBuf) {
    while let Ok((client, _address)) = listener.accept().await {
        let real = real.clone();
        // What one connection ends with is its two ends' own affair.
        tokio::spawn(async move { pass(client, &real).await });
    }
}

async fn pass(client: UnixStream, real: &Path) -> Result<()> {
    let engine = UnixStream::connect(real).await.context("no engine")?;
    let (mut from_client, to_client) = client.into_split();
    let (from_engine, mut to_engine) = engine.into_split();
    let words = async {
        tokio::io::copy(&mut from_client, &mut to_engine).await?;
        to_engine.shutdown().await.map_err(anyhow::Error::from)
    };
    tokio::try_join!(words, claim(from_engine, to_client))?;
    Ok(())
}

async fn claim(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<()> {
    let mut held = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let read = if held.is_empty() {
            from.read(&mut chunk).await?
        } else if let Ok(read) = timeout(PATIENCE, from.read(&mut chunk)).await {
            read?
        } else {
            to.write_all(&std::mem::take(&mut held)).await?;
            continue;
        };
        held.extend_from_slice(&chunk[..read]);
        replace(&mut held);
        let ready = if read == 0 {
            held.len()
        } else {
            held.len() - beginning(&held)
        };
        to.write_all(&held[..ready]).await?;
        held.drain(..ready);
        if read == 0 {
            return Ok(to.shutdown().await?);
        }
    }
}

fn replace(bytes: &mut [u8]) {
    while let Some(at) = bytes
        .windows(TRUTH.len())
        .position(|window| window == TRUTH)
    {
        bytes[at..at + CLAIM.len()].copy_from_slice(CLAIM);
    }
}

/// How many bytes at the end may be the beginning of the word.
fn beginning(bytes: &[u8]) -> usize {
    let longest = bytes.len().min(TRUTH.len() - 1);
    let ends_with = |length: &usize| bytes.ends_with(&TRUTH[..*length]);
    (1..=longest).rev().find(ends_with).unwrap_or(0)
}
