//! How far a service is from running wherever it should. Pure.

use crate::engine::{LiveNode, LiveService, LiveTask, LiveUpdate, TaskState};

/// How far a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It runs on every node that it is for.
    Done,
    /// Not yet.
    Waiting {
        /// Nodes on which it runs as it should.
        done: usize,
        /// Nodes on which it is to run.
        of: usize,
        /// What stands in the way, if anything does.
        why: Option<String>,
    },
    /// The swarm gave up; in its words.
    Failed(String),
}

/// Nodes that the swarm hears nothing of do not count: their tasks come back with them.
pub fn progress(service: &LiveService, nodes: &[LiveNode]) -> Progress {
    if let LiveUpdate::Failed(message) = &service.update {
        return Progress::Failed(message.clone());
    }
    let is_ready = |task: &&LiveTask| {
        let mut nodes = nodes.iter();
        nodes.any(|node| node.id == task.node && node.is_ready)
    };
    let wanted: Vec<_> = service.wanted_tasks().filter(is_ready).collect();
    let runs = |task: &&&LiveTask| task.is_current && task.state == TaskState::Running;
    let (done, of) = (wanted.iter().filter(runs).count(), wanted.len());
    if done == of && service.update == LiveUpdate::Settled && (of > 0 || service.shape.is_nowhere())
    {
        return Progress::Done;
    }
    let trouble = service.tasks.iter().filter(|task| task.is_current);
    let latest = trouble
        .filter_map(|task| Some((task.age, task.error.as_ref()?)))
        .min();
    Progress::Waiting {
        done,
        of,
        why: latest.map(|(_, error)| error.clone()),
    }
}

/// Whether no task of a service that should end still runs on these nodes, or on any if there are none. A node that
/// the swarm hears nothing of has no jobs to wait for.
pub(super) fn has_ended<'n>(
    service: &LiveService,
    nodes: &[LiveNode],
    of: impl IntoIterator<Item = &'n String>,
) -> bool {
    let of: Vec<_> = of.into_iter().collect();
    let is_meant = |task: &&LiveTask| {
        let node = nodes.iter().find(|node| node.id == task.node);
        node.is_some_and(|node| node.is_ready && (of.is_empty() || of.contains(&&node.id)))
    };
    service
        .tasks
        .iter()
        .filter(is_meant)
        .all(|task| task.state == TaskState::Ended)
}
