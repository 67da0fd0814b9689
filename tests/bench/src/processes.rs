//! What processes use and leave, as the kernel tells it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use rustix::io::Errno;
use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};

/// From now on descendants of this process whose parents end become its children, so that it can wait for them.
///
/// # Errors
/// The kernel cannot do it.
pub fn adopt_orphans() -> Result<()> {
    set_child_subreaper(Some(getpid())).context("cannot adopt orphans")
}

/// Waits for every child of this process, however they came to be its children.
///
/// # Errors
/// Never but for a fault of this program.
pub fn wait_for_all() -> Result<()> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error).context("cannot wait for a daemon"),
        }
    }
}

/// Processor time, user's and system's, of all children waited for, and of all that they waited for.
///
/// # Errors
/// Never but for a fault of this program.
pub fn cpu_of_ended_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros(time.num_microseconds().unsigned_abs())
}

/// The process and all of its descendants, those included that have ended and not been waited for.
pub fn tree(root: u32) -> Vec<u32> {
    let all = all_with_parents();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        let children = all.iter().filter(|(_, its)| *its == parent);
        tree.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    tree
}

fn all_with_parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

/// A field of `/proc/PID/status` in bytes, `VmRSS` or `VmHWM` for instance; nothing of a process that has ended.
pub fn status_bytes(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    kibibytes
        .and_then(|number| number.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}

/// How many descriptors a process has open.
///
/// # Errors
/// It has ended.
pub fn descriptors(pid: u32) -> Result<usize> {
    entries(Path::new(&format!("/proc/{pid}/fd")))
}

/// How many files and directories are below a directory.
///
/// # Errors
/// It is not there. What vanishes meanwhile is not counted.
pub fn entries(directory: &Path) -> Result<usize> {
    let entries = fs::read_dir(directory);
    let entries = entries.with_context(|| format!("cannot read {}", directory.display()))?;
    let below = entries.flatten().map(|entry| {
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        1 + Some(entry.path())
            .filter(|_| directory)
            .and_then(|path| self::entries(&path).ok())
            .unwrap_or_default()
    });
    Ok(below.sum())
}

/// The machine's load average of the last minute.
pub fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first
        .and_then(|first| first.parse().ok())
        .unwrap_or_default()
}
