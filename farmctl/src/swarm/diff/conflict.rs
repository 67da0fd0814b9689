//! Why there is no plan.

use crate::farm::{ImageTag, TargetName};

/// Something of a stranger's that stands in the way, or an image that nobody may make. farmctl never touches strangers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another service publishes the port.
    #[error("port {port} for target {target} is taken by service {service}")]
    Port {
        /// The port.
        port: u16,
        /// The target that needs it.
        target: TargetName,
        /// Who has it.
        service: String,
    },
    /// A service with the wanted name carries no label of this farm.
    #[error("a service named {name} exists and does not belong to this farm")]
    Name {
        /// The name.
        name: String,
    },
    /// A network of the farm is something else than what it should be.
    #[error("the network {name} is not as farmctl makes it")]
    Network {
        /// The name.
        name: String,
    },
    /// The manifest says that nobody makes the image, and the registry does not have it.
    #[error("image {image} for target {target} is not in its registry")]
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
            Self::Port { service, .. } => {
                format!(
                    "give the target another port (targets: {{ NAME: {{ port: … }} }}), or remove the service (docker service rm {service})"
                )
            }
            Self::Name { name } => {
                format!(
                    "remove it (docker service rm {name}), or give the farm another name, and run this again"
                )
            }
            Self::Network { name } => {
                format!(
                    "take the farm down (farmctl down), remove it (docker network rm {name}) and run this again"
                )
            }
            Self::Image { target, .. } => {
                format!("push it there, or let farmctl make it: without `image` for {target}")
            }
        }
    }
}
