//! The edge to a swarm, through the engine of one of its managers: what there is, and one change at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use super::{EngineError, LiveVolume, LogLines, LogRequest, TaggedImage};
use crate::farm::{
    FarmName, GccMajor, ImageTag, Role, ServicePowers, ServiceShape, ServiceSpec, Slots, TargetName,
};

/// The calls that a farm needs of a swarm's manager. All of them are idempotent: what is already so counts as done.
pub trait SwarmEngine: Send + Sync {
    /// Everything that matters to `farm`, in one snapshot. Reads only.
    fn observe_swarm(
        &self,
        farm: &FarmName,
    ) -> impl Future<Output = Result<ObservedSwarm, EngineError>> + Send;

    /// The digests of images that their registry has, as the manager sees it.
    fn registry_digests(
        &self,
        references: &BTreeSet<ImageTag>,
    ) -> impl Future<Output = Result<BTreeMap<ImageTag, String>, EngineError>> + Send;

    /// Gives an image of the manager's engine another name, and pushes it there.
    fn push_image(
        &self,
        image: &ImageTag,
        reference: &ImageTag,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Makes a network of the whole swarm that is a bridge on each node, with a way to the world or without.
    fn create_service_network(
        &self,
        farm: &FarmName,
        network: &ServiceNetwork,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Makes a service. Its image is pinned by digest first.
    fn create_service(
        &self,
        spec: &ServiceSpec,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Makes a service what it should be; with `renew` all of its tasks are replaced, changed or not.
    fn update_service(
        &self,
        spec: &ServiceSpec,
        renew: bool,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Says where a service may run, and changes nothing else of it.
    fn place_service(
        &self,
        name: &str,
        constraints: &BTreeSet<String>,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// A service and the swarm's nodes as they are now; `None` where there is no such service.
    fn look_at_service(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<(LiveService, Vec<LiveNode>)>, EngineError>> + Send;

    /// Removes a service.
    fn remove_service(&self, name: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Removes a network that services had a moment ago.
    fn remove_service_network(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Removes a volume of the manager's own engine that tasks had a moment ago.
    fn remove_left_volume(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// What a task wrote, on whichever node; as [`super::Engine::logs`].
    fn task_logs(&self, task: &str, request: &LogRequest) -> LogLines;
}

/// A network of services.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceNetwork {
    /// Its name.
    pub name: String,
    /// Whether there is no way from it to the world.
    pub is_internal: bool,
}

/// One snapshot of a swarm, as far as one farm is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedSwarm {
    /// The manager's powers.
    pub powers: ServicePowers,
    /// All nodes, ordered by address.
    pub nodes: Vec<LiveNode>,
    /// The farm's services, ordered by name.
    pub services: Vec<LiveService>,
    /// The farm's networks.
    pub networks: Vec<LiveServiceNetwork>,
    /// The farm's volumes on the manager's own engine.
    pub volumes: Vec<LiveVolume>,
    /// Every tag that the manager's engine has, with its image.
    pub images: BTreeMap<ImageTag, TaggedImage>,
    /// Names of services that are not this farm's.
    pub taken_names: BTreeSet<String>,
    /// Ports that strangers' services have published, with the service.
    pub taken_ports: BTreeMap<u16, String>,
}

/// A machine of the swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNode {
    /// The swarm's id of it.
    pub id: String,
    /// What it calls itself; several may call themselves the same.
    pub hostname: String,
    /// Its address in the swarm.
    pub address: Option<IpAddr>,
    /// Whether the manager hears of it.
    pub is_ready: bool,
    /// Whether it takes tasks, as far as the swarm's own administration goes.
    pub is_active: bool,
    /// Its processors.
    pub processors: u32,
    /// What its machine is called (`uname -m`).
    pub machine: String,
}

/// A service that carries the farm's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveService {
    /// Its name.
    pub name: String,
    /// Its target, if its label can be read.
    pub target: Option<TargetName>,
    /// What it is there for, if its label can be read.
    pub role: Option<Role>,
    /// Jobs at once, where they are the same on every node.
    pub slots: Option<Slots>,
    /// GCC versions, if its label can be read.
    pub gcc: Vec<GccMajor>,
    /// Everything it is made of.
    pub shape: ServiceShape,
    /// What became of its last update.
    pub update: LiveUpdate,
    /// Its tasks: on every node the present one and some predecessors.
    pub tasks: Vec<LiveTask>,
}

/// What became of an update.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LiveUpdate {
    /// There was none, or it was completed.
    #[default]
    Settled,
    /// It goes on.
    Going,
    /// It was stopped or taken back because tasks did not work; in the swarm's words.
    Failed(String),
}

/// A container of a service, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTask {
    /// The swarm's id of it.
    pub id: String,
    /// The node that it is on.
    pub node: String,
    /// Whether it should run.
    pub is_wanted: bool,
    /// Whether it was made from the service as it is now.
    pub is_current: bool,
    /// How far it is.
    pub state: TaskState,
    /// Why it is not further, if anything is the matter.
    pub error: Option<String>,
    /// How long it has been so.
    pub age: Duration,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Nothing runs yet.
    Coming,
    /// Its container runs, and has not passed its check yet.
    Starting,
    /// It runs, and its check passed if it has one.
    Running,
    /// It ended.
    Ended,
}

/// A network that carries the farm's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveServiceNetwork {
    /// The swarm's id of it.
    pub id: String,
    /// What it is.
    pub network: ServiceNetwork,
    /// Whether it is a bridge on each node, as farmctl makes it.
    pub is_bridge: bool,
}

impl LiveNode {
    /// What tells it from others: its address, as several may call themselves the same.
    pub fn label(&self) -> String {
        self.address
            .map_or_else(|| self.hostname.clone(), |address| address.to_string())
    }

    /// Whether the swarm gives it work.
    pub fn works(&self) -> bool {
        self.is_ready && self.is_active
    }
}

impl LiveService {
    /// The tasks that should run.
    pub fn wanted_tasks(&self) -> impl Iterator<Item = &LiveTask> {
        self.tasks.iter().filter(|task| task.is_wanted)
    }
}

impl ObservedSwarm {
    /// The farm's service of a target.
    pub fn service(&self, role: Role, target: &TargetName) -> Option<&LiveService> {
        self.services
            .iter()
            .find(|live| live.role == Some(role) && live.target.as_ref() == Some(target))
    }

    /// The nodes that serve a target now: ready, not drained, with a volunteer that compiles and an open door.
    pub fn serving(&self, target: &TargetName) -> Vec<&LiveNode> {
        let runs = |role: Role, node: &LiveNode| {
            self.service(role, target).is_some_and(|service| {
                let is_out =
                    service.shape.is_nowhere() || service.shape.excluded().contains(&node.id);
                let mut tasks = service.wanted_tasks();
                !is_out
                    && tasks.any(|task| task.node == node.id && task.state == TaskState::Running)
            })
        };
        self.nodes
            .iter()
            .filter(|node| node.works())
            .filter(|node| runs(Role::Volunteer, node) && runs(Role::Door, node))
            .collect()
    }
}
