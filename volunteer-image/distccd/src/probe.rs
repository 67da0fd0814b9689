//! Asks a volunteer to prove itself: a small C and a small C++ job, whose objects must be exactly the target's.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use distcc_wire::{EncodeError, Limits, Outcome, Payload, Reply, Request, Version, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;
use volunteer_toolchain::{Mismatch, ObjectFacts, Strictness};

/// A volunteer that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// What its objects are.
    pub object: ObjectFacts,
    /// How long both jobs together took.
    pub elapsed: Duration,
}

/// A volunteer that does not answer, or answers wrongly.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Nobody listens there, or the way is blocked.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The deadline passed.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Late(Duration),
    /// The connection broke.
    #[error("the connection broke during a {language} job: {source}")]
    Broken {
        /// Which job.
        language: &'static str,
        /// How.
        source: io::Error,
    },
    /// The connection was closed without a reply: the volunteer does not let this machine in, or is ending.
    #[error("the {language} job was not answered")]
    Unanswered {
        /// Which job.
        language: &'static str,
    },
    /// The reply is not one.
    #[error("the reply to a {language} job is damaged: {source}")]
    Damaged {
        /// Which job.
        language: &'static str,
        /// How.
        source: WireError,
    },
    /// The job failed or was refused.
    #[error("a {language} job failed with {status}: {text}")]
    Failed {
        /// Which job.
        language: &'static str,
        /// The wait status, in words.
        status: String,
        /// The first line of what was printed.
        text: String,
    },
    /// The object is not what the target's defaults give.
    #[error("a {language} job made a wrong object: {source}")]
    WrongObject {
        /// Which job.
        language: &'static str,
        /// How it is wrong.
        source: Mismatch,
    },
    /// The job cannot be expressed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// How long a probe may take: the daemon's slots may all be taken.
pub(crate) const PROBE_DEADLINE: Duration = Duration::from_mins(1);

/// A job that every working compiler does.
struct Job {
    language: &'static str,
    compiler: &'static str,
    file: &'static str,
    source: &'static str,
}

const JOBS: [Job; 2] = [
    Job {
        language: "C",
        compiler: "gcc",
        file: "probe.c",
        source: "# 1 \"probe.c\"\ndouble half(double whole) { return whole / 2; }\n",
    },
    Job {
        language: "C++",
        compiler: "g++",
        file: "probe.cc",
        source: "# 1 \"probe.cc\"\ntemplate <typename T> T half(T whole) { return whole / 2; }\ntemplate double half<double>(double);\n",
    },
];

/// Has the volunteer at `address` compile C and C++, and checks that the objects are exactly `expected`.
///
/// `deadline` is for everything together. A volunteer whose slots are all taken answers when one is free.
pub async fn probe(
    address: SocketAddr,
    expected: &ObjectFacts,
    deadline: Duration,
) -> Result<ProbeReport, ProbeError> {
    let started = Instant::now();
    let jobs = async {
        let mut object = None;
        for job in &JOBS {
            object = Some(job.run(address, expected).await?);
        }
        Ok::<_, ProbeError>(object)
    };
    let object = time::timeout(deadline, jobs)
        .await
        .map_err(|_elapsed| ProbeError::Late(deadline))??;
    Ok(ProbeReport {
        object: object.expect("there are jobs"),
        elapsed: started.elapsed(),
    })
}

impl Job {
    async fn run(
        &self,
        address: SocketAddr,
        expected: &ObjectFacts,
    ) -> Result<ObjectFacts, ProbeError> {
        let language = self.language;
        let connected = TcpStream::connect(address).await;
        let mut stream = connected.map_err(|source| ProbeError::Connect { address, source })?;
        let answer = exchange(&mut stream, &self.request()?).await;
        let answer = answer.map_err(|source| ProbeError::Broken { language, source })?;
        if answer.is_empty() {
            return Err(ProbeError::Unanswered { language });
        }
        let reply = Reply::decode(Version::Lzo, &answer, &Limits::default());
        let reply = reply.map_err(|source| ProbeError::Damaged { language, source })?;
        match reply.outcome {
            Outcome::Compiled { object, .. } => expected
                .check(&object, Strictness::Exact)
                .map_err(|source| ProbeError::WrongObject { language, source }),
            Outcome::Failed(failure) => Err(ProbeError::Failed {
                language,
                status: failure.to_string(),
                text: first_line(&reply.stderr),
            }),
        }
    }

    fn request(&self) -> Result<Vec<u8>, EncodeError> {
        let arguments = [self.compiler, "-O2", "-c", self.file, "-o", "probe.o"];
        let arguments = arguments
            .map(|argument| argument.as_bytes().to_vec())
            .to_vec();
        Request {
            arguments,
            payload: Payload::Lzo(self.source.as_bytes().to_vec()),
        }
        .encode()
    }
}

/// An answer longer than this is none to a job this small.
const ANSWER_BYTES: u64 = 1 << 20;

async fn exchange(stream: &mut TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
