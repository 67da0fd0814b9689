//! What stands in the way and is not farmctl's to move.

use crate::engine::{LiveContainer, Observed};
use crate::farm::{DoorSpec, ImageTag, TargetName};

use super::super::desired::Scope;

/// Something of a stranger's that stands in the way, or an image that nobody may make. farmctl never touches strangers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another container publishes the port.
    #[error("port {port} for target {target} is taken by container {container}")]
    Port {
        /// The port.
        port: u16,
        /// The target that needs it.
        target: TargetName,
        /// Who has it.
        container: String,
    },
    /// A container with the wanted name carries no label of this farm.
    #[error("a container named {name} exists and does not belong to this farm")]
    Name {
        /// The name.
        name: String,
    },
    /// A volume with the wanted name carries no label of this farm.
    #[error("a volume named {name} exists and does not belong to this farm")]
    Volume {
        /// The name.
        name: String,
    },
    /// The manifest says that nobody makes the image, and it is not there.
    #[error("image {image} for target {target} is not there")]
    Image {
        /// The image.
        image: ImageTag,
        /// The target that needs it.
        target: TargetName,
    },
}

impl Conflict {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Port { container, .. } => {
                format!("stop it (docker stop {container}) and run this again")
            }
            Self::Name { name } => {
                format!("rename or remove it (docker rename {name} …) and run this again")
            }
            Self::Volume { name } => {
                format!("remove it (docker volume rm {name}) and run this again")
            }
            Self::Image { target, .. } => format!(
                "load it into the engine, or let farmctl make it: without `image: never` for {target}"
            ),
        }
    }
}

/// Everybody but the farm's own containers in `scope` who has one of a door's ports.
pub(super) fn ports(door: &DoorSpec, observed: &Observed, scope: &Scope) -> Vec<Conflict> {
    let same_address = |one: std::net::IpAddr, other: std::net::IpAddr| {
        one == other || one.is_unspecified() || other.is_unspecified()
    };
    let strangers = observed
        .taken_ports
        .iter()
        .map(|holder| (holder.port, holder.address, &holder.container));
    let is_untouchable =
        |live: &&LiveContainer| live.is_active() && !scope.holds(live.target.as_ref());
    let out_of_scope = observed
        .containers()
        .filter(is_untouchable)
        .flat_map(|live| {
            live.published()
                .map(move |address| (address.port(), address.ip(), &live.name))
        });
    let wanted = door.addresses();
    let mut conflicts: Vec<_> = strangers
        .chain(out_of_scope)
        .filter(|(port, address, _)| {
            wanted
                .iter()
                .any(|own| own.port() == *port && same_address(own.ip(), *address))
        })
        .map(|(port, _, container)| Conflict::Port {
            port,
            target: door.target.clone(),
            container: container.clone(),
        })
        .collect();
    // An engine lists a port once for each address family.
    conflicts.dedup();
    conflicts
}
