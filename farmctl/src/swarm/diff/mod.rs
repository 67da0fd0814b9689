//! Desired and observed services in, plan out. Pure and deterministic.
//!
//! The order lets a plan be broken off anywhere: images first, what nobody wants, networks; then for each target its door,
//! its volunteers, and the proof that these compile.

mod conflict;

use std::collections::{BTreeMap, BTreeSet};

pub use conflict::Conflict;

use super::action::{ServiceEnd, SwarmAction};
use super::desired::{Desired, Wanted};
use super::progress::{Progress, progress};
use crate::converge::{Action, Cause, Intent, Plan, Scope, StepId};
use crate::engine::{LiveService, ObservedSwarm, ServiceNetwork};
use crate::farm::{Attachment, ImageSource, ImageTag, Role, ServiceSpec, inside_network_name};

/// The steps from `observed` to `desired`; `digests` are those of wanted images that their registry has.
///
/// # Errors
/// Everything of a stranger's that stands in the way, all at once.
pub fn diff(
    desired: &Desired,
    observed: &ObservedSwarm,
    digests: &BTreeMap<ImageTag, String>,
) -> Result<Plan, Vec<Conflict>> {
    let mut layout = Layout {
        desired,
        observed,
        digests,
        plan: Plan::default(),
        conflicts: Vec::new(),
        images: BTreeMap::new(),
        networks: Vec::new(),
        ended: Vec::new(),
    };
    let in_scope = |wanted: &&Wanted| desired.scope.holds(Some(&wanted.target));
    let wanted: Vec<_> = desired.targets.iter().filter(in_scope).collect();
    for wanted in &wanted {
        layout.refuse_strangers(wanted);
    }
    layout.images(&wanted);
    layout.unwanted();
    layout.networks();
    for wanted in &wanted {
        layout.raise(wanted);
    }
    layout.left_over();
    if layout.conflicts.is_empty() {
        Ok(layout.plan)
    } else {
        Err(layout.conflicts)
    }
}

/// A plan in the making.
struct Layout<'a> {
    desired: &'a Desired,
    observed: &'a ObservedSwarm,
    digests: &'a BTreeMap<ImageTag, String>,
    plan: Plan,
    conflicts: Vec<Conflict>,
    /// The steps that bring images into their registry, by their names there.
    images: BTreeMap<&'a ImageTag, StepId>,
    /// The steps that make networks.
    networks: Vec<StepId>,
    /// The steps that remove services.
    ended: Vec<StepId>,
}

impl<'a> Layout<'a> {
    fn add(&mut self, action: SwarmAction, cause: Cause, after: Vec<StepId>) -> StepId {
        self.plan.add(Action::Swarm(action), cause, after)
    }

    fn refuse_strangers(&mut self, wanted: &Wanted) {
        for spec in [&wanted.door, &wanted.volunteer] {
            let name = spec.name();
            if self.observed.taken_names.contains(&name) {
                self.conflicts.push(Conflict::Name { name });
            }
        }
        for port in wanted.door.ports() {
            if let Some(service) = self.observed.taken_ports.get(&port.number()) {
                self.conflicts.push(Conflict::Port {
                    port: port.number(),
                    target: wanted.target.clone(),
                    service: service.clone(),
                });
            }
        }
    }

    /// Every target that serves needs its image in the registry, also for nodes that come later.
    fn images(&mut self, targets: &[&'a Wanted]) {
        let missing: Vec<&Wanted> = targets
            .iter()
            .copied()
            .filter(|wanted| !is_pinned(&wanted.reference))
            .filter(|wanted| !self.digests.contains_key(&wanted.reference))
            .collect();
        let (to_push, nobodys): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|wanted| wanted.source == ImageSource::Assemble);
        self.conflicts
            .extend(nobodys.iter().map(|wanted| Conflict::Image {
                image: wanted.reference.clone(),
                target: wanted.target.clone(),
            }));
        let to_load: BTreeSet<_> = to_push
            .iter()
            .filter(|wanted| !self.manager_has(&wanted.image))
            .map(|wanted| wanted.image.clone())
            .collect();
        let loaded: Vec<_> = if to_load.is_empty() {
            Vec::new()
        } else {
            let action = Action::LoadImages(to_load.into_iter().collect());
            vec![self.plan.add(action, Cause::Missing, Vec::new())]
        };
        for wanted in to_push {
            let action = SwarmAction::PushImage {
                image: wanted.image.clone(),
                reference: wanted.reference.clone(),
            };
            let step = self.add(action, Cause::Missing, loaded.clone());
            self.images.insert(&wanted.reference, step);
        }
    }

    fn manager_has(&self, image: &ImageTag) -> bool {
        let there = self.observed.images.get(image);
        there.is_some_and(|there| there.made_as.as_ref() == Some(image))
    }

    /// Services that nobody wants: volunteers finish their jobs, then their doors close, because masters' connections end
    /// with them.
    fn unwanted(&mut self) {
        let desired = self.desired;
        let is_wanted = |live: &LiveService| {
            desired.targets.iter().any(|wanted| {
                [&wanted.door, &wanted.volunteer]
                    .into_iter()
                    .any(|spec| spec.name() == live.name)
            })
        };
        let (doors, volunteers): (Vec<_>, Vec<_>) = self
            .observed
            .services
            .iter()
            .filter(|live| desired.scope.holds(live.target.as_ref()) && !is_wanted(live))
            .partition(|live| live.role == Some(Role::Door));
        let mut gone: BTreeMap<_, Vec<StepId>> = BTreeMap::new();
        for live in volunteers {
            let step = self.remove(live, Vec::new());
            gone.entry(&live.target).or_default().push(step);
        }
        for live in doors {
            let before = gone.get(&live.target).cloned().unwrap_or_default();
            self.remove(live, before);
        }
    }

    fn remove(&mut self, live: &LiveService, before: Vec<StepId>) -> StepId {
        let cause = if self.desired.targets.is_empty() {
            Cause::Unwanted
        } else {
            Cause::LeftManifest
        };
        let (name, target) = (live.name.clone(), live.target.clone());
        let place = SwarmAction::PlaceService {
            name: name.clone(),
            target: target.clone(),
            constraints: live.shape.clone().nowhere().constraints,
        };
        let placed = self.add(place, cause.clone(), before);
        let end = ServiceEnd {
            name: name.clone(),
            target: target.clone(),
            nodes: BTreeSet::new(),
        };
        let ended = self.add(SwarmAction::AwaitEnd(end), cause.clone(), vec![placed]);
        let step = self.add(
            SwarmAction::RemoveService { name, target },
            cause,
            vec![ended],
        );
        self.ended.push(step);
        step
    }

    fn networks(&mut self) {
        for network in self.wanted_networks() {
            let there = self
                .observed
                .networks
                .iter()
                .find(|live| live.network.name == network.name);
            match there {
                Some(live) if live.is_bridge && live.network == network => {}
                Some(_) => self
                    .conflicts
                    .push(Conflict::Network { name: network.name }),
                None => {
                    let farm = self.desired.farm.clone();
                    let action = SwarmAction::CreateNetwork { farm, network };
                    let step = self.add(action, Cause::Missing, Vec::new());
                    self.networks.push(step);
                }
            }
        }
    }

    /// One for doors that are not in the host's, one without a way out for volunteers.
    fn wanted_networks(&self) -> BTreeSet<ServiceNetwork> {
        let farm = &self.desired.farm;
        let attached = self.desired.targets.iter().flat_map(|wanted| {
            [&wanted.door, &wanted.volunteer].map(|spec| &spec.shape.container.network)
        });
        attached
            .filter_map(|attachment| match attachment {
                Attachment::Network(name) => Some(ServiceNetwork {
                    name: name.clone(),
                    is_internal: *name == inside_network_name(farm),
                }),
                _ => None,
            })
            .collect()
    }

    /// A target's door, then its volunteers, then the proof that they compile.
    fn raise(&mut self, wanted: &'a Wanted) {
        let mut before: Vec<StepId> = self.networks.clone();
        before.extend(self.images.get(&wanted.reference));
        let door = self.service(&wanted.door, false, before.clone());
        before.extend(door);
        let renew = self.desired.intent == Intent::Restart;
        let volunteer = self.service(&wanted.volunteer, renew, before);
        for (spec, step) in [(&wanted.door, door), (&wanted.volunteer, volunteer)] {
            self.await_service(spec, step);
        }
    }

    /// Makes a service, or puts right in what it differs. Where it is drained it stays so.
    fn service(&mut self, spec: &ServiceSpec, renew: bool, before: Vec<StepId>) -> Option<StepId> {
        let mut spec = spec.clone();
        let Some(live) = self.live(&spec) else {
            spec.shape.container.image = self.pinned(&spec.shape.container.image);
            let action = SwarmAction::CreateService(Box::new(spec));
            return Some(self.add(action, Cause::Missing, before));
        };
        let is_drained = live.shape.is_nowhere();
        let known: Vec<_> = self
            .observed
            .nodes
            .iter()
            .map(|node| node.id.clone())
            .collect();
        let excluded = live.shape.excluded();
        spec.shape = spec
            .shape
            .kept_from(excluded.iter().filter(|id| known.contains(id)));
        if is_drained {
            spec.shape = spec.shape.nowhere();
        }
        spec.shape.container.image = match spec.role {
            // A door is there for years, of whatever image.
            Role::Door => live.shape.container.image.clone(),
            Role::Volunteer => self.image(&spec.shape.container.image, &live.shape.container.image),
        };
        let differences = spec.shape.differences(&live.shape);
        let renew = renew && !is_drained;
        let cause = match (differences.is_empty(), renew) {
            (true, false) => return None,
            (true, true) => Cause::Restart,
            (false, _) => Cause::Changed(differences),
        };
        let action = SwarmAction::UpdateService {
            spec: Box::new(spec),
            renew,
        };
        Some(self.add(action, cause, before))
    }

    fn await_service(&mut self, spec: &ServiceSpec, changed: Option<StepId>) {
        let live = self.live(spec);
        let is_settled = || {
            live.is_some_and(|live| {
                matches!(
                    progress(live, &self.observed.nodes),
                    // What was taken back was another wish; the present one is what runs.
                    Progress::Done | Progress::Failed(_)
                )
            })
        };
        if changed.is_none() && is_settled() {
            return;
        }
        let action = SwarmAction::AwaitService {
            name: spec.name(),
            target: spec.target.clone(),
            role: spec.role,
        };
        let cause = match changed {
            Some(id) => self
                .plan
                .steps()
                .iter()
                .find(|step| step.id == id)
                .map(|step| step.cause.clone()),
            None => None,
        };
        self.add(
            action,
            cause.unwrap_or(Cause::NotRunning),
            changed.into_iter().collect(),
        );
    }

    fn live(&self, spec: &ServiceSpec) -> Option<&'a LiveService> {
        let name = spec.name();
        self.observed.services.iter().find(|live| live.name == name)
    }

    /// The image to run: the present one as long as it is what is meant.
    fn image(&self, wanted: &ImageTag, present: &ImageTag) -> ImageTag {
        let (name, digest) = split(present);
        let is_meant = match self.digests.get(wanted) {
            Some(known) => name == wanted.as_str() && digest == Some(known.as_str()),
            // It is yet to be pushed, or pinned by whoever wrote the manifest.
            None => name == wanted.as_str() || present == wanted,
        };
        if is_meant {
            present.clone()
        } else {
            self.pinned(wanted)
        }
    }

    /// With the digest, where it is known; otherwise it is found out when the service is made.
    fn pinned(&self, image: &ImageTag) -> ImageTag {
        match self.digests.get(image) {
            Some(digest) => ImageTag::new(format!("{image}@{digest}")),
            None => image.clone(),
        }
    }

    /// Networks that no service of the farm needs, and volumes on the manager's own engine.
    fn left_over(&mut self) {
        if self.desired.scope == Scope::Farm {
            let wanted = self.wanted_networks();
            let is_left = |name: &str| !wanted.iter().any(|network| network.name == name);
            for live in &self.observed.networks {
                if is_left(&live.network.name) {
                    let action = SwarmAction::RemoveNetwork {
                        id: live.id.clone(),
                        name: live.network.name.clone(),
                    };
                    self.add(action, Cause::Unwanted, self.ended.clone());
                }
            }
        }
        for volume in &self.observed.volumes {
            let desired = self.desired;
            let is_wanted = desired
                .targets
                .iter()
                .any(|wanted| Some(&wanted.target) == volume.target.as_ref());
            if volume.is_ours && !is_wanted && desired.scope.holds(volume.target.as_ref()) {
                let action = SwarmAction::RemoveVolume {
                    name: volume.name.clone(),
                    target: volume.target.clone(),
                };
                self.add(action, Cause::Unwanted, self.ended.clone());
            }
        }
    }
}

fn is_pinned(image: &ImageTag) -> bool {
    split(image).1.is_some()
}

/// A reference's name with its tag, and its digest.
fn split(image: &ImageTag) -> (&str, Option<&str>) {
    match image.as_str().split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image.as_str(), None),
    }
}

#[cfg(test)]
mod tests;
