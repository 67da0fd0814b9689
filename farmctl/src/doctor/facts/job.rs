//! One job over the wire, as the stock client sends it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use distcc_wire::{Limits, Outcome, Payload, Reply, Request, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;

/// A preprocessed source and how to compile it.
#[derive(Debug, Clone)]
pub struct Job {
    /// The compiler's name.
    pub compiler: String,
    /// Options, without `-c`, the source and the object.
    pub options: Vec<String>,
    /// The source's name.
    pub file: String,
    /// The source.
    pub source: Vec<u8>,
}

/// Why there is no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Nobody listens there, or the way is blocked.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The deadline passed.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// The connection ended without a reply.
    #[error("the job was not answered")]
    Unanswered,
    /// The conversation broke, or the reply is none.
    #[error("the conversation broke: {0}")]
    Broken(String),
    /// The job failed or was refused.
    #[error("{text}")]
    Failed {
        /// What was printed, the first lines of it.
        text: String,
    },
}

/// An answer longer than this is none to a job of the doctor's.
const ANSWER_BYTES: u64 = 16 << 20;
const LINES_SHOWN: usize = 3;

/// Sends `job` to `address` and returns the object.
///
/// # Errors
/// There is none; see [`JobError`].
pub async fn send(address: SocketAddr, job: &Job, deadline: Duration) -> Result<Vec<u8>, JobError> {
    time::timeout(deadline, exchange(address, job))
        .await
        .unwrap_or(Err(JobError::Late(deadline)))
}

async fn exchange(address: SocketAddr, job: &Job) -> Result<Vec<u8>, JobError> {
    let broken = |error: io::Error| JobError::Broken(error.to_string());
    let request = job
        .request()
        .map_err(|error| JobError::Broken(error.to_string()))?;
    let mut stream = TcpStream::connect(address)
        .await
        .map_err(|error| JobError::Connect(error.to_string()))?;
    // A refusal may come before all is sent; what was said counts then, not that the rest was not taken.
    let sent = stream.write_all(&request).await;
    let mut answer = Vec::new();
    let received = (&mut stream)
        .take(ANSWER_BYTES)
        .read_to_end(&mut answer)
        .await;
    if answer.is_empty() {
        return match sent.and(received.map(drop)) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(broken(error)),
            _ => Err(JobError::Unanswered),
        };
    }
    let reply = Reply::decode(Version::Lzo, &answer, &Limits::default())
        .map_err(|error| JobError::Broken(error.to_string()))?;
    match reply.outcome {
        Outcome::Compiled { object, .. } => Ok(object),
        Outcome::Failed(failure) => Err(JobError::Failed {
            text: first_lines(&reply.stderr).unwrap_or_else(|| failure.to_string()),
        }),
    }
}

impl Job {
    fn request(&self) -> Result<Vec<u8>, distcc_wire::EncodeError> {
        let object = self
            .file
            .rsplit_once('.')
            .map_or(self.file.as_str(), |(stem, _)| stem);
        let object = format!("{object}.o");
        let tail = ["-c", &self.file, "-o", &object];
        let words = std::iter::once(self.compiler.as_str())
            .chain(self.options.iter().map(String::as_str))
            .chain(tail);
        Request {
            arguments: words.map(|word| word.as_bytes().to_vec()).collect(),
            payload: Payload::Lzo(self.source.clone()),
        }
        .encode()
    }
}

/// The first lines of a compiler's output, on one line.
pub(in super::super) fn first_lines(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.take(LINES_SHOWN).collect();
    (!lines.is_empty()).then(|| lines.join(" / "))
}
