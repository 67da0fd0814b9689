//! The stock programs, where they are installed: client, include server and daemon, all of version 3.4.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use distcc_wire::{Limits, Reply, Version, lzo};
use tempfile::TempDir;

use super::{captured, compiled, toolchain};
use crate::compilers::skip;
use crate::harness::{Daemon, text};

const DISTCC: &str = "/usr/bin/distcc";
const DISTCCD: &str = "/usr/bin/distccd";
const INCLUDE_SERVER: &str = "/usr/lib/python3/dist-packages/include_server";

/// Whether `program` is there; says so if not.
fn installed(program: &str) -> bool {
    Path::new(program).exists() || skip::<()>(&format!("no {program}")).is_some()
}

/// A project of a stock client.
struct Client {
    folder: TempDir,
}

impl Client {
    /// Sockets have short names, and the mirror's path must have three parts.
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/tmp").expect("a temporary directory can be made");
        let client = Self { folder };
        client.file("p/src/a.c", SOURCE);
        client.file("p/inc/b.h", "#define B 42\n");
        client.file("p/inc/empty.h", "");
        client.file("scratch/made", "");
        client
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("a directory can be made");
        fs::write(path, contents).expect("a file can be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the stock client with its own compiler forbidden, and returns what it says.
    fn distcc(&self, daemon: SocketAddr, environment: &[(&str, String)]) -> Result<String, String> {
        let run = Command::new(DISTCC)
            .args(COMMAND.split(' '))
            .current_dir(self.path("p"))
            .env("DISTCC_HOSTS", format!("{daemon},lzo,cpp"))
            .env("DISTCC_DIR", self.path("scratch"))
            .env("DISTCC_FALLBACK", "0")
            .env("DISTCC_VERBOSE", "1")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the client starts");
        let told = text(&run.stderr);
        if run.status.success() {
            Ok(told)
        } else {
            Err(told)
        }
    }

    fn check(&self, told: Result<String, String>) {
        let told = told.unwrap_or_else(|told| panic!("{told}"));
        assert!(told.contains("NFIL"), "not in pump mode: {told}");
        let made = fs::read(self.path("p/a.o")).expect("an object");
        assert!(made.starts_with(b"\x7fELF"));
        let dependencies = fs::read(self.path("p/a.d")).expect("dependencies");
        assert_eq!(text(&dependencies), "a.o: src/a.c inc/b.h inc/empty.h\n");
        let words = COMMAND.replace("a.o", "local.o").replace("a.d", "local.d");
        let (compiler, words) = words.split_once(' ').expect("a command");
        let local = Command::new(compiler)
            .args(words.split(' '))
            .current_dir(self.path("p"))
            .status();
        assert!(local.expect("the compiler starts").success());
        let local = fs::read(self.path("p/local.o")).expect("an object");
        assert!(
            made == local,
            "another object than the client's own compiler makes"
        );
    }
}

const COMMAND: &str = "gcc -g -O1 -Iinc -MMD -MF a.d -c src/a.c -o a.o";

const SOURCE: &str = "#include <stdio.h>\n#include \"b.h\"\n#include \"empty.h\"\nint f(void) { puts(__FILE__); return B; }\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_stock_client_compiles_in_pump_mode() {
    let Some(toolchain) = toolchain().filter(|_| installed(DISTCC)) else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let client = Client::new();
    // What an include server would leave: compressed copies below a directory of three names.
    let mirror = |name: &str| format!("m{}/{name}", client.path("p").display());
    let mut files = Vec::new();
    for name in ["src/a.c", "inc/b.h", "inc/empty.h"] {
        let contents = fs::read(client.path("p").join(name)).unwrap();
        let block = if contents.is_empty() {
            lzo::END_MARKER.to_vec()
        } else {
            lzo::encode(&contents)
        };
        let copy = format!("{}.lzo", mirror(name));
        client.file(&copy, block);
        files.push(client.path(&copy).display().to_string());
    }
    let told = client.distcc(daemon.address, &[("INCLUDE_SERVER_STUB", files.join(" "))]);
    client.check(told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stock_include_server_tells_what_to_send() {
    let Some(toolchain) = toolchain().filter(|_| installed(DISTCC) && installed(INCLUDE_SERVER))
    else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let client = Client::new();
    let server = IncludeServer::start(&client);
    let told = client.distcc(
        daemon.address,
        &[("INCLUDE_SERVER_PORT", server.socket.clone())],
    );
    client.check(told);
}

/// A running include server, ended when dropped.
struct IncludeServer {
    socket: String,
    pid: String,
}

impl IncludeServer {
    fn start(client: &Client) -> Self {
        let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/pump");
        let (socket, pid) = (client.path("scratch/socket"), client.path("scratch/pid"));
        let started = Command::new("python3")
            .env(
                "PYTHONPATH",
                format!("{}:{INCLUDE_SERVER}", helper.display()),
            )
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg("-P")
            .arg(Path::new(INCLUDE_SERVER).join("include_server.py"))
            .args([
                "--port".as_ref(),
                socket.as_path(),
                "--pid_file".as_ref(),
                &pid,
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(started.expect("python starts").success());
        let pid = fs::read_to_string(pid).expect("the include server has a number");
        Self {
            socket: socket.display().to_string(),
            pid: pid.trim().to_owned(),
        }
    }
}

impl Drop for IncludeServer {
    fn drop(&mut self) {
        drop(Command::new("kill").arg(&self.pid).status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_request_gets_the_same_object_as_from_the_stock_daemon() {
    let Some(toolchain) = toolchain().filter(|_| installed(DISTCCD)) else {
        return;
    };
    let daemon = Daemon::start_with(toolchain, |_settings| {});
    let (object, dependencies) = compiled(daemon.ask(&captured()).await);
    let stock = compiled(stock_reply());
    assert_eq!(dependencies, stock.1);
    assert!(object == stock.0, "another object than the stock daemon's");
}

/// What the stock daemon replies to the captured request.
fn stock_reply() -> Reply {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    let folder = tempfile::tempdir_in("/tmp").expect("a temporary directory can be made");
    let mut daemon = Command::new(DISTCCD)
        .args([
            "--inetd",
            "--enable-tcp-insecure",
            "--log-file",
            "/dev/null",
        ])
        .current_dir(folder.path())
        .stdin(OwnedFd::from(
            theirs.try_clone().expect("a socket can be shared"),
        ))
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null())
        .spawn()
        .expect("the stock daemon starts");
    let mut writer = ours.try_clone().expect("a socket can be shared");
    let request = captured().encode().expect("it can be encoded");
    let writing = thread::spawn(move || writer.write_all(&request));
    let mut answer = Vec::new();
    ours.read_to_end(&mut answer)
        .expect("the stock daemon answers");
    writing
        .join()
        .expect("no panic")
        .expect("the stock daemon reads");
    daemon.wait().expect("the stock daemon ends");
    Reply::decode(Version::Pump, &answer, &Limits::default()).expect("a reply")
}
