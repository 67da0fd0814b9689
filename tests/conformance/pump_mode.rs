//! Pump mode: the client sends headers instead of running its preprocessor, found by the stock include server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{self, Client};
use crate::relay::{Pace, Relay};
use crate::server::Kind;
use crate::stage::{Stage, Trouble};

const PYTHON: &str = "/usr/bin/python3";
const INCLUDE_SERVER: &str = "/usr/lib/python3/dist-packages/include_server";

/// Takes the place of the include server's own helper, which current Pythons refuse.
const HELPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/pump");

/// The first packet of a request in pump mode.
const VERSION: &[u8] = b"DIST00000003";

const SOURCE: &str = "#include <stdio.h>\n#include \"inner/one.h\"\n#include TWO\nint f(void) { return puts(TEXT); }\n";
const FILES: [(&str, &str); 3] = [
    ("src/a.c", SOURCE),
    ("include/inner/one.h", "#define TWO \"two.h\"\n"),
    ("include/two.h", "#define TEXT \"text\"\n"),
];
const WORDS: &[&str] = &[
    "gcc",
    "-O1",
    "-Iinclude",
    "-MMD",
    "-MF",
    "deps",
    "-c",
    "src/a.c",
    "-o",
    "a.o",
];

/// Compiles a source with headers of its own and of the system on both servers, and compares objects and dependencies.
pub(crate) fn same(stage: &Stage) -> Result<(), Trouble> {
    for needed in [PYTHON, INCLUDE_SERVER] {
        if !Path::new(needed).exists() {
            return Err(Trouble::Missing(format!(
                "{needed} is not installed (distcc-pump)"
            )));
        }
    }
    let folder = stage.folder()?;
    for (name, text) in FILES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(path, text)?;
    }
    let local = client::compile_here(WORDS, &folder, "a.o")?;
    let local = (local, dependencies(&folder)?);
    let include_server = IncludeServer::start(&folder)?;
    for kind in Kind::BOTH {
        fs::remove_file(folder.join("deps"))?;
        let relay = Relay::to(stage.server(kind).address, Pace::Free)?;
        let client = Client {
            folder: &folder,
            hosts: format!("{},lzo,cpp", relay.address),
            environment: vec![("INCLUDE_SERVER_PORT", include_server.socket.clone())],
        };
        let done = client.compile(WORDS, "a.o")?;
        if relay.first_bytes() != [VERSION] {
            return Err(Trouble::Wrong(format!(
                "{kind} was not asked in pump mode: {}",
                done.stderr
            )));
        }
        let done = (done, dependencies(&folder)?);
        if done != local {
            return Err(Trouble::Wrong(format!(
                "{kind}: {} {}\n{}",
                done.0.code, done.0.stderr, done.1
            )));
        }
    }
    Ok(())
}

/// The words of the dependency file: where lines break depends on names that only the server sees.
fn dependencies(folder: &Path) -> Result<String, Trouble> {
    let text = fs::read_to_string(folder.join("deps"))?;
    let words = text.split_whitespace().filter(|word| *word != "\\");
    Ok(words.collect::<Vec<_>>().join(" "))
}

/// The stock include server for one build.
struct IncludeServer {
    socket: String,
    pid_file: PathBuf,
}

impl IncludeServer {
    fn start(folder: &Path) -> Result<Self, Trouble> {
        // Its name is part of what the client expects.
        let socket = folder.join("socket").display().to_string();
        let pid_file = folder.join("pid");
        let started = Command::new(PYTHON)
            .arg("-P")
            .arg(format!("{INCLUDE_SERVER}/include_server.py"))
            .args(["--port", &socket, "--pid_file"])
            .arg(&pid_file)
            .env("PYTHONPATH", format!("{HELPER}:{INCLUDE_SERVER}"))
            .env("TMPDIR", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !started.success() {
            return Err(Trouble::Wrong(
                "the include server does not start".to_owned(),
            ));
        }
        Ok(Self { socket, pid_file })
    }
}

impl Drop for IncludeServer {
    fn drop(&mut self) {
        let pid = fs::read_to_string(&self.pid_file).ok();
        let pid = pid.and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?));
        if let Some(pid) = pid {
            drop(kill_process(pid, Signal::TERM).map_err(std::io::Error::from));
        }
    }
}
