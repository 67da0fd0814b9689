//! Everything a container is made of, as plain values: what farmctl asks an engine for, and what an engine shows of a
//! container that is there. A container has drifted wherever the two differ.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Fingerprint, ImageTag, labels};
use crate::farm::Restart;

/// A container, apart from its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// The image it is made of.
    pub image: ImageTag,
    /// Its program.
    pub entrypoint: Vec<String>,
    /// Its program's arguments.
    pub command: Vec<String>,
    /// User and group of its processes.
    pub user: String,
    /// Where its program starts.
    pub working_directory: String,
    /// Its own name for itself; `None` leaves that to the engine.
    pub hostname: Option<String>,
    /// Environment variables, each as `NAME=value`.
    pub environment: BTreeSet<String>,
    /// Labels, farmctl's own and the user's.
    pub labels: BTreeMap<String, String>,
    /// The network it is in.
    pub network: Attachment,
    /// The container's ports, as `3632/tcp`, and the host's addresses that each is published on.
    pub ports: BTreeMap<String, BTreeSet<SocketAddr>>,
    /// What is mounted, by the place in the container.
    pub mounts: BTreeMap<String, Mount>,
    /// Memory in bytes; 0 is no limit.
    pub memory: i64,
    /// Memory and swap together, in bytes; -1 is no limit.
    pub memory_swap: i64,
    /// Processor time in billionths of a processor; 0 is no limit.
    pub nano_cpus: i64,
    /// Processes and threads; 0 is no limit.
    pub processes: i64,
    /// Added to what the kernel thinks of it when memory runs out.
    pub oom_score_adjustment: i64,
    /// Limits of every process, soft and hard.
    pub ulimits: BTreeMap<String, (i64, i64)>,
    /// When the engine starts it again.
    pub restart: Restart,
    /// Whether its root file system cannot be written to.
    pub read_only: bool,
    /// Memory file systems, by the place in the container, with their options.
    pub tmpfs: BTreeMap<String, BTreeSet<String>>,
    /// Capabilities that it does not have.
    pub dropped_capabilities: BTreeSet<String>,
    /// Security options.
    pub security: BTreeSet<String>,
    /// Seconds between the request to stop and the end.
    pub stop_seconds: i64,
    /// How the engine finds out whether it is well.
    pub health: Option<HealthCheck>,
    /// Where the engine keeps what it writes, with the driver's options.
    pub log: (String, BTreeMap<String, String>),
    /// Options that farmctl never uses and that are set all the same, by their names.
    pub foreign: BTreeSet<String>,
}

/// A container's network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Attachment {
    /// Its own loopback and nothing else.
    Nothing,
    /// The host's.
    Host,
    /// This one.
    Network(String),
    /// Something that farmctl never asks for: none of the above, or several.
    Other(String),
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The volume's name, or for anything else the kind and the path.
    pub source: String,
    /// Whether it cannot be written to.
    pub read_only: bool,
}

/// A check that the engine makes from time to time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// `CMD` and the command.
    pub test: Vec<String>,
    /// Nanoseconds between two checks.
    pub interval: i64,
    /// Nanoseconds that a check may take.
    pub timeout: i64,
    /// Failures in a row that make it unhealthy.
    pub retries: i64,
}

impl Shape {
    /// The same with what farmctl adds to a shape: the hash of all the rest, by which a container knows what it was made
    /// from.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.labels.remove(labels::FINGERPRINT);
        let text = serde_json::to_vec(&self).unwrap_or_default();
        let fingerprint = hex::encode(&Sha256::digest(text)[..16]);
        self.labels
            .insert(labels::FINGERPRINT.to_owned(), fingerprint);
        self
    }

    /// The hash of all the rest, if it is sealed.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.labels
            .get(labels::FINGERPRINT)
            .map(Fingerprint::from_label)
    }

    /// The names of the options in which `observed` is not as wanted here, fingerprints left aside; `inherited` are the
    /// labels that come with its image, which no container can be without.
    pub fn differences(
        &self,
        observed: &Self,
        inherited: &BTreeMap<String, String>,
    ) -> Vec<String> {
        // Taken apart without `..`, so that a new field cannot be forgotten here.
        let Self {
            image,
            entrypoint,
            command,
            user,
            working_directory,
            hostname,
            environment,
            labels,
            network,
            ports,
            mounts,
            memory,
            memory_swap,
            nano_cpus,
            processes,
            oom_score_adjustment,
            ulimits,
            restart,
            read_only,
            tmpfs,
            dropped_capabilities,
            security,
            stop_seconds,
            health,
            log,
            foreign,
        } = self;
        let same_hostname = hostname.is_none() || *hostname == observed.hostname;
        // Engines add their own default limits to those that were asked for.
        let same_ulimits = ulimits
            .iter()
            .all(|(name, limit)| observed.ulimits.get(name) == Some(limit));
        let mut names: Vec<String> = [
            ("image", *image == observed.image),
            ("entrypoint", *entrypoint == observed.entrypoint),
            ("command", *command == observed.command),
            ("user", *user == observed.user),
            (
                "working directory",
                *working_directory == observed.working_directory,
            ),
            ("host name", same_hostname),
            ("environment", *environment == observed.environment),
            ("labels", same_labels(labels, &observed.labels, inherited)),
            ("network", *network == observed.network),
            ("ports", *ports == observed.ports),
            ("mounts", *mounts == observed.mounts),
            ("memory", *memory == observed.memory),
            ("swap", *memory_swap == observed.memory_swap),
            ("cpus", *nano_cpus == observed.nano_cpus),
            ("process limit", *processes == observed.processes),
            (
                "oom score",
                *oom_score_adjustment == observed.oom_score_adjustment,
            ),
            ("ulimits", same_ulimits),
            ("restart policy", *restart == observed.restart),
            ("read-only root", *read_only == observed.read_only),
            ("tmpfs", *tmpfs == observed.tmpfs),
            (
                "capabilities",
                *dropped_capabilities == observed.dropped_capabilities,
            ),
            ("security options", *security == observed.security),
            ("stop timeout", *stop_seconds == observed.stop_seconds),
            ("health check", *health == observed.health),
            ("log options", *log == observed.log),
        ]
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| name.to_owned())
        .collect();
        names.extend(observed.foreign.difference(foreign).cloned());
        names
    }
}

fn same_labels(
    wanted: &BTreeMap<String, String>,
    observed: &BTreeMap<String, String>,
    inherited: &BTreeMap<String, String>,
) -> bool {
    let wanted_are_there = wanted
        .iter()
        .filter(|(name, _)| *name != labels::FINGERPRINT)
        .all(|(name, value)| observed.get(name) == Some(value));
    let all_are_wanted = observed.iter().all(|(name, value)| {
        name == labels::FINGERPRINT
            || wanted.contains_key(name)
            || inherited.get(name) == Some(value)
    });
    wanted_are_there && all_are_wanted
}
