//! Clock, disks and kernel of this machine, and what starts at boot.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};

use super::super::{Fact, Unknown};

/// This machine.
#[derive(Debug, Clone)]
pub struct MachineFacts {
    /// Its kernel's release.
    pub kernel: Fact<String>,
    /// Whether the kernel has Landlock.
    pub landlock: Fact<bool>,
    /// Whether the kernel tells how short memory is.
    pub pressure: bool,
    /// Its clock.
    pub now: SystemTime,
    /// Where the engine keeps everything.
    pub engine_disk: Fact<Room>,
    /// Where downloads are kept.
    pub cache_disk: Fact<Room>,
    /// Whether the engine starts at boot.
    pub engine_at_boot: Fact<bool>,
    /// Whether the stock daemon starts at boot.
    pub stock_daemon_at_boot: bool,
}

/// Room on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// A folder on it.
    pub path: PathBuf,
    /// Bytes that this user may still write.
    pub free: u64,
}

/// Looks at this machine.
pub fn look(engine_root: Fact<PathBuf>, cache: Fact<PathBuf>) -> MachineFacts {
    MachineFacts {
        kernel: Ok(rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned()),
        landlock: Ok(has_landlock()),
        pressure: fs::read_to_string("/proc/pressure/memory").is_ok(),
        now: SystemTime::now(),
        engine_disk: engine_root.and_then(|path| room(&path)),
        cache_disk: cache.and_then(|path| room(&path)),
        engine_at_boot: at_boot(Path::new("/"), &["docker.service", "docker.socket"]),
        stock_daemon_at_boot: at_boot(Path::new("/"), &["distcc.service", "distccd.service"])
            .unwrap_or(false),
    }
}

/// Making a set of rules changes nothing until it is imposed on somebody, which this does not do.
fn has_landlock() -> bool {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1));
    rules.and_then(Ruleset::create).is_ok()
}

/// Free room at `path`, or where it will be made.
fn room(path: &Path) -> Fact<Room> {
    let existing = path
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(path);
    let disk = rustix::fs::statvfs(existing)
        .map_err(|error| Unknown(format!("{}: {error}", existing.display())))?;
    Ok(Room {
        path: path.to_owned(),
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
    })
}

/// Whether one of `units` is enabled, by the links that systemd makes; only for systems that it runs.
fn at_boot(root: &Path, units: &[&str]) -> Fact<bool> {
    let enabled = root.join("etc/systemd/system");
    if !root.join("run/systemd/system").is_dir() {
        return Err(Unknown("systemd does not run here".to_owned()));
    }
    let is_enabled = |unit: &&str| {
        ["multi-user.target.wants", "sockets.target.wants"]
            .iter()
            .any(|wants| enabled.join(wants).join(unit).symlink_metadata().is_ok())
    };
    Ok(units.iter().any(is_enabled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_will_be_made_has_the_room_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let later = folder.path().join("not/yet");
        let room = room(&later).unwrap();
        assert_eq!(room.path, later);
        assert!(room.free > 0);
    }

    #[test]
    fn units_are_enabled_by_links() {
        let root = tempfile::tempdir().unwrap();
        let units = ["docker.service"];
        assert!(at_boot(root.path(), &units).is_err());
        fs::create_dir_all(root.path().join("run/systemd/system")).unwrap();
        assert_eq!(at_boot(root.path(), &units), Ok(false));
        let wants = root
            .path()
            .join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        std::os::unix::fs::symlink(
            "/lib/systemd/system/docker.service",
            wants.join("docker.service"),
        )
        .unwrap();
        assert_eq!(at_boot(root.path(), &units), Ok(true));
    }
}
