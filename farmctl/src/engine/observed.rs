//! What runs on an engine, as plain values.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::farm::{Fingerprint, GccMajor, ImageTag, Slots, TargetName, VolunteerSpec};

/// One snapshot of an engine, as far as one farm is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The farm's containers, ordered by name. More than one may claim the same target.
    pub volunteers: Vec<LiveVolunteer>,
    /// The farm's networks.
    pub networks: Vec<LiveNetwork>,
    /// Volunteer images that the engine has, with their size in bytes, layers shared with others included.
    pub images: BTreeMap<ImageTag, u64>,
    /// Ports that strangers' running containers have published.
    pub taken_ports: Vec<PortHolder>,
    /// Names of containers that are not this farm's.
    pub taken_names: Vec<String>,
}

/// A container that carries the farm's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveVolunteer {
    /// The engine's id.
    pub id: String,
    /// The container's name.
    pub name: String,
    /// What it compiles for, if its label can be read.
    pub target: Option<TargetName>,
    /// What it was made from, if its label can be read.
    pub fingerprint: Option<Fingerprint>,
    /// The image it runs.
    pub image: ImageTag,
    /// The port it publishes, while it runs.
    pub port: Option<u16>,
    /// The host address on which it is published, while it runs.
    pub publish: Option<IpAddr>,
    /// Jobs at once, if its label can be read.
    pub slots: Option<Slots>,
    /// GCC versions, if its label can be read.
    pub gcc: Vec<GccMajor>,
    /// Whether it runs.
    pub state: LiveState,
    /// What its own health check says.
    pub health: Health,
    /// How long ago it was made.
    pub age: Duration,
}

impl LiveVolunteer {
    /// What a container that was just made from `spec` looks like.
    pub fn running(spec: &VolunteerSpec, id: String) -> Self {
        Self {
            id,
            name: spec.container_name(),
            target: Some(spec.target.clone()),
            fingerprint: Some(spec.fingerprint()),
            image: spec.image.clone(),
            port: Some(spec.port.number()),
            publish: Some(spec.publish),
            slots: Some(spec.slots),
            gcc: spec.gcc.clone(),
            state: LiveState::Running,
            health: Health::Healthy,
            age: Duration::ZERO,
        }
    }
}

/// Whether a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveState {
    /// Made but never started.
    Created,
    /// Runs.
    Running,
    /// Frozen by the engine.
    Paused,
    /// Ended and is being started again by the engine.
    Restarting,
    /// Ended.
    Exited,
    /// Half removed: the engine will only remove it.
    Dead,
}

impl LiveState {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

/// What a container's own health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The check compiled, and the object was right.
    Healthy,
    /// The check failed several times in a row.
    Unhealthy,
    /// The check has not finished yet.
    Starting,
    /// The container does not run, or has no check.
    Unknown,
}

impl Health {
    /// The engine's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Starting => "starting",
            Self::Unknown => "-",
        }
    }
}

/// A network that carries the farm's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNetwork {
    /// The engine's id.
    pub id: String,
    /// The network's name.
    pub name: String,
}

/// A stranger's container that has published a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHolder {
    /// The published port.
    pub port: u16,
    /// The host address; unspecified means all of them.
    pub address: IpAddr,
    /// The container's name.
    pub container: String,
}
