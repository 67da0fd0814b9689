//! Where lines come from: the containers of an engine, or the tasks of the swarm that it manages.

use std::collections::BTreeMap;

use crate::engine::{
    Engine, EngineError, LiveContainer, LiveNode, LiveService, LiveState, LiveTask, LogLines,
    LogRequest, SwarmEngine, TaskState,
};
use crate::farm::{HostName, Role, TargetName};

use super::selection::Selection;

/// A host's engine.
#[derive(Debug, Clone)]
pub(super) struct Source<E> {
    pub(super) host: HostName,
    pub(super) engine: E,
    pub(super) writers: Writers,
}

/// What writes on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writers {
    Containers,
    Tasks,
}

/// Whose line it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) host: HostName,
    /// The label of the node that it runs on, if the host is a swarm.
    pub(super) node: Option<String>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) target: Option<TargetName>,
    pub(super) is_door: bool,
}

/// A container, and how it is.
pub(super) type Found = (Container, LiveState);

impl<E: Engine + SwarmEngine> Source<E> {
    /// What there is that writes or has written.
    pub(super) async fn containers(
        &self,
        selection: &Selection,
    ) -> Result<Vec<Found>, EngineError> {
        match self.writers {
            Writers::Containers => self.own_containers(selection).await,
            Writers::Tasks => self.tasks(selection).await,
        }
    }

    /// What a container has written, and writes.
    pub(super) fn lines(&self, container: &Container, request: &LogRequest) -> LogLines {
        match self.writers {
            Writers::Containers => self.engine.logs(&container.id, request),
            Writers::Tasks => self.engine.task_logs(&container.id, request),
        }
    }

    async fn own_containers(&self, selection: &Selection) -> Result<Vec<Found>, EngineError> {
        let observed = self.engine.observe(&selection.farm).await?;
        let live = observed.volunteers.into_iter().chain(observed.doors);
        let wanted = live.filter(|live| selection.wants(live.target.as_ref(), live.role));
        Ok(wanted.map(|live| self.container(live)).collect())
    }

    fn container(&self, live: LiveContainer) -> Found {
        let container = Container {
            host: self.host.clone(),
            node: None,
            id: live.id,
            name: live.name,
            target: live.target,
            is_door: live.role == Some(Role::Door),
        };
        (container, live.state)
    }

    /// The manager asks the nodes; one that it does not hear of has no answer.
    async fn tasks(&self, selection: &Selection) -> Result<Vec<Found>, EngineError> {
        let observed = self.engine.observe_swarm(&selection.farm).await?;
        let ready = observed.nodes.iter().filter(|node| node.is_ready);
        let nodes: BTreeMap<_, _> = ready.map(|node| (&node.id, node)).collect();
        let services = observed.services.iter();
        let wanted =
            services.filter(|service| selection.wants(service.target.as_ref(), service.role));
        let tasks =
            wanted.flat_map(|service| service.tasks.iter().map(move |task| (service, task)));
        let found = tasks.filter_map(|(service, task)| {
            let node = nodes.get(&task.node)?;
            self.task(service, task, node)
        });
        Ok(found.collect())
    }

    fn task(&self, service: &LiveService, task: &LiveTask, node: &LiveNode) -> Option<Found> {
        let state = match task.state {
            TaskState::Coming => return None,
            TaskState::Starting | TaskState::Running => LiveState::Running,
            TaskState::Ended => LiveState::Exited,
        };
        let container = Container {
            host: self.host.clone(),
            node: Some(node.label()),
            id: task.id.clone(),
            name: format!("{}.{}.{}", service.name, node.id, task.id),
            target: service.target.clone(),
            is_door: service.role == Some(Role::Door),
        };
        Some((container, state))
    }
}
