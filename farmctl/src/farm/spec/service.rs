//! The services of one target on a swarm: a door and a volunteer on every node, as on an engine alone, as far as a swarm
//! lets services be locked in.

use std::collections::{BTreeMap, BTreeSet};

use super::volunteer::health_check;
use super::{Attachment, HealthCheck, Role, Shape, VolunteerSpec, door_name, labels, network_name};
use crate::farm::{FarmName, Port, Restart, TargetName};

/// One service of a target, fully decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// The farm it belongs to.
    pub farm: FarmName,
    /// What it is for.
    pub target: TargetName,
    /// What its tasks do.
    pub role: Role,
    /// Everything it is made of.
    pub shape: ServiceShape,
}

/// A global service, apart from its name: one task on each node that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceShape {
    /// The container of each task. Its labels are the service's: on the nodes' own engines they would look like those of
    /// a farm there.
    pub container: Shape,
    /// Labels of the containers: the user's own.
    pub container_labels: BTreeMap<String, String>,
    /// Which nodes fit.
    pub constraints: BTreeSet<String>,
    /// How tasks are replaced.
    pub order: UpdateOrder,
    /// How many nodes replace theirs at a time.
    pub parallelism: i64,
    /// Whether a new kind of task that does not work is taken back.
    pub rolls_back: bool,
}

/// Which goes first when a task is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateOrder {
    /// The new one starts, and is healthy before the old one ends.
    StartFirst,
    /// The old one ends, because both cannot be: they have the same port.
    StopFirst,
}

/// What a swarm's manager can ask of its nodes, which depends on its version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServicePowers {
    /// `no-new-privileges`.
    pub no_new_privileges: bool,
    /// Who goes first when memory runs out.
    pub oom_score: bool,
    /// A limit of swap.
    pub swap: bool,
}

/// What a swarm leaves to its nodes, which differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftToNodes {
    /// Each one's processors say how many jobs it takes.
    pub slots: bool,
    /// Each one's memory is the only limit.
    pub memory: bool,
}

impl ServicePowers {
    /// The powers of a manager that speaks this version of the API (1.`minor`).
    pub fn of_api(minor: usize) -> Self {
        Self {
            no_new_privileges: minor >= 44,
            oom_score: minor >= 46,
            swap: minor >= 52,
        }
    }
}

/// A task counts as started once its check has passed, so an update waits for the first one on every node.
const HEALTH_INTERVAL: i64 = 10_000_000_000;
/// Enough for the jobs of any node.
const MOST_PROCESSES: i64 = 4096;
/// Registries serve all nodes; more at once would make them wait for each other.
const VOLUNTEERS_AT_ONCE: i64 = 10;
/// While a door is replaced its node refuses connections.
const DOORS_AT_ONCE: i64 = 1;
/// No node has this id: a service that wants it runs nowhere.
const NOWHERE: &str = "node.id==drained";

impl ServiceSpec {
    /// The service that owns the port on every node.
    pub fn door(spec: &VolunteerSpec, base: &BTreeSet<String>, powers: ServicePowers) -> Self {
        let container = as_task(spec.door().shape(), powers);
        Self {
            farm: spec.farm.clone(),
            target: spec.target.clone(),
            role: Role::Door,
            shape: ServiceShape {
                container,
                container_labels: BTreeMap::new(),
                constraints: base.clone(),
                order: UpdateOrder::StopFirst,
                parallelism: DOORS_AT_ONCE,
                rolls_back: false,
            },
        }
    }

    /// The service that compiles on every node.
    pub fn volunteer(
        spec: &VolunteerSpec,
        left: LeftToNodes,
        base: &BTreeSet<String>,
        powers: ServicePowers,
    ) -> Self {
        let mut container = as_task(spec.shape(), powers);
        container.network = Attachment::Network(inside_network_name(&spec.farm));
        if left.slots {
            container.command = without(&container.command, "--jobs");
            container.labels.remove(labels::SLOTS);
            container.processes = MOST_PROCESSES;
        }
        let mut scratch = BTreeSet::from(["mode=1777".to_owned()]);
        if left.memory {
            container.memory = 0;
            container.memory_swap = 0;
        } else {
            scratch.insert(format!("size={}", spec.memory.bytes() / 2));
        }
        container.tmpfs = BTreeMap::from([("/tmp".to_owned(), scratch)]);
        container.health = service_health(&container.command);
        let own = |name: &String| spec.labels.keys().any(|label| label.as_str() == name);
        let (of_user, ours) = std::mem::take(&mut container.labels)
            .into_iter()
            .partition(|(name, _)| own(name));
        container.labels = ours;
        Self {
            farm: spec.farm.clone(),
            target: spec.target.clone(),
            role: Role::Volunteer,
            shape: ServiceShape {
                container,
                container_labels: of_user,
                constraints: base.clone(),
                order: UpdateOrder::StartFirst,
                parallelism: VOLUNTEERS_AT_ONCE,
                rolls_back: true,
            },
        }
    }

    /// Its name in the swarm.
    pub fn name(&self) -> String {
        Self::name_of(self.role, &self.farm, &self.target)
    }

    /// The name of a target's service.
    pub fn name_of(role: Role, farm: &FarmName, target: &TargetName) -> String {
        match role {
            Role::Door => door_name(farm, target),
            Role::Volunteer => format!("farmctl-{farm}-{target}"),
        }
    }

    /// The ports that it opens on every node.
    pub fn ports(&self) -> impl Iterator<Item = Port> {
        let addresses = self.shape.container.ports.values().flatten();
        addresses.filter_map(|address| Port::try_from(u64::from(address.port())).ok())
    }
}

impl ServiceShape {
    /// The names of the options in which `observed` is not as wanted here.
    pub fn differences(&self, observed: &Self) -> Vec<String> {
        // Taken apart without `..`, so that a new field cannot be forgotten here.
        let Self {
            container,
            container_labels,
            constraints,
            order,
            parallelism,
            rolls_back,
        } = self;
        let mut names = container.differences(&observed.container, &BTreeMap::new());
        let same_policy = *order == observed.order
            && *parallelism == observed.parallelism
            && *rolls_back == observed.rolls_back;
        let own = [
            (
                "container labels",
                *container_labels == observed.container_labels,
            ),
            ("placement", *constraints == observed.constraints),
            ("update policy", same_policy),
        ];
        let differing = own.into_iter().filter(|(_, same)| !same);
        names.extend(differing.map(|(name, _)| name.to_owned()));
        names
    }

    /// The same, kept from these nodes.
    #[must_use]
    pub fn kept_from<'n>(mut self, nodes: impl IntoIterator<Item = &'n String>) -> Self {
        let not = nodes.into_iter().map(|id| format!("{NOT_ON}{id}"));
        self.constraints.extend(not);
        self
    }

    /// The same, on no node at all.
    #[must_use]
    pub fn nowhere(mut self) -> Self {
        self.constraints.insert(NOWHERE.to_owned());
        self
    }

    /// The same, kept from these nodes no longer; from none at all if none is named.
    #[must_use]
    pub fn let_back(&self, nodes: &BTreeSet<String>) -> Self {
        let mut shape = self.clone();
        shape
            .constraints
            .retain(|text| match text.strip_prefix(NOT_ON) {
                Some(id) => !nodes.is_empty() && !nodes.contains(id),
                None => text != NOWHERE || !nodes.is_empty(),
            });
        shape
    }

    /// Whether it is kept from running anywhere.
    pub fn is_nowhere(&self) -> bool {
        self.constraints.contains(NOWHERE)
    }

    /// The ids of the nodes that it is kept from.
    pub fn excluded(&self) -> BTreeSet<String> {
        let ids = self.constraints.iter();
        ids.filter_map(|text| text.strip_prefix(NOT_ON))
            .map(str::to_owned)
            .collect()
    }
}

const NOT_ON: &str = "node.id!=";

/// The health check of a service whose tasks run this command: a compile where there is a volunteer.
pub fn service_health(command: &[String]) -> Option<HealthCheck> {
    let value = |option: &str| {
        let mut words = command.iter();
        words.find(|word| *word == option)?;
        words.next()
    };
    value("--door")?;
    let port = value("--port")?.parse::<u64>().ok()?;
    Some(HealthCheck {
        interval: HEALTH_INTERVAL,
        ..health_check(Port::try_from(port).ok()?, None)
    })
}

/// The network of a farm's volunteers on every node, from which there is no way to the world.
pub fn inside_network_name(farm: &FarmName) -> String {
    format!("{}-inside", network_name(farm))
}

/// What a manager can ask of that.
fn as_task(mut container: Shape, powers: ServicePowers) -> Shape {
    container.labels.remove(labels::FINGERPRINT);
    container.restart = match container.restart {
        Restart::Always | Restart::UnlessStopped => Restart::Always,
        other => other,
    };
    if !powers.no_new_privileges {
        container.security.clear();
    }
    if !powers.oom_score {
        container.oom_score_adjustment = 0;
    }
    if !powers.swap {
        container.memory_swap = 0;
    }
    container
}

/// Without an option and its value.
fn without(command: &[String], option: &str) -> Vec<String> {
    let mut words = command.iter();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == option {
            words.next();
        } else {
            kept.push(word.clone());
        }
    }
    kept
}
