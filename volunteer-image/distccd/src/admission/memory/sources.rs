//! Where the kernel tells about memory: `/proc`, and the control group of this process in version 2 or 1.

use std::fs;
use std::path::{Path, PathBuf};

use super::Readings;

/// The files to read.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    proc: PathBuf,
    group: Option<Group>,
}

/// The control group that limits this process's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Group {
    Unified(PathBuf),
    Legacy(PathBuf),
}

impl Sources {
    /// This machine's.
    pub(crate) fn of_this_machine() -> Self {
        Self::below(Path::new("/"))
    }

    /// Those below `root`.
    pub(crate) fn below(root: &Path) -> Self {
        let proc = root.join("proc");
        let membership = fs::read_to_string(proc.join("self/cgroup")).unwrap_or_default();
        Self {
            group: group(&root.join("sys/fs/cgroup"), &membership),
            proc,
        }
    }

    /// Reads all of them.
    pub(super) fn read(&self) -> Readings {
        let machine = text(&self.proc.join("meminfo")).and_then(|text| machine_bytes(&text));
        let group = self.group.as_ref().and_then(Group::available_bytes);
        let mut readings = Readings {
            available_bytes: [machine, group].into_iter().flatten().min(),
            ..Readings::default()
        };
        let own = match &self.group {
            Some(Group::Unified(path)) => Some(path.join("memory.pressure")),
            _ => None,
        };
        for path in [Some(self.proc.join("pressure/memory")), own]
            .into_iter()
            .flatten()
        {
            let pressure = text(&path).unwrap_or_default();
            let worse =
                |old: f64, kind| old.max(stalled_percent(&pressure, kind).unwrap_or_default());
            readings.some_stalled_percent = worse(readings.some_stalled_percent, "some");
            readings.all_stalled_percent = worse(readings.all_stalled_percent, "full");
        }
        readings
    }

    /// How many processes of the control group the kernel has killed because memory ran out.
    pub(super) fn kills(&self) -> Option<u64> {
        let path = match self.group.as_ref()? {
            Group::Unified(path) => path.join("memory.events"),
            Group::Legacy(path) => path.join("memory.oom_control"),
        };
        field(&text(&path)?, "oom_kill")
    }
}

impl Group {
    /// What the group may still take; nothing if it is not limited. Cached files that nobody uses are no obstacle.
    fn available_bytes(&self) -> Option<u64> {
        let (path, limit, usage, idle_files) = match self {
            Self::Unified(path) => (path, "memory.max", "memory.current", "inactive_file"),
            Self::Legacy(path) => (
                path,
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            ),
        };
        let number = |name| text(&path.join(name))?.trim().parse::<u64>().ok();
        let idle = text(&path.join("memory.stat")).and_then(|text| field(&text, idle_files));
        let used = number(usage)?.saturating_sub(idle.unwrap_or_default());
        Some(number(limit)?.saturating_sub(used))
    }
}

/// Finds the group by the lines of `/proc/self/cgroup`. Inside a container its own group may be all that is mounted.
fn group(mount: &Path, membership: &str) -> Option<Group> {
    let path_of = |controller: &str| {
        membership.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let ours = controllers.split(',').any(|name| name == controller);
            ours.then(|| path.trim_start_matches('/'))
        })
    };
    let inside = |mount: PathBuf, path: &str, file: &str| {
        let candidates = [mount.join(path), mount];
        candidates
            .into_iter()
            .find(|candidate| candidate.join(file).exists())
    };
    let legacy = path_of("memory")
        .and_then(|path| inside(mount.join("memory"), path, "memory.limit_in_bytes"))
        .map(Group::Legacy);
    let unified = || inside(mount.to_owned(), path_of("")?, "memory.max").map(Group::Unified);
    legacy.or_else(unified)
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines.find(|(key, _)| *key == name)?;
    value.trim().parse().ok()
}

/// What a machine with this `/proc/meminfo` has left.
pub(crate) fn machine_bytes(meminfo: &str) -> Option<u64> {
    let kib = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = kib.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Reads `some avg10=1.23 avg60=…`.
fn stalled_percent(pressure: &str, kind: &str) -> Option<f64> {
    let line = pressure.lines().find_map(|line| line.strip_prefix(kind))?;
    let mut values = line.split_whitespace();
    values
        .find_map(|value| value.strip_prefix("avg10="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine of these files.
    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let sources = Sources::below(root.path());
        (root, sources)
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal: 16 kB\nMemAvailable:   1000 kB\n");
    const STAT: &str = "anon 5\ninactive_file 300\ntotal_inactive_file 200\n";

    fn read(files: &[(&str, &str)]) -> (Option<u64>, f64, f64) {
        let (_root, sources) = machine(files);
        let readings = sources.read();
        (
            readings.available_bytes,
            readings.some_stalled_percent,
            readings.all_stalled_percent,
        )
    }

    #[test]
    fn a_machine_that_tells_nothing_holds_nothing_back() {
        assert_eq!(read(&[]), (None, 0.0, 0.0));
        assert!(machine(&[]).1.read().allow(u64::MAX / 2));
        assert_eq!(machine(&[]).1.kills(), None);
    }

    #[test]
    fn the_least_that_is_left_counts_in_either_version_of_control_groups() {
        let unified = |limit| {
            [
                MEMINFO,
                ("proc/self/cgroup", "0::/farm/one\n"),
                ("sys/fs/cgroup/farm/one/memory.max", limit),
                ("sys/fs/cgroup/farm/one/memory.current", "700\n"),
                ("sys/fs/cgroup/farm/one/memory.stat", STAT),
            ]
        };
        assert_eq!(read(&unified("1000\n")).0, Some(600));
        assert_eq!(read(&unified("max\n")).0, Some(1_024_000));
        assert_eq!(read(&unified("100\n")).0, Some(0));
        let legacy = [
            MEMINFO,
            (
                "proc/self/cgroup",
                "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "700\n"),
            ("sys/fs/cgroup/memory/memory.stat", STAT),
        ];
        assert_eq!(read(&legacy).0, Some(500));
    }

    #[test]
    fn the_worse_of_the_machines_and_the_groups_pressure_counts() {
        let pressure = |some, full| {
            format!(
                "some avg10={some} avg60=9.00 avg300=9.00 total=1\nfull avg10={full} avg60=9.00 avg300=9.00 total=1\n"
            )
        };
        let (machine, group) = (pressure("1.50", "0.25"), pressure("0.50", "0.75"));
        let files = [
            ("proc/self/cgroup", "0::/\n"),
            ("proc/pressure/memory", machine.as_str()),
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/memory.pressure", group.as_str()),
        ];
        assert_eq!(read(&files), (None, 1.5, 0.75));
    }

    #[test]
    fn kills_are_counted_in_either_version() {
        let unified = [
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "max\n"),
            (
                "sys/fs/cgroup/memory.events",
                "oom 9\noom_kill 2\noom_group_kill 0\n",
            ),
        ];
        assert_eq!(machine(&unified).1.kills(), Some(2));
        let legacy = [
            ("proc/self/cgroup", "4:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n"),
            (
                "sys/fs/cgroup/memory/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
            ),
        ];
        assert_eq!(machine(&legacy).1.kills(), Some(3));
    }
}
