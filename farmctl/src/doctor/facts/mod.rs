//! What the doctor looks at: one file for each source. Nothing here judges.

pub mod client;
pub mod compilers;
pub mod daemon;
pub mod job;
pub mod machine;
pub mod master;
pub mod names;
pub mod program;
pub mod volunteers;

use std::net::SocketAddr;

use crate::engine::{EngineSystem, LiveState};
use crate::farm::{AllowList, GccMajor, Network, Restart, TargetName};
use crate::health::Listener;

use super::Fact;

pub use daemon::{DaemonSettings, FirewallFacts};
pub use machine::{MachineFacts, Room};

/// Everything about the machine that lends its cores.
#[derive(Debug, Clone)]
pub struct HostFacts {
    /// Whether its engine is one of this machine: otherwise nothing is said of files, firewalls and kernel.
    pub is_here: bool,
    /// The engine's words about itself.
    pub engine: Fact<EngineSystem>,
    /// What helps if there is no engine.
    pub engine_hint: Option<String>,
    /// The engine's settings as far as they concern published ports.
    pub daemon: Fact<DaemonSettings>,
    /// Firewalls of this machine.
    pub firewall: FirewallFacts,
    /// Clock, disks and kernel.
    pub machine: MachineFacts,
    /// The farm, described and observed.
    pub farm: FarmFacts,
}

/// A farm on one host, described and observed.
#[derive(Debug, Clone)]
pub struct FarmFacts {
    /// Its name.
    pub name: String,
    /// Who may send jobs.
    pub allow: AllowList,
    /// Its volunteers, in the order of the manifest.
    pub volunteers: Vec<VolunteerFacts>,
    /// What `up` would do, a line for each step.
    pub plan: Fact<Vec<String>>,
}

/// A volunteer, described and observed.
#[derive(Debug, Clone)]
pub struct VolunteerFacts {
    /// What it compiles for.
    pub target: TargetName,
    /// Where its port is published.
    pub address: SocketAddr,
    /// Through which network.
    pub network: Network,
    /// When it is started again.
    pub restart: Restart,
    /// Jobs at once.
    pub slots: Option<u32>,
    /// Upper limit of its memory, in bytes.
    pub memory: Option<u64>,
    /// The image that the lock asks for.
    pub image: Fact<String>,
    /// Its container, if there is one.
    pub live: Option<LiveFacts>,
    /// The container of its door, if there is one.
    pub door: Option<LiveState>,
    /// Whether the user took the target out of service.
    pub is_drained: bool,
    /// Who has its port, where it is not the farm.
    pub port_holder: Option<PortHolder>,
    /// Whether it compiles through its published port; `None` if it was not asked.
    pub compiles: Option<Result<(), String>>,
    /// What its compilers answered, one by one.
    pub compilers: Vec<CompilerAnswer>,
}

/// Who has a port that is not theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortHolder {
    /// A process of this machine.
    Process(Listener),
    /// A container that is none of the farm's.
    Container(String),
}

/// A container of the farm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFacts {
    /// Whether it runs.
    pub state: LiveState,
    /// The image it runs.
    pub image: String,
}

/// What answered to the name of one GCC version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerAnswer {
    /// The version that was asked for.
    pub asked: GccMajor,
    /// The version that compiled, from its object.
    pub answered: Result<String, String>,
}
