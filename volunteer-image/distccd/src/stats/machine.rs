//! What the kernel tells about this machine, read when somebody asks.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::admission;

/// Load averages and the number of runnable tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub(super) runnable: i64,
    pub(super) averages: [f64; 3],
}

impl Load {
    /// What the stock daemon tells where the kernel does not.
    pub(super) const UNKNOWN: Self = Self {
        runnable: -1,
        averages: [-1.0; 3],
    };

    pub(super) fn read() -> Self {
        let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self::parse(&text).unwrap_or(Self::UNKNOWN)
    }

    /// Reads `0.00 0.01 0.05 1/123 456`.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut average = || words.next()?.parse().ok();
        let averages = [average()?, average()?, average()?];
        let (runnable, _) = words.next()?.split_once('/')?;
        Some(Self {
            runnable: runnable.parse().ok()?,
            averages,
        })
    }
}

/// What stands out among all processes that can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Processes {
    /// How many wait for a disk, and cannot be interrupted.
    pub(super) in_disk_sleep: usize,
    pub(super) largest_kib: u64,
    /// In parentheses.
    pub(super) largest_name: String,
}

impl Processes {
    /// Where nothing can be seen.
    pub(super) const NONE: Self = Self {
        in_disk_sleep: 0,
        largest_kib: 0,
        largest_name: String::new(),
    };

    pub(super) fn read() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter(|entry| {
            let name = entry.file_name();
            name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
        });
        Self::among(
            processes.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok()),
        )
    }

    fn among(statuses: impl Iterator<Item = String>) -> Self {
        let mut found = Self::NONE;
        for status in statuses {
            let state = field(&status, "State:").unwrap_or_default();
            found.in_disk_sleep += usize::from(state.starts_with('D'));
            let kib = kibibytes(&status, "VmRSS:").unwrap_or_default();
            if kib > found.largest_kib {
                found.largest_kib = kib;
                found.largest_name = format!("({})", field(&status, "Name:").unwrap_or_default());
            }
        }
        found
    }
}

/// A value of `/proc/PID/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    field(status, name)?
        .trim_end_matches("kB")
        .trim()
        .parse()
        .ok()
}

/// Sectors read and written per second on the disks `hda` and `sda`.
#[derive(Debug, Default)]
pub(super) struct DiskRate(Mutex<Option<Sample>>);

#[derive(Debug, Clone, Copy)]
struct Sample {
    taken: Instant,
    sectors: u64,
    per_second: Option<u64>,
}

/// A rate is told from samples at least so far apart, as the stock daemon's are.
const SAMPLES_APART: Duration = Duration::from_secs(50);

impl DiskRate {
    /// `None` until enough time has passed since this was first asked.
    pub(super) fn read(&self) -> Option<u64> {
        let text = fs::read_to_string("/proc/diskstats").unwrap_or_default();
        self.sample(Instant::now(), sectors(&text))
    }

    fn sample(&self, taken: Instant, sectors: u64) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sample) = *last else {
            *last = Some(Sample {
                taken,
                sectors,
                per_second: None,
            });
            return None;
        };
        let apart = taken.saturating_duration_since(sample.taken);
        if apart < SAMPLES_APART {
            return sample.per_second;
        }
        let per_second = Some(sectors.saturating_sub(sample.sectors) / apart.as_secs());
        *last = Some(Sample {
            taken,
            sectors,
            per_second,
        });
        per_second
    }
}

/// Reads `8 0 sda READS MERGED SECTORS TIME WRITES MERGED SECTORS …`.
fn sectors(diskstats: &str) -> u64 {
    let of_disk = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let ours = matches!(fields.get(2), Some(&("hda" | "sda")));
        let number = |position: usize| fields.get(position)?.parse::<u64>().ok();
        ours.then(|| number(5).unwrap_or_default() + number(9).unwrap_or_default())
    };
    diskstats.lines().filter_map(of_disk).sum()
}

/// Bytes that are free where `path` is, for who is not root.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Memory that can still be used on this machine.
pub(super) fn free_memory_bytes() -> Option<u64> {
    admission::machine_bytes(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// The largest resident set, so far, of a process and of what it has started, in bytes.
pub(super) fn peak_bytes(pid: i32) -> Option<u64> {
    let own = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let own = kibibytes(&own, "VmHWM:");
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|child| peak_bytes(child.parse().ok()?));
    children.chain(own.map(|kib| kib * 1024)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_told_as_the_kernel_tells_it() {
        let load = Load::parse("1.99 2.01 1.26 2/345 6789\n").unwrap();
        assert_eq!((load.runnable, load.averages), (2, [1.99, 2.01, 1.26]));
        assert_eq!(Load::parse("nothing"), None);
    }

    #[test]
    fn the_largest_process_and_those_that_wait_for_a_disk_are_found() {
        let status = |name, state, kib| {
            format!("Name:\t{name}\nState:\t{state} (so)\nVmRSS:\t{kib:>8} kB\n")
        };
        let kernel = "Name:\tkthreadd\nState:\tS (sleeping)\n".to_owned();
        let statuses = [
            status("cc1", "D", 40),
            kernel,
            status("dockerd", "S", 120),
            status("sh", "R", 80),
        ];
        let found = Processes::among(statuses.into_iter());
        assert_eq!(found.in_disk_sleep, 1);
        assert_eq!(
            (found.largest_kib, found.largest_name.as_str()),
            (120, "(dockerd)")
        );
        assert!(
            Processes::read().largest_kib > 0,
            "this process is one of them"
        );
    }

    #[test]
    fn a_disk_rate_needs_two_samples_and_time_between_them() {
        let text = "8 0 sda 1 0 1000 0 1 0 500 0\n8 1 sda1 1 0 9999 0 1 0 9999 0\n";
        assert_eq!(sectors(text), 1500);
        let (rate, start) = (DiskRate::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(rate.sample(start, 1000), None);
        assert_eq!(rate.sample(after(49), 9000), None);
        assert_eq!(rate.sample(after(100), 2000), Some(10));
        assert_eq!(rate.sample(after(101), 9000), Some(10));
    }

    #[test]
    fn the_peak_of_a_process_includes_what_it_has_started() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(peak_bytes(own).unwrap() > 100_000);
        assert_eq!(peak_bytes(-1), None);
    }
}
