//! How much memory a daemon takes, with nothing to do and with many clients that upload at once.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;

use anyhow::{Context, Result, ensure};
use distcc_wire::Version;

use crate::compilers::Compilers;
use crate::daemon::{Daemon, Kind, Setup};
use crate::exchange::{Prepared, Verdict, connect, read_reply};
use crate::processes::{status_bytes, tree, wait_for_all};
use crate::source::Source;

/// Resident memory of a daemon and of its workers, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Before the first job.
    pub idle_bytes: u64,
    /// The most of each of its processes while clients uploaded in version 1.
    pub plain_peak_bytes: u64,
    /// The same in version 2.
    pub lzo_peak_bytes: u64,
}

/// Clients that upload at once.
const CLIENTS: usize = 64;
/// What each of them uploads, decompressed.
const SOURCE_BYTES: usize = 8 << 20;

impl Footprint {
    /// Measures a daemon.
    ///
    /// # Errors
    /// It does not start, or an upload fails.
    pub fn measure(setup: &Setup, kind: Kind, compilers: &Compilers) -> Result<Self> {
        let (idle_bytes, plain_peak_bytes) = peak(setup, kind, compilers, Version::Plain)?;
        let (_, lzo_peak_bytes) = peak(setup, kind, compilers, Version::Lzo)?;
        Ok(Self {
            idle_bytes,
            plain_peak_bytes,
            lzo_peak_bytes,
        })
    }
}

fn peak(setup: &Setup, kind: Kind, compilers: &Compilers, version: Version) -> Result<(u64, u64)> {
    let daemon = Daemon::start(setup, kind, compilers)?;
    let idle = resident(&daemon, "VmRSS");
    let request = Prepared::new(
        &Source::large()?
            .repeated(SOURCE_BYTES)
            .request(version, &[]),
    )?;
    upload(daemon.address(), &request, kind)?;
    let peak = resident(&daemon, "VmHWM");
    daemon.end()?;
    wait_for_all()?;
    Ok((idle, peak))
}

/// Of all its processes together.
fn resident(daemon: &Daemon, field: &str) -> u64 {
    let processes = tree(daemon.pid());
    processes
        .into_iter()
        .map(|pid| status_bytes(pid, field))
        .sum()
}

/// All clients are in the middle of their uploads before any of them goes on, where the daemon serves so many.
fn upload(address: SocketAddr, request: &Prepared, kind: Kind) -> Result<()> {
    let middle = Barrier::new(match kind {
        Kind::Ours | Kind::BehindDoor => CLIENTS,
        // It accepts as many as it compiles; the others wait in the kernel.
        Kind::Stock => 1,
    });
    let verdicts: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| upload_one(address, request, &middle)))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("no client panics"))
            .collect()
    });
    for verdict in verdicts {
        ensure!(verdict? == Verdict::Compiled, "an upload gave no object");
    }
    Ok(())
}

fn upload_one(address: SocketAddr, request: &Prepared, middle: &Barrier) -> Result<Verdict> {
    let (first, second) = request.bytes().split_at(request.bytes().len() / 2);
    // Whoever fails must not keep the others waiting.
    let begun = connect(address).and_then(|mut stream| {
        stream.write_all(first)?;
        Ok(stream)
    });
    middle.wait();
    let mut stream = begun.context("cannot begin an upload")?;
    stream
        .write_all(second)
        .context("cannot finish an upload")?;
    let mut reply = Vec::new();
    read_reply(stream, &mut reply).context("no reply to an upload")?;
    Ok(request.verdict(&reply))
}
