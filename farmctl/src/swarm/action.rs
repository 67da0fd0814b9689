//! What is done to a swarm, in words.

use std::collections::BTreeSet;
use std::fmt;

use crate::engine::ServiceNetwork;
use crate::farm::{FarmName, ImageTag, Role, ServiceSpec, TargetName};

/// Something done to a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwarmAction {
    /// Push an image to the registry from which nodes pull it.
    PushImage {
        /// As the manager's engine has it.
        image: ImageTag,
        /// As the registry has it.
        reference: ImageTag,
    },
    /// Make a network.
    CreateNetwork {
        /// The farm it belongs to.
        farm: FarmName,
        /// What it is.
        network: ServiceNetwork,
    },
    /// Make a service.
    CreateService(Box<ServiceSpec>),
    /// Make a service what it should be.
    UpdateService {
        /// What it should be.
        spec: Box<ServiceSpec>,
        /// Whether all of its tasks are replaced, changed or not.
        renew: bool,
    },
    /// Say where a service may run.
    PlaceService {
        /// The service.
        name: String,
        /// Its target, if it says so.
        target: Option<TargetName>,
        /// The conditions on nodes.
        constraints: BTreeSet<String>,
    },
    /// Wait until a service runs wherever it should.
    AwaitService {
        /// The service.
        name: String,
        /// Its target.
        target: TargetName,
        /// What its tasks do.
        role: Role,
    },
    /// Wait until the tasks that a service had are done.
    AwaitEnd(ServiceEnd),
    /// Remove a service.
    RemoveService {
        /// The service.
        name: String,
        /// Its target, if it says so.
        target: Option<TargetName>,
    },
    /// Remove a network.
    RemoveNetwork {
        /// The swarm's id.
        id: String,
        /// The network's name.
        name: String,
    },
    /// Remove a volume of the manager's own engine.
    RemoveVolume {
        /// Its name.
        name: String,
        /// The target whose doors it was for.
        target: Option<TargetName>,
    },
}

/// The end of a service's tasks on some nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEnd {
    /// The service.
    pub name: String,
    /// Its target, if it says so.
    pub target: Option<TargetName>,
    /// The ids of the nodes; none of them means every node.
    pub nodes: BTreeSet<String>,
}

impl SwarmAction {
    /// The action in one word, for programs.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::PushImage { .. } => "push-image",
            Self::CreateNetwork { .. } => "create-network",
            Self::CreateService(_) => "create-service",
            Self::UpdateService { .. } => "update-service",
            Self::PlaceService { .. } => "place-service",
            Self::AwaitService { .. } => "await-service",
            Self::AwaitEnd(_) => "await-end",
            Self::RemoveService { .. } => "remove-service",
            Self::RemoveNetwork { .. } => "remove-network",
            Self::RemoveVolume { .. } => "remove-volume",
        }
    }

    /// The target that it is about, if it is about one.
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Self::PushImage { .. } | Self::CreateNetwork { .. } | Self::RemoveNetwork { .. } => {
                None
            }
            Self::CreateService(spec) | Self::UpdateService { spec, .. } => Some(&spec.target),
            Self::AwaitService { target, .. } => Some(target),
            Self::PlaceService { target, .. }
            | Self::AwaitEnd(ServiceEnd { target, .. })
            | Self::RemoveService { target, .. }
            | Self::RemoveVolume { target, .. } => target.as_ref(),
        }
    }

    /// `+` makes, `-` removes, `~` changes, `=` waits.
    pub fn sign(&self) -> char {
        match self {
            Self::PushImage { .. } | Self::CreateNetwork { .. } | Self::CreateService(_) => '+',
            Self::UpdateService { .. } | Self::PlaceService { .. } => '~',
            Self::AwaitService { .. } | Self::AwaitEnd(_) => '=',
            Self::RemoveService { .. } | Self::RemoveNetwork { .. } | Self::RemoveVolume { .. } => {
                '-'
            }
        }
    }
}

impl fmt::Display for SwarmAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PushImage { reference, .. } => write!(f, "image {reference} in the registry"),
            Self::CreateNetwork { network, .. } => write!(f, "network {}", network.name),
            Self::CreateService(spec) => {
                write!(f, "service {}", spec.name())?;
                match spec.ports().next() {
                    Some(port) => write!(f, " on port {port}"),
                    None => Ok(()),
                }
            }
            Self::UpdateService { spec, .. } => write!(f, "service {}", spec.name()),
            Self::PlaceService { name, .. } => write!(f, "placement of service {name}"),
            Self::AwaitService { name, role, .. } => match role {
                Role::Door => write!(f, "until {name} is open on every node"),
                Role::Volunteer => write!(f, "until {name} compiles on every node"),
            },
            Self::AwaitEnd(ServiceEnd { name, nodes, .. }) => match nodes.len() {
                0 => write!(f, "until the jobs of {name} are done"),
                1 => write!(f, "until the jobs of {name} are done on that node"),
                many => write!(f, "until the jobs of {name} are done on {many} nodes"),
            },
            Self::RemoveService { name, .. } => write!(f, "service {name}"),
            Self::RemoveNetwork { name, .. } => write!(f, "network {name}"),
            Self::RemoveVolume { name, .. } => write!(f, "volume {name}"),
        }
    }
}
