//! A mirror on loopback that serves the real archive, except for what it does to it on the way.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use reqwest::{Client, Response, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::debian;

/// What is done to files whose path ends as given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// One bit of every answer is turned.
    TurnsABit(&'static str),
    /// The first answer for each run ends in the middle; the next ones are complete.
    CutsTheFirst(&'static str),
    /// Every answer ends before the first byte of the file.
    CutsEverything(&'static str),
}

/// The mirror; it goes when this is dropped.
#[derive(Debug)]
pub struct TamperedMirror {
    url: String,
    cuts: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl TamperedMirror {
    /// Starts a mirror of the archive that farmctl would use.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(tampering: Tampering) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let cuts = Arc::new(AtomicUsize::new(0));
        let served = Served {
            upstream: Url::parse(&debian::mirror()?.to_string())?,
            client: Client::new(),
            tampering,
            cuts: Arc::clone(&cuts),
        };
        Ok(Self {
            url: format!("http://{}/debian/", listener.local_addr()?),
            cuts,
            server: tokio::spawn(serve(listener, Arc::new(served))),
        })
    }

    /// Its URL, for `FARMCTL_MIRROR`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many answers it has spoilt so far.
    pub fn spoilt(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for TamperedMirror {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Debug)]
struct Served {
    upstream: Url,
    client: Client,
    tampering: Tampering,
    cuts: Arc<AtomicUsize>,
}

async fn serve(listener: TcpListener, served: Arc<Served>) {
    while let Ok((stream, _peer)) = listener.accept().await {
        let served = Arc::clone(&served);
        // A client that goes away is its own business.
        tokio::spawn(async move { drop(served.answer(stream).await) });
    }
}

impl Served {
    async fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let request = Request::read(&mut stream).await?;
        let path = request
            .path
            .strip_prefix("/debian/")
            .context("not below the root")?;
        let mut upstream = self.client.get(self.upstream.join(path)?);
        if let Some(range) = &request.range {
            upstream = upstream.header("range", range);
        }
        let response = upstream.send().await?;
        let head = head(&response);
        let mut body = response.bytes().await?.to_vec();
        self.tamper(path, &mut body);
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        Ok(stream.shutdown().await?)
    }

    fn tamper(&self, path: &str, body: &mut Vec<u8>) {
        let matches = |suffix: &str| path.ends_with(suffix);
        let spoilt = match self.tampering {
            Tampering::TurnsABit(suffix) if matches(suffix) => {
                let middle = body.len() / 2;
                body[middle] ^= 1;
                true
            }
            Tampering::CutsTheFirst(suffix) if matches(suffix) && self.spoilt_nothing() => {
                body.truncate(body.len() / 2);
                true
            }
            Tampering::CutsEverything(suffix) if matches(suffix) => {
                body.clear();
                true
            }
            _ => false,
        };
        if spoilt {
            self.cuts.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn spoilt_nothing(&self) -> bool {
        self.cuts.load(Ordering::Relaxed) == 0
    }
}

/// Of a request only what matters here.
struct Request {
    path: String,
    range: Option<String>,
}

impl Request {
    async fn read(stream: &mut TcpStream) -> Result<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head)?;
        let path = head.split(' ').nth(1).context("no path")?.to_owned();
        let range = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("range").then(|| value.to_owned())
        });
        Ok(Self { path, range })
    }
}

/// Status line and headers; the length stays that of the whole file.
fn head(response: &Response) -> String {
    let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", response.status());
    for name in ["content-length", "content-range", "content-type"] {
        if let Some(value) = response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
        {
            let _infallible = write!(head, "{name}: {value}\r\n");
        }
    }
    head + "\r\n"
}
