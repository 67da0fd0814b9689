//! Which processes belong to an engine.

use std::fs;
use std::path::Path;

/// What an engine consists of, besides its containers.
pub(super) const PROGRAMS: [&str; 7] = [
    "docker-registry",
    "nsenter",
    "dockerd",
    "containerd",
    "containerd-shim-runc-v2",
    "docker-proxy",
    "fuse-overlayfs",
];

/// What the kernel tells of a process.
pub(super) struct Process {
    pub(super) command: Vec<String>,
    pub(super) groups: String,
}

impl Process {
    pub(super) fn read(pid: u32) -> Self {
        let read = |file: &str| {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self {
            command: read("cmdline").split('\0').map(str::to_owned).collect(),
            groups: read("cgroup"),
        }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        let program = self.command.first().map(Path::new);
        program
            .and_then(Path::file_name)
            .is_some_and(|file| file == name)
    }

    pub(super) fn names(&self, folder: &Path) -> bool {
        let folder = folder.to_string_lossy();
        self.command.iter().any(|word| word.contains(&*folder))
    }
}
