//! Whether memory is short, so that a new compile should wait instead of making the kernel kill one.
//!
//! [`sources`] reads what the kernel tells, [`Readings::allow`] judges it, [`experience`] knows which jobs are heavy.

mod experience;
mod sources;

use std::time::Duration;

use tokio::time::Instant;

pub(crate) use experience::{Expected, Experience};
pub(crate) use sources::{Sources, machine_bytes};

/// What the kernel tells about memory. What it does not tell is no reason to wait.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Readings {
    /// What may still be used, in bytes: the least of what the machine has left and what the control group may take.
    pub(crate) available_bytes: Option<u64>,
    /// Part of the last ten seconds, in percent, in which some process waited for memory.
    pub(crate) some_stalled_percent: f64,
    /// The same for all processes at once.
    pub(crate) all_stalled_percent: f64,
}

/// From here on new compiles wait: processes already wait for memory for a fifth of the time.
const SOME_STALLED_PERCENT: f64 = 20.0;
/// The same for moments in which nothing goes on at all.
const ALL_STALLED_PERCENT: f64 = 5.0;
/// Kept free in any case: sources arrive in memory, too.
const RESERVE_BYTES: u64 = 64 << 20;

impl Readings {
    /// Whether a compile may start beside others, if it and those that still grow need `growth_bytes` more.
    pub(crate) fn allow(&self, growth_bytes: u64) -> bool {
        let stalled = self.some_stalled_percent >= SOME_STALLED_PERCENT
            || self.all_stalled_percent >= ALL_STALLED_PERCENT;
        let needed = growth_bytes.saturating_add(RESERVE_BYTES);
        !stalled
            && self
                .available_bytes
                .is_none_or(|available| available >= needed)
    }
}

/// How long readings are good for.
pub(crate) const READINGS_AGE: Duration = Duration::from_millis(200);

/// Readings that are taken when somebody asks, and not too often.
#[derive(Debug)]
pub(crate) struct Gauge {
    sources: Sources,
    last: Option<(Instant, Readings)>,
    kills: Option<u64>,
}

impl Gauge {
    pub(crate) fn new(sources: Sources) -> Self {
        Self {
            kills: sources.kills(),
            last: None,
            sources,
        }
    }

    /// Readings that are not older than [`READINGS_AGE`].
    pub(crate) fn read(&mut self, now: Instant) -> Readings {
        if let Some((taken, readings)) = self.last
            && now.saturating_duration_since(taken) < READINGS_AGE
        {
            return readings;
        }
        let readings = self.sources.read();
        self.last = Some((now, readings));
        readings
    }

    /// Whether the kernel has killed a process of this control group for memory since this was asked last.
    pub(crate) fn has_killed(&mut self) -> bool {
        let kills = self.sources.kills();
        let grown = kills > self.kills;
        self.kills = kills;
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_compile_waits_for_room_and_for_calm() {
        let cases = [
            (None, 0.0, 0.0, 500, true),
            (Some(600), 0.0, 0.0, 500, true),
            (Some(564), 0.0, 0.0, 500, true),
            (Some(563), 0.0, 0.0, 500, false),
            (Some(10_000), 19.9, 4.9, 500, true),
            (Some(10_000), 20.0, 0.0, 500, false),
            (None, 0.0, 5.0, 500, false),
            (Some(64), 0.0, 0.0, 0, true),
        ];
        for (available, some, all, growth, expected) in cases {
            let readings = Readings {
                available_bytes: available.map(|available| available * MIB),
                some_stalled_percent: some,
                all_stalled_percent: all,
            };
            assert_eq!(readings.allow(growth * MIB), expected, "{readings:?}");
        }
    }

    #[test]
    fn readings_are_taken_again_only_when_they_are_old() {
        let root = tempfile::tempdir().unwrap();
        let mut gauge = Gauge::new(Sources::below(root.path()));
        let start = Instant::now();
        assert_eq!(gauge.read(start).available_bytes, None);
        std::fs::create_dir(root.path().join("proc")).unwrap();
        std::fs::write(root.path().join("proc/meminfo"), "MemAvailable: 8 kB\n").unwrap();
        assert_eq!(gauge.read(start + READINGS_AGE / 2).available_bytes, None);
        assert_eq!(gauge.read(start + READINGS_AGE).available_bytes, Some(8192));
    }

    #[test]
    fn a_kill_is_told_once() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/self/cgroup", "0::/\n");
        write("sys/fs/cgroup/memory.max", "max\n");
        write("sys/fs/cgroup/memory.events", "oom_kill 4\n");
        let mut gauge = Gauge::new(Sources::below(root.path()));
        assert!(!gauge.has_killed());
        write("sys/fs/cgroup/memory.events", "oom_kill 5\n");
        assert!(gauge.has_killed());
        assert!(!gauge.has_killed());
    }
}
