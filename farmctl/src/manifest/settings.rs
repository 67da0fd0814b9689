//! The settings of volunteers, which may stand for the farm, a target, a host, or a target on a host.

use crate::farm::{
    Cpus, GccMajor, Grace, ImageReference, ImageSource, LabelName, Labels, Memory, Network, Nice,
    Publish, Restart, Slots, Stats,
};

use super::keys;
use super::reader::{Fields, Reader};
use super::source::Located;
use super::values;
use super::yaml::{Node, Value};

/// What is said in one of these places.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) jobs: Option<Slots>,
    pub(super) cpus: Option<Cpus>,
    pub(super) memory: Option<Memory>,
    pub(super) nice: Option<Nice>,
    /// The preferred version first.
    pub(super) gcc: Option<Vec<Located<GccMajor>>>,
    pub(super) headers: Option<Located<bool>>,
    pub(super) publish: Option<Publish>,
    pub(super) network: Option<Network>,
    pub(super) restart: Option<Restart>,
    pub(super) stop_grace: Option<Grace>,
    pub(super) stats: Option<Stats>,
    pub(super) image: Option<ImageSource>,
    pub(super) labels: Labels,
}

impl Settings {
    pub(super) fn take(fields: &mut Fields<'_, '_, '_>) -> Self {
        Self {
            jobs: fields.value("jobs", values::number::<u64, _>),
            cpus: fields.value("cpus", values::cpus),
            memory: fields.value("memory", values::memory),
            nice: fields.value("nice", values::number::<i64, _>),
            gcc: fields.set("gcc", values::number::<u64, _>),
            headers: fields.located("headers", values::flag),
            publish: fields.value("publish", values::setting),
            network: fields.value("network", values::setting),
            restart: fields.value("restart", values::setting),
            stop_grace: fields.value("stop_grace", values::grace),
            stats: fields.value("stats", values::setting),
            image: fields.section("image", image).flatten(),
            labels: fields
                .group("labels", values::parsed, label)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(name, value)| Some((LabelName::clone(&name?.value), value?)))
                .collect(),
        }
    }

    /// These settings, completed from `farther` ones.
    pub(super) fn or(&self, farther: &Self) -> Self {
        let mut labels = farther.labels.clone();
        labels.extend(self.labels.clone());
        Self {
            jobs: self.jobs.or(farther.jobs),
            cpus: self.cpus.or(farther.cpus),
            memory: self.memory.or(farther.memory),
            nice: self.nice.or(farther.nice),
            gcc: self.gcc.clone().or_else(|| farther.gcc.clone()),
            headers: self.headers.clone().or_else(|| farther.headers.clone()),
            publish: self.publish.or(farther.publish),
            network: self.network.or(farther.network),
            restart: self.restart.or(farther.restart),
            stop_grace: self.stop_grace.or(farther.stop_grace),
            stats: self.stats.or(farther.stats),
            image: self.image.clone().or_else(|| farther.image.clone()),
            labels,
        }
    }
}

/// The settings that one volunteer is left with. The nearest place that says something holds; but where a host and a
/// target both limit something, neither may be exceeded.
pub(super) fn combined(
    host_target: &Settings,
    host: &Settings,
    target: &Settings,
    farm: &Settings,
) -> Settings {
    let limits = Settings {
        jobs: fewer(host.jobs, target.jobs),
        cpus: fewer(host.cpus, target.cpus),
        memory: fewer(host.memory, target.memory),
        ..Settings::default()
    };
    host_target.or(&limits).or(host).or(target).or(farm)
}

/// Both set limits, so the lower one holds.
fn fewer<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn image(node: &Node, reader: &mut Reader<'_>) -> Option<ImageSource> {
    let Value::Map(_) = node.value else {
        return Some(reader.located(node, values::setting)?.value);
    };
    let mut fields = reader.fields(node, &keys::IMAGE);
    let reference = fields.value::<ImageReference>("pull", values::parsed);
    fields.close();
    reference.map(ImageSource::Pull)
}

fn label(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    Some(reader.located(node, values::text)?.value)
}
