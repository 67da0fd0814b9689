//! What goes on around a job: how it gets to the server, and who dies meanwhile.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{self, Client, Done};
use crate::pump_mode;
use crate::relay::{Pace, Relay};
use crate::server::{Kind, PATIENCE, Server, has_ipv6};
use crate::ssh;
use crate::stage::{Stage, Trouble};

type Body = fn(&Stage) -> Result<(), Trouble>;

/// All of them.
pub(crate) fn all() -> Vec<(&'static str, Body)> {
    vec![
        ("IPv6", ipv6),
        ("a network that passes one byte at a time", slow_network),
        (
            "a client that is killed takes its compiler with it",
            killed_client,
        ),
        ("pump mode, with the stock include server", pump_mode::same),
        ("ssh, by a program in its place", ssh::by_program),
        ("ssh, with a real server", ssh::by_sshd),
    ]
}

const WORDS: &[&str] = &["gcc", "-O1", "-g", "-c", "a.c", "-o", "a.o"];
const OUTPUT: &str = "a.o";
const SOURCE: &str = "#include <stddef.h>\nint f(size_t n) { return (int)n; }\n";

/// A small source in a folder of its own, and what a local compile makes of it.
pub(crate) fn small(stage: &Stage) -> Result<(PathBuf, Done), Trouble> {
    let folder = stage.folder()?;
    fs::write(folder.join("a.c"), SOURCE)?;
    let local = client::compile_here(WORDS, &folder, OUTPUT)?;
    Ok((folder, local))
}

/// Compiles the small source on `hosts` and compares.
pub(crate) fn same(
    folder: &Path,
    local: &Done,
    kind: Kind,
    hosts: &str,
    environment: Vec<(&'static str, String)>,
) -> Result<(), Trouble> {
    let client = Client {
        folder,
        hosts: hosts.to_owned(),
        environment,
    };
    let done = client.compile(WORDS, OUTPUT)?;
    if done == *local {
        return Ok(());
    }
    let log = fs::read_to_string(folder.join(".distcc-state/log")).unwrap_or_default();
    let Done { code, stderr, .. } = done;
    Err(Trouble::Wrong(format!(
        "{hosts} of {kind}: exit code {code}, {stderr}\n{log}"
    )))
}

fn ipv6(stage: &Stage) -> Result<(), Trouble> {
    if !has_ipv6() {
        return Err(Trouble::Missing("this machine has no IPv6".to_owned()));
    }
    let (folder, local) = small(stage)?;
    for kind in Kind::BOTH {
        let server = Server::start(kind, stage.path(), "::1")?;
        for option in ["", ",lzo"] {
            let hosts = format!("{}{option}", server.host());
            same(&folder, &local, kind, &hosts, Vec::new())?;
        }
    }
    Ok(())
}

fn slow_network(stage: &Stage) -> Result<(), Trouble> {
    let (folder, local) = small(stage)?;
    for kind in Kind::BOTH {
        let relay = Relay::to(stage.server(kind).address, Pace::Dribble)?;
        for option in ["", ",lzo"] {
            let hosts = format!("{}{option}", relay.address);
            same(&folder, &local, kind, &hosts, Vec::new())?;
        }
    }
    Ok(())
}

const ENDLESS: &str = include_str!("sources/endless.cc");
const ENDLESS_WORDS: &[&str] = &[
    "g++",
    "-fconstexpr-loop-limit=2147483647",
    "-fconstexpr-ops-limit=9223372036854775807",
    "-c",
    "a.cc",
    "-o",
    "a.o",
];
const COMPILER: &str = "cc1plus";

fn killed_client(stage: &Stage) -> Result<(), Trouble> {
    for kind in Kind::BOTH {
        let folder = stage.folder()?;
        fs::write(folder.join("a.cc"), ENDLESS)?;
        // One of its own, where no other compiler runs.
        let server = Server::start(kind, stage.path(), "127.0.0.1")?;
        let client = Client {
            folder: &folder,
            hosts: server.host(),
            environment: Vec::new(),
        };
        let mut command = client.command(ENDLESS_WORDS)?;
        let mut running = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let began = eventually(|| runs(server.pid, COMPILER));
        running.kill()?;
        running.wait()?;
        if !began {
            return Err(Trouble::Wrong(format!("{kind} starts no {COMPILER}")));
        }
        if !eventually(|| !runs(server.pid, COMPILER)) {
            return Err(Trouble::Wrong(format!("{COMPILER} of {kind} goes on")));
        }
    }
    Ok(())
}

pub(crate) fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Whether a program of this name runs among the descendants of `ancestor`.
fn runs(ancestor: u32, name: &str) -> bool {
    let processes = processes();
    let parents: HashMap<u32, u32> = processes
        .iter()
        .map(|(pid, parent, _)| (*pid, *parent))
        .collect();
    let descends = |mut pid: u32| loop {
        match parents.get(&pid) {
            Some(parent) if *parent == ancestor => return true,
            Some(parent) => pid = *parent,
            None => return false,
        }
    };
    processes
        .iter()
        .any(|(pid, _, program)| program == name && descends(*pid))
}

/// Number, parent and name of every process that has not ended, from `/proc/<pid>/stat`.
fn processes() -> Vec<(u32, u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let stats =
        entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    stats.filter_map(|stat| read_stat(&stat)).collect()
}

/// The second field is in parentheses and may contain anything.
fn read_stat(stat: &str) -> Option<(u32, u32, String)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (pid, name) = before.split_once(" (")?;
    let mut fields = after.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z").then_some((pid.parse().ok()?, parent, name.to_owned()))
}
