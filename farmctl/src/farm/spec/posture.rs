//! How every container of a farm is locked in: not root, nothing writable but bounded memory, no capability, no way to
//! gain one, limits on everything.

use std::collections::{BTreeMap, BTreeSet};

use super::{Attachment, ImageTag, Shape};
use crate::farm::Restart;

/// Nobody: neither door nor volunteer needs rights. Also the owner of the doors' directories.
const USER: &str = "65532:65532";
const DAEMON: &str = "/usr/bin/distccd";
const ENVIRONMENT: &str = "PATH=/usr/bin";

/// Positive values make the kernel prefer a container to anything else on the machine when memory runs out.
const OOM_SCORE_ADJUSTMENT: i64 = 500;

/// What doors and volunteers have in common; everything else is nothing.
pub(super) fn locked_in(image: ImageTag) -> Shape {
    Shape {
        image,
        entrypoint: vec![DAEMON.to_owned()],
        command: Vec::new(),
        user: USER.to_owned(),
        working_directory: "/".to_owned(),
        hostname: None,
        environment: BTreeSet::from([ENVIRONMENT.to_owned()]),
        labels: BTreeMap::new(),
        network: Attachment::Nothing,
        ports: BTreeMap::new(),
        mounts: BTreeMap::new(),
        memory: 0,
        memory_swap: 0,
        nano_cpus: 0,
        processes: 0,
        oom_score_adjustment: OOM_SCORE_ADJUSTMENT,
        // A core file would be as large as the compiler that left it.
        ulimits: BTreeMap::from([("core".to_owned(), (0, 0))]),
        restart: Restart::default(),
        read_only: true,
        tmpfs: BTreeMap::new(),
        dropped_capabilities: BTreeSet::from(["ALL".to_owned()]),
        security: BTreeSet::from(["no-new-privileges".to_owned()]),
        stop_seconds: 0,
        health: None,
        log: bounded_log(),
        foreign: BTreeSet::new(),
    }
}

/// A volunteer writes a line for every job; without a bound that fills the disk in time.
fn bounded_log() -> (String, BTreeMap<String, String>) {
    let options = [("max-size", "10m"), ("max-file", "3")];
    let options = options.map(|(key, value)| (key.to_owned(), value.to_owned()));
    ("json-file".to_owned(), options.into())
}
