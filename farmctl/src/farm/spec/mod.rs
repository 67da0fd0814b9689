//! The containers of one target, down to everything that must cause them to be replaced.
//!
//! A [`VolunteerSpec`] is what was decided for a target on a host, a [`DoorSpec`] the part of it that its door needs; each
//! gives the [`Shape`] of its container.

mod alone;
mod door;
pub mod labels;
mod posture;
mod service;
mod shape;
mod volunteer;

use std::fmt;

use serde::Serialize;

pub use door::{DOOR_DIRECTORY, DoorSpec, door_name, network_name, volume_name, volume_options};
pub use service::{
    LeftToNodes, ServicePowers, ServiceShape, ServiceSpec, UpdateOrder, inside_network_name,
    service_health,
};
pub use shape::{Attachment, HealthCheck, Mount, Shape};
pub use volunteer::{VolunteerSpec, probe_command};

use super::Stats;

/// What the names of all assembled images begin with.
pub const REPOSITORIES: &str = "farmctl/";

/// A tag of an assembled image, such as `farmctl/armv7h:1f0c…`; the same contents have the same tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ImageTag(String);

impl ImageTag {
    /// Takes a tag as the engine spells it.
    pub fn new(tag: impl Into<String>) -> Self {
        Self(tag.into())
    }

    /// The tag as the engine spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Equal for equal specifications; a container carries the one it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Takes a fingerprint back from a label.
    pub fn from_label(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text for a label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a container is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It owns the port.
    Door,
    /// It compiles.
    Volunteer,
}

impl Role {
    /// The word for the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Volunteer => "volunteer",
        }
    }
}
