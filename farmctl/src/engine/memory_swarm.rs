//! A swarm that exists only in memory, behind the engine that does: what tests plan against and execute on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{
    Engine, EngineError, EngineErrorKind, LiveNode, LiveService, LiveServiceNetwork, LiveTask,
    LiveUpdate, LogLines, LogRequest, MemoryEngine, ObservedSwarm, ServiceNetwork, SwarmEngine,
    TaskState, labels,
};
use crate::farm::{Attachment, FarmName, ImageTag, ServiceShape, ServiceSpec};

/// Nodes, services and a registry. Tasks run at once wherever they may, and end at once.
#[derive(Debug, Default)]
pub struct MemorySwarm(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    observed: ObservedSwarm,
    registry: BTreeMap<ImageTag, String>,
    made: u64,
}

impl MemorySwarm {
    /// A swarm in the given state, and what its registry has.
    pub fn new(observed: ObservedSwarm, registry: BTreeMap<ImageTag, String>) -> Self {
        Self(Mutex::new(State {
            observed,
            registry,
            made: 0,
        }))
    }

    /// Changes what the swarm has, as if others had done it.
    pub fn disturb(&self, change: impl FnOnce(&mut ObservedSwarm)) {
        change(&mut self.state().observed);
    }

    /// What it has.
    pub fn observed(&self) -> ObservedSwarm {
        self.state().observed.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        call: String,
        change: impl FnOnce(&mut State) -> Result<T, String>,
    ) -> Result<T, EngineError> {
        change(&mut self.state()).map_err(|message| EngineError {
            operation: call,
            kind: EngineErrorKind::Refused {
                status: 409,
                message,
            },
        })
    }
}

impl State {
    fn put(&mut self, spec: &ServiceSpec, renew: bool) -> Result<(), String> {
        let mut shape = spec.shape.clone();
        let image = shape.container.image.clone();
        if !image.as_str().contains('@') {
            let digest = self
                .registry
                .get(&image)
                .ok_or(format!("{image} is not in the registry"))?;
            shape.container.image = ImageTag::new(format!("{image}@{digest}"));
        }
        if let Attachment::Network(name) = &shape.container.network {
            let mut networks = self.observed.networks.iter();
            if !networks.any(|live| live.network.name == *name) {
                return Err(format!("no network {name}"));
            }
        }
        let read = labels::read(&shape.container.labels);
        let name = spec.name();
        let before = self.take(&name);
        let mut live = LiveService {
            name,
            target: read.target,
            role: read.role,
            slots: read.slots,
            gcc: read.gcc,
            shape,
            update: LiveUpdate::Settled,
            tasks: Vec::new(),
        };
        if let Some(before) = before {
            let same = |shape: &ServiceShape| ServiceShape {
                constraints: BTreeSet::new(),
                ..shape.clone()
            };
            if !renew && same(&before.shape) == same(&live.shape) {
                live.tasks = before.tasks;
            }
        }
        self.schedule(&mut live);
        self.observed.services.push(live);
        self.observed.services.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<LiveService> {
        let services = &mut self.observed.services;
        let at = services.iter().position(|live| live.name == name)?;
        Some(services.remove(at))
    }

    /// One task on each node that is neither excluded nor drained; of other conditions it knows nothing.
    fn schedule(&mut self, live: &mut LiveService) {
        let excluded = live.shape.excluded();
        let fits = |node: &LiveNode| {
            node.works() && !live.shape.is_nowhere() && !excluded.contains(&node.id)
        };
        let nodes: Vec<_> = self
            .observed
            .nodes
            .iter()
            .filter(|node| fits(node))
            .collect();
        live.tasks
            .retain(|task| nodes.iter().any(|node| node.id == task.node));
        for node in nodes {
            if !live.tasks.iter().any(|task| task.node == node.id) {
                self.made += 1;
                live.tasks.push(LiveTask {
                    id: format!("task{}", self.made),
                    node: node.id.clone(),
                    is_wanted: true,
                    is_current: true,
                    state: TaskState::Running,
                    error: None,
                    age: Duration::ZERO,
                });
            }
        }
    }
}

impl SwarmEngine for MemoryEngine {
    async fn observe_swarm(&self, _farm: &FarmName) -> Result<ObservedSwarm, EngineError> {
        Ok(self.swarm.observed())
    }

    async fn registry_digests(
        &self,
        references: &BTreeSet<ImageTag>,
    ) -> Result<BTreeMap<ImageTag, String>, EngineError> {
        let mut known = self.swarm.state().registry.clone();
        known.retain(|reference, _| references.contains(reference));
        Ok(known)
    }

    async fn push_image(&self, image: &ImageTag, reference: &ImageTag) -> Result<(), EngineError> {
        self.swarm
            .change(format!("push image {reference}"), |state| {
                state
                    .registry
                    .insert(reference.clone(), format!("sha256:{image}"));
                Ok(())
            })
    }

    async fn create_service_network(
        &self,
        _farm: &FarmName,
        network: &ServiceNetwork,
    ) -> Result<(), EngineError> {
        self.swarm
            .change(format!("create network {}", network.name), |state| {
                state.observed.networks.push(LiveServiceNetwork {
                    id: network.name.clone(),
                    network: network.clone(),
                    is_bridge: true,
                });
                Ok(())
            })
    }

    async fn create_service(&self, spec: &ServiceSpec) -> Result<(), EngineError> {
        self.swarm
            .change(format!("create service {}", spec.name()), |state| {
                let name = spec.name();
                let ours = state.observed.services.iter().any(|live| live.name == name);
                if ours || state.observed.taken_names.contains(&name) {
                    return Err(format!("name {name} is taken"));
                }
                state.put(spec, false)
            })
    }

    async fn update_service(&self, spec: &ServiceSpec, renew: bool) -> Result<(), EngineError> {
        let call = format!("update service {}", spec.name());
        self.swarm.change(call, |state| state.put(spec, renew))
    }

    async fn place_service(
        &self,
        name: &str,
        constraints: &BTreeSet<String>,
    ) -> Result<(), EngineError> {
        self.swarm.change(format!("place service {name}"), |state| {
            let mut live = state.take(name).ok_or(format!("no service {name}"))?;
            live.shape.constraints.clone_from(constraints);
            state.schedule(&mut live);
            state.observed.services.push(live);
            state.observed.services.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(())
        })
    }

    async fn look_at_service(
        &self,
        name: &str,
    ) -> Result<Option<(LiveService, Vec<LiveNode>)>, EngineError> {
        let observed = self.swarm.observed();
        let service = observed.services.into_iter().find(|live| live.name == name);
        Ok(service.map(|service| (service, observed.nodes)))
    }

    async fn remove_service(&self, name: &str) -> Result<(), EngineError> {
        drop(self.swarm.state().take(name));
        Ok(())
    }

    async fn remove_service_network(&self, id: &str) -> Result<(), EngineError> {
        self.swarm
            .state()
            .observed
            .networks
            .retain(|live| live.id != id);
        Ok(())
    }

    async fn remove_left_volume(&self, name: &str) -> Result<(), EngineError> {
        self.swarm
            .state()
            .observed
            .volumes
            .retain(|live| live.name != name);
        Ok(())
    }

    fn task_logs(&self, task: &str, request: &LogRequest) -> LogLines {
        Engine::logs(self, task, request)
    }
}
