//! Desired and observed state in, plan out. Pure and deterministic.
//!
//! Every wanted target is surveyed ([`survey`]): which of its containers is as wanted and stays, which differ and go. Then
//! the plan is laid out so that it may be broken off anywhere: images first, what the farm does not want, what stands
//! in the way, the network; then for each target its door, its new volunteer, the proof that this compiles, and only then
//! the end of its predecessor.

mod conflict;
mod names;
mod survey;
mod target;

use std::collections::{BTreeMap, BTreeSet};

pub use conflict::Conflict;
pub use survey::drained;

use super::Desired;
use super::desired::Scope;
use super::plan::{Action, Cause, Contained, Plan, StepId};
use crate::engine::{LiveContainer, Observed};
use crate::farm::{ImageSource, ImageTag, Network, TargetName, VolunteerSpec, network_name};
use names::Names;
use survey::{Site, Standing, has_image, sites};

/// The steps from `observed` to `desired`.
///
/// # Errors
/// Everything of a stranger's that stands in the way, all at once.
pub fn diff(desired: &Desired, observed: &Observed) -> Result<Plan, Vec<Conflict>> {
    let sites = sites(desired, observed);
    let mut layout = Layout::new(desired, observed);
    layout.images(&sites);
    layout.unwanted();
    for site in &sites {
        layout.clear(site);
    }
    layout.network();
    for site in &sites {
        layout.name_kept(site);
    }
    for site in &sites {
        layout.raise(site);
    }
    layout.left_volumes();
    layout.finish()
}

/// A plan in the making.
struct Layout<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    plan: Plan,
    conflicts: Vec<Conflict>,
    names: Names<'a>,
    /// The steps that bring images that are not there.
    images: BTreeMap<&'a ImageTag, StepId>,
    /// The steps after which the farm's network is as wanted.
    network: Vec<StepId>,
    /// Removals, by the containers' ids.
    removed: BTreeMap<&'a str, StepId>,
    /// Volumes that go before their successors are made, by name.
    volumes: BTreeMap<&'a str, StepId>,
}

impl<'a> Layout<'a> {
    fn new(desired: &'a Desired, observed: &'a Observed) -> Self {
        Self {
            desired,
            observed,
            plan: Plan::default(),
            conflicts: Vec::new(),
            names: Names::of(desired, observed),
            images: BTreeMap::new(),
            network: Vec::new(),
            removed: BTreeMap::new(),
            volumes: BTreeMap::new(),
        }
    }

    fn finish(self) -> Result<Plan, Vec<Conflict>> {
        if self.conflicts.is_empty() {
            Ok(self.plan)
        } else {
            Err(self.conflicts)
        }
    }

    /// Every target that serves needs its image, also for the next time that its container must be made.
    fn images(&mut self, sites: &[Site<'a>]) {
        let mut to_load = BTreeSet::new();
        let serves = |site: &&Site<'a>| matches!(site.standing, Standing::Serving { .. });
        for site in sites.iter().filter(serves) {
            let spec = site.spec;
            if has_image(spec, self.observed) {
                continue;
            }
            match spec.source {
                ImageSource::Assemble => {
                    to_load.insert(&spec.image);
                }
                ImageSource::Pull(_) if !self.images.contains_key(&spec.image) => {
                    let action = Action::PullImage(spec.image.clone());
                    let step = self.plan.add(action, Cause::Missing, Vec::new());
                    self.images.insert(&spec.image, step);
                }
                ImageSource::Pull(_) => {}
                ImageSource::Never => self.conflicts.push(Conflict::Image {
                    image: spec.image.clone(),
                    target: spec.target.clone(),
                }),
            }
        }
        if !to_load.is_empty() {
            let tags = to_load.iter().map(|tag| (*tag).clone()).collect();
            let action = Action::LoadImages(tags);
            let step = self.plan.add(action, Cause::Missing, Vec::new());
            self.images
                .extend(to_load.into_iter().map(|tag| (tag, step)));
        }
    }

    /// Containers of targets that nobody wants; their doors close last, because masters' connections end with them.
    fn unwanted(&mut self) {
        let observed = self.observed;
        let volunteers: Vec<_> = self.unclaimed(&observed.volunteers);
        for live in volunteers {
            self.remove(live, self.cause_of_end(), Vec::new());
        }
        for door in self.unclaimed(&observed.doors) {
            let before = observed
                .volunteers
                .iter()
                .filter(|live| live.target == door.target)
                .filter_map(|live| self.removed.get(live.id.as_str()).copied())
                .collect();
            self.remove(door, self.cause_of_end(), before);
        }
    }

    fn unclaimed(&self, containers: &'a [LiveContainer]) -> Vec<&'a LiveContainer> {
        let is_wanted = |target: &TargetName| self.spec(target).is_some();
        containers
            .iter()
            .filter(|live| self.desired.scope.holds(live.target.as_ref()))
            .filter(|live| !live.target.as_ref().is_some_and(is_wanted))
            .collect()
    }

    fn spec(&self, target: &TargetName) -> Option<&'a VolunteerSpec> {
        self.desired
            .targets
            .iter()
            .find(|spec| spec.target == *target)
    }

    /// Without any target the farm itself is not wanted.
    fn cause_of_end(&self) -> Cause {
        if self.desired.targets.is_empty() {
            Cause::Unwanted
        } else {
            Cause::LeftManifest
        }
    }

    fn remove(&mut self, live: &'a LiveContainer, cause: Cause, mut after: Vec<StepId>) -> StepId {
        after.extend(self.names.renaming(live));
        let action = Action::RemoveContainer(Contained::from(live));
        let step = self.plan.add(action, cause, after);
        self.names.free(live, step);
        self.removed.insert(&live.id, step);
        step
    }

    /// One network, made as farmctl makes it, as long as a door wants to be in it.
    fn network(&mut self) {
        let whole_farm = self.desired.scope == Scope::Farm;
        let in_bridge = |spec: &VolunteerSpec| spec.network == Network::Bridge;
        let is_wanted = self.desired.targets.iter().any(in_bridge);
        let wanted = is_wanted.then(|| network_name(&self.desired.farm));
        let removed: Vec<StepId> = self.removed.values().copied().collect();
        let mut kept_one = false;
        for network in &self.observed.networks {
            let named = wanted.as_ref() == Some(&network.name);
            if named && !kept_one && (network.is_isolated || !whole_farm) {
                kept_one = true;
            } else if whole_farm {
                let action = Action::RemoveNetwork {
                    id: network.id.clone(),
                    name: network.name.clone(),
                };
                let cause = if named && !network.is_isolated {
                    Cause::Changed(vec!["options".to_owned()])
                } else {
                    Cause::Unwanted
                };
                let step = self.plan.add(action, cause, removed.clone());
                if named {
                    self.network.push(step);
                }
            }
        }
        if is_wanted && !kept_one {
            let action = Action::CreateNetwork(self.desired.farm.clone());
            let before = std::mem::take(&mut self.network);
            self.network = vec![self.plan.add(action, Cause::Missing, before)];
        }
    }

    /// Volumes of the farm that no target of it needs.
    fn left_volumes(&mut self) {
        let desired = self.desired;
        let is_needed = |name: &str| {
            desired
                .targets
                .iter()
                .any(|spec| crate::farm::volume_name(&spec.farm, &spec.target) == name)
        };
        let removed: Vec<StepId> = self.removed.values().copied().collect();
        let left = self
            .observed
            .volumes
            .iter()
            .filter(|volume| volume.is_ours && desired.scope.holds(volume.target.as_ref()))
            .filter(|volume| !is_needed(&volume.name));
        for volume in left {
            let action = Action::RemoveVolume {
                name: volume.name.clone(),
                target: volume.target.clone(),
            };
            self.plan.add(action, Cause::Unwanted, removed.clone());
        }
    }
}

#[cfg(test)]
mod tests;
