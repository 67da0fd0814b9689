//! The domain: what a farm is.
//!
//! Plain values, no I/O and nothing asynchronous. The manifest is resolved into a [`Farm`]; everything after that
//! (images, plan, host lines) reads only these types.

mod address;
mod allow;
mod architecture;
mod endpoint;
mod name;
mod quantity;
mod settings;
mod spec;
mod swarm;
mod target;

pub use address::{Address, AddressError, DialAddress};
pub use allow::{AllowList, AllowRule, AllowRuleError};
pub use architecture::{Architecture, UnknownArchitecture};
pub use endpoint::{Certificates, DockerEndpoint, EndpointError, SshEndpoint, TlsEndpoint};
pub use name::{FarmName, HostName, NameError, TargetName};
pub use quantity::{Cpus, GccMajor, Grace, Memory, Nice, Port, QuantityError, Slots};
pub use settings::{
    EngineKind, ImageReference, ImageSource, LabelName, Labels, Network, Publish, Restart,
    SettingError, Stats,
};
pub use spec::{
    Attachment, DOOR_DIRECTORY, DoorSpec, Fingerprint, HealthCheck, ImageTag, LeftToNodes, Mount,
    REPOSITORIES, Role, ServicePowers, ServiceShape, ServiceSpec, Shape, UpdateOrder,
    VolunteerSpec, door_name, inside_network_name, labels, network_name, probe_command,
    service_health, volume_name, volume_options,
};
pub use swarm::{Constraint, Registry, Swarm, SwarmError};
pub use target::{
    GccSource, GccSources, NotOnHost, Origin, Packages, Suite, Target, ToolchainArchive,
};

use std::sync::Arc;

/// A farm: volunteers on hosts, and who may send them jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farm {
    /// Sets this farm apart from others on the same engine.
    pub name: FarmName,
    /// Who may send jobs.
    pub allow: AllowList,
    /// The package archive to use, if the manifest names one.
    pub mirror: Option<String>,
    /// The machines that lend their cores, in the manifest's order.
    pub hosts: Vec<Host>,
}

/// A machine with a Docker engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The name in the manifest.
    pub name: HostName,
    /// How its engine is reached.
    pub docker: DockerEndpoint,
    /// What masters dial.
    pub address: Address,
    /// One volunteer for each target that this host compiles for, ordered by port.
    pub volunteers: Vec<Volunteer>,
    /// What makes it a whole swarm, whose manager its engine is; `None` is an engine alone.
    pub swarm: Option<Swarm>,
}

/// The container of one target on one host, as the manifest wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volunteer {
    /// What it compiles for.
    pub target: Arc<Target>,
    /// Installed GCC versions, the preferred one first; never empty, each one among `target.gcc`.
    pub gcc: Vec<GccMajor>,
    /// Jobs at once; `None` lets the number of the engine's processors decide.
    pub slots: Option<Slots>,
    /// Upper limit of the processors' time; `None` is no limit of its own.
    pub cpus: Option<Cpus>,
    /// Upper limit of the container's memory; `None` is no limit of its own.
    pub memory: Option<Memory>,
    /// Added to the niceness of every compiler.
    pub nice: Nice,
    /// Whether the library's headers are installed, so that pump mode is served.
    pub headers: bool,
    /// On which address of the host its port is opened.
    pub publish: Publish,
    /// Through which network masters reach it.
    pub network: Network,
    /// When the engine starts it again.
    pub restart: Restart,
    /// How long jobs in flight may finish when it is stopped or replaced.
    pub stop_grace: Grace,
    /// Who may read its statistics.
    pub stats: Stats,
    /// Where its image comes from.
    pub image: ImageSource,
    /// Labels of the user's own on its container.
    pub labels: Labels,
}
