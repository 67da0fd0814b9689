//! Rows of hosts that are whole swarms: one for each node and target.

use super::{MISSING, Row, UNREACHED, absent};
use crate::engine::{Health, LiveNode, LiveState, LiveTask, ObservedSwarm, TaskState};
use crate::farm::{GccMajor, Host, ImageTag, Role, Volunteer};
use crate::swarm::node_slots;

/// A row for each node that should serve a target or does, in the manifest's order.
pub(super) fn rows(host: &Host, observed: &ObservedSwarm) -> Vec<Row> {
    let of_target = |volunteer: &Volunteer| {
        let target = &volunteer.target.name;
        let nodes = observed.nodes.iter();
        let rows: Vec<_> = nodes
            .filter_map(|node| node_row(host, volunteer, node, observed))
            .collect();
        if rows.is_empty() {
            let door = observed.service(Role::Door, target);
            let door = door.map_or(MISSING, |_| "created");
            return vec![absent(host, volunteer, MISSING, door)];
        }
        rows
    };
    host.volunteers.iter().flat_map(of_target).collect()
}

fn node_row(
    host: &Host,
    volunteer: &Volunteer,
    node: &LiveNode,
    observed: &ObservedSwarm,
) -> Option<Row> {
    let target = &volunteer.target.name;
    let service = observed.service(Role::Volunteer, target)?;
    let newest = |role: Role| {
        let tasks = observed.service(role, target)?.tasks.iter();
        let of_node = tasks.filter(|task| task.node == node.id);
        of_node.min_by_key(|task| (!task.is_wanted, task.age))
    };
    let is_drained = service.shape.is_nowhere() || service.shape.excluded().contains(&node.id);
    let task = newest(Role::Volunteer);
    let is_wanted = task.is_some_and(|task| task.is_wanted);
    if !is_wanted && !is_drained {
        return None;
    }
    let (state, health) = task.map_or((MISSING, Health::Unknown), |task| of_task(task, node));
    let image = &service.shape.container.image;
    let known = observed.images.get(&ImageTag::new(
        image.as_str().split('@').next().unwrap_or_default(),
    ));
    Some(Row {
        host: host.name.to_string(),
        node: Some(node.label()),
        target: target.to_string(),
        port: Some(volunteer.target.port.number()),
        address: node.address.map(|address| address.to_string()),
        state,
        health: health.as_str(),
        door: newest(Role::Door).map_or(MISSING, |task| of_task(task, node).0),
        drained: is_drained,
        gcc: service.gcc.iter().copied().map(GccMajor::number).collect(),
        slots: Some(node_slots(volunteer, node).count()),
        image: Some(image.to_string()),
        image_bytes: known.map(|image| image.bytes),
        container: task.map(|task| format!("{}.{}.{}", service.name, node.id, task.id)),
    })
}

/// In the words for containers.
fn of_task(task: &LiveTask, node: &LiveNode) -> (&'static str, Health) {
    match task.state {
        _ if !node.is_ready => (UNREACHED, Health::Unknown),
        TaskState::Coming => (LiveState::Created.as_str(), Health::Unknown),
        TaskState::Starting => (LiveState::Running.as_str(), Health::Starting),
        TaskState::Running => (LiveState::Running.as_str(), Health::Healthy),
        TaskState::Ended => (LiveState::Exited.as_str(), Health::Unknown),
    }
}
