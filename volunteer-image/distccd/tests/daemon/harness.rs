//! A daemon inside the test, on a real port, with a compiler that does what the test says.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use distcc_wire::{Limits, Outcome, Payload, Reply, Request, Version};
use distccd::{AllowList, Server, Settings, Shutdown};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time;
use volunteer_toolchain::{Class, Compiler, Machine, ObjectFacts, Toolchain};

/// Long enough for any step on a busy machine; reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running daemon.
pub(crate) struct Daemon {
    pub(crate) address: SocketAddr,
    /// Where its statistics are told.
    pub(crate) statistics: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) task: JoinHandle<()>,
    root: TempDir,
}

impl Daemon {
    /// Starts one with the playing compiler.
    pub(crate) fn start() -> Self {
        Self::start_with(play(), |_settings| {})
    }

    /// Starts one with `toolchain` and settings changed by `change`.
    pub(crate) fn start_with(toolchain: Toolchain, change: impl FnOnce(&mut Settings)) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        let jobs = NonZeroUsize::new(2).expect("2 is not zero");
        let mut settings = Settings::new(
            jobs,
            AllowList::new(Vec::new(), true),
            root.path().to_owned(),
        );
        change(&mut settings);
        let listener =
            distccd::listen(Some(Ipv4Addr::LOCALHOST.into()), 0).expect("some port is free");
        let shutdown = Shutdown::new();
        let server = Server::new(listener, toolchain, settings, shutdown.clone())
            .expect("this machine has every layer of the sandbox");
        let address = server.local_addr().expect("a listener has an address");
        let listener =
            distccd::listen(Some(Ipv4Addr::LOCALHOST.into()), 0).expect("some port is free");
        let statistics = listener.local_addr().expect("a listener has an address");
        tokio::spawn(server.statistics(listener));
        Self {
            address,
            statistics,
            shutdown,
            task: tokio::spawn(server.serve()),
            root,
        }
    }

    /// Sends a whole request and reads the whole reply.
    pub(crate) async fn ask(&self, request: &Request) -> Reply {
        let version = request.payload.version();
        let answer = self
            .exchange(&request.encode().expect("the request can be encoded"))
            .await;
        Reply::decode(version, &answer, &Limits::default()).expect("the answer is a reply")
    }

    /// Sends bytes and reads until the daemon closes.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("the daemon reads");
        read_all(&mut stream).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("the daemon accepts")
    }

    /// Whether a job still works, from connection to object.
    pub(crate) async fn works(&self) -> bool {
        matches!(
            self.ask(&request(Version::Lzo, "object")).await.outcome,
            Outcome::Compiled { .. }
        )
    }

    /// Waits until a job has left `file`, and returns the job's directory and what is in the file.
    pub(crate) async fn job_file(&self, file: &str) -> (PathBuf, String) {
        let mut found = None;
        eventually(|| {
            found = self.jobs().into_iter().find_map(|job| {
                let text = std::fs::read_to_string(job.join(file)).ok()?;
                Some((job, text))
            });
            found.is_some()
        })
        .await;
        found.expect("it was found")
    }

    /// The directories of all jobs.
    pub(crate) fn jobs(&self) -> Vec<PathBuf> {
        let entries = self.root.path().read_dir().expect("the directory is there");
        entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect()
    }
}

/// Reads until the other side closes; an abrupt end is an end.
pub(crate) async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    drop(
        time::timeout(PATIENCE, reading)
            .await
            .expect("the daemon closes"),
    );
    answer
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(PATIENCE, holds)
        .await
        .expect("the condition holds in the end");
}

/// A request for the playing compiler.
pub(crate) fn request(version: Version, play: &str) -> Request {
    request_with(
        version,
        &[
            "gcc",
            &format!("-fplay={play}"),
            "-c",
            "play.c",
            "-o",
            "play.o",
        ],
    )
}

/// A request with these words.
pub(crate) fn request_with(version: Version, words: &[&str]) -> Request {
    let arguments = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let source = b"# 1 \"play.c\"\nint play;\n".to_vec();
    let payload = match version {
        Version::Plain => Payload::Plain(source),
        Version::Lzo => Payload::Lzo(source),
        Version::Pump => Payload::Pump {
            directory: b"/w".to_vec(),
            entries: Vec::new(),
        },
    };
    Request { arguments, payload }
}

/// A toolchain whose compilers are the playing one.
pub(crate) fn play() -> Toolchain {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon/play.sh");
    let compiler = |major| Compiler {
        major,
        gcc: script.clone(),
        gxx: script.clone(),
    };
    Toolchain {
        target: "x86_64".to_owned(),
        triples: vec!["x86_64-linux-gnu".to_owned()],
        object: ObjectFacts {
            class: Class::Elf64,
            machine: Machine::X86_64,
            attributes: BTreeMap::new(),
        },
        defaults: vec!["-fdefault".to_owned()],
        compilers: vec![compiler(14), compiler(12)],
        headers: false,
    }
}

/// Whether a process has ended, collected or not.
pub(crate) fn is_gone(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X'])),
        Err(_) => true,
    }
}

/// Text of a reply's standard error.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
