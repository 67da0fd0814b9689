//! A machine to run farmctl on: a folder with a farm, an engine, an empty environment.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::debian::{Signer, Suite, gcc_for, libraries};
use crate::engine::FakeEngine;
use crate::server::Server;
use crate::text::Run;

/// An archive with GCC 14 for two targets, made once and served for all tests of this program.
static ARCHIVE: LazyLock<Archive> = LazyLock::new(Archive::start);

struct Archive {
    server: Server,
    keyring: PathBuf,
    _folder: TempDir,
    _runtime: Runtime,
}

impl Archive {
    fn start() -> Self {
        let (folder, runtime, signer) = (
            tempfile::tempdir().unwrap(),
            Runtime::new().unwrap(),
            Signer::new(),
        );
        signer.keyring(folder.path());
        let mut packages = gcc_for("aarch64-linux-gnu", 14, "14.2");
        packages.extend(gcc_for("x86-64-linux-gnu", 14, "14.2"));
        packages.extend(libraries());
        let suite = Suite {
            name: "stable",
            valid_until: None,
            packages: &packages,
        };
        let server = runtime.block_on(Server::start("/debian", suite.publish(&signer)));
        Self {
            server,
            keyring: folder.path().join("keyring.asc"),
            _folder: folder,
            _runtime: runtime,
        }
    }
}

/// A farm of two volunteers. Its ports lie on a loopback address of its own, so that nothing else can have them.
pub(crate) struct Machine {
    pub(crate) engine: FakeEngine,
    pub(crate) folder: TempDir,
    address: String,
    /// Further hosts' addresses, by their names.
    others: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

/// A command that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(5);

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = own_address();
        let toolchains = folder.path().join("toolchains");
        fs::create_dir(&toolchains).unwrap();
        for (target, machine, port) in [("aarch64", "aarch64", 21636), ("x86_64", "x86-64", 21632)]
        {
            let triple = format!("{machine}-linux-gnu");
            fs::write(
                toolchains.join(format!("{target}.yaml")),
                format!(
                    "target: {target}\nport: {port}\ncarch: {target}\ntriples: [{target}-unknown-linux-gnu]\n\
                     object: {{ class: elf64, machine: {machine} }}\n\
                     gcc:\n  default: 14\n  stable: 14\n  packages: [\"g++-{{version}}-{triple}\"]\n  \
                     c: /usr/bin/{triple}-gcc-{{version}}\n  c++: /usr/bin/{triple}-g++-{{version}}\n"
                ),
            )
            .unwrap();
        }
        let variable = |name: &str, value: &Path| (name.to_owned(), value.display().to_string());
        let variables = vec![
            ("COLUMNS".to_owned(), "120".to_owned()),
            (
                "DOCKER_HOST".to_owned(),
                format!("unix://{}/engine.sock", folder.path().display()),
            ),
            ("FARMCTL_MIRROR".to_owned(), ARCHIVE.server.url().to_owned()),
            variable("FARMCTL_KEYRING", &ARCHIVE.keyring),
            variable("HOME", folder.path()),
        ];
        let machine = Self {
            engine: FakeEngine::start(&folder.path().join("engine.sock")),
            folder,
            address,
            others: Vec::new(),
            variables,
        };
        machine.describe("");
        machine
    }

    /// Writes the manifest: the farm, and `more` lines.
    pub(crate) fn describe(&self, more: &str) {
        let text = format!(
            "farm: attic\naddress: {}\ntoolchains: toolchains\ntargets:\n  aarch64: {{}}\n  x86_64: {{}}\n{more}",
            self.address
        );
        self.write("farm.yaml", &text);
    }

    /// Starts the engine of another host, which has an address of its own.
    pub(crate) fn add_host(&mut self, name: &str) -> FakeEngine {
        self.others.push((name.to_owned(), own_address()));
        FakeEngine::start(&self.folder.path().join(format!("{name}.sock")))
    }

    /// Writes the manifest of a farm of this machine's engine, called `box`, and of the other hosts, each one with keys
    /// of its own.
    pub(crate) fn describe_hosts(&self, keys: &[(&str, &str)]) {
        let keys_of = |host: &str| {
            let mut keys = keys.iter();
            let found = keys.find(|(name, _)| *name == host);
            found.map_or("", |(_, keys)| *keys)
        };
        let host = |(name, address): &(String, String)| {
            let socket = self.folder.path().join(format!("{name}.sock"));
            format!(
                "  {name}: {{ docker: \"unix://{}\", address: {address}, {} }}\n",
                socket.display(),
                keys_of(name)
            )
        };
        let others: String = self.others.iter().map(host).collect();
        let text = format!(
            "farm: attic\ntoolchains: toolchains\ntargets: {{ aarch64: {{}}, x86_64: {{}} }}\nhosts:\n  \
             box: {{ address: {}, {} }}\n{others}",
            self.address,
            keys_of("box")
        );
        self.write("farm.yaml", &text);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Sets a variable of the environment, or takes it out.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        self.variables.retain(|(known, _)| known != name);
        let value = value.map(|value| (name.to_owned(), value.to_owned()));
        self.variables.extend(value);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farmctl"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs farmctl to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let child = self.command(arguments).spawn().unwrap();
        self.finish(arguments, child)
    }

    /// Runs farmctl, which must succeed, where only its effect matters.
    pub(crate) fn prepare(&self, arguments: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{run}");
    }

    /// Waits for the end of `child`.
    pub(crate) fn finish(&self, arguments: &[&str], mut child: Child) -> Run {
        let reading = [reader(child.stdout.take()), reader(child.stderr.take())];
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("farmctl {} hangs", arguments.join(" "));
            }
            thread::sleep(Duration::from_millis(5));
        };
        let [stdout, stderr] = reading.map(|thread| thread.join().unwrap());
        Run {
            command: arguments.join(" "),
            code: status.code(),
            stdout: self.redact(&stdout),
            stderr: self.redact(&stderr),
        }
    }

    /// Takes out what only this machine has.
    fn redact(&self, text: &str) -> String {
        let mut text = text
            .replace(&self.folder.path().display().to_string(), "[FOLDER]")
            .replace(ARCHIVE.server.url(), "[MIRROR]");
        for (name, address) in &self.others {
            text = text.replace(address, &format!("[{}]", name.to_uppercase()));
        }
        text.replace(&self.address, "[ADDRESS]")
    }
}

/// Every test has an address of its own in 127.0.0.0/8, also beside other processes' tests.
fn own_address() -> String {
    static USED: AtomicU16 = AtomicU16::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let number = USED.fetch_add(1, Ordering::Relaxed) % 250 + 2;
    format!(
        "127.{}.{}.{number}",
        u16::from(high) % 250 + 2,
        u16::from(low) % 250 + 2
    )
}

fn reader<R: Read + Send + 'static>(pipe: Option<R>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8(bytes).unwrap()
    })
}

/// Sends Ctrl-C to a child.
pub(crate) fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}
