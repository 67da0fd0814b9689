//! The compiler without any daemon, on the same source with the same words.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::Result;

use crate::compilers::Compilers;
use crate::load::{Done, Load};
use crate::source::Source;

/// Compiles a C++ `source` as often as `load` says, with as many compilers at once as it has clients.
///
/// # Errors
/// No files can be made in `folder`.
pub fn run(load: Load, source: &Source, compilers: &Compilers, folder: &Path) -> Result<Done> {
    let folder = tempfile::tempdir_in(folder)?;
    let taken = AtomicUsize::new(0);
    let begun = Instant::now();
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (0..load.connections)
            .map(|worker| {
                let own = folder.path().join(worker.to_string());
                let taken = &taken;
                scope.spawn(move || compile_in_turn(load.jobs, taken, source, compilers, &own))
            })
            .collect();
        let results = workers
            .into_iter()
            .map(|worker| worker.join().expect("no worker panics"));
        results.collect::<Result<Vec<_>>>()
    })?;
    let mut all = Done::default();
    for part in done {
        all.latencies.extend(part.latencies);
        all.failed += part.failed;
    }
    all.wall = begun.elapsed();
    all.latencies.sort_unstable();
    Ok(all)
}

fn compile_in_turn(
    jobs: usize,
    taken: &AtomicUsize,
    source: &Source,
    compilers: &Compilers,
    own: &Path,
) -> Result<Done> {
    fs::create_dir(own)?;
    let mut done = Done::default();
    while taken.fetch_add(1, Ordering::Relaxed) < jobs {
        let begun = Instant::now();
        // A daemon has to write the source, too.
        fs::write(own.join(source.name()), &source.text)?;
        if compile(source, compilers, own)? {
            done.latencies.push(begun.elapsed());
        } else {
            done.failed += 1;
        }
    }
    Ok(done)
}

fn compile(source: &Source, compilers: &Compilers, own: &Path) -> Result<bool> {
    let status = Command::new(compilers.gxx())
        .args(source.options())
        .args([
            "-c",
            "-x",
            "c++-cpp-output",
            source.name(),
            "-o",
            "object.o",
        ])
        .current_dir(own)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TMPDIR", own)
        .stdin(Stdio::null())
        .status()?;
    Ok(status.success())
}
