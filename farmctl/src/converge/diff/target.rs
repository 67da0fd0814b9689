//! The steps of one wanted target.

use super::super::desired::Intent;
use super::super::plan::{Action, Cause, Contained, StepId};
use super::conflict::{self, Conflict};
use super::survey::{Choice, Rejected, Site, Standing};
use super::{Layout, Names};
use crate::engine::{Health, LiveContainer, LiveState};
use crate::farm::{Restart, VolunteerSpec, volume_name};

impl<'a> Layout<'a> {
    /// What must be gone before anything of `site` is made: doors that are not as wanted (they hold the port), and
    /// whatever uses a volume that must go. It goes when the successors' image is there.
    pub(super) fn clear(&mut self, site: &Site<'a>) {
        let Standing::Serving { volunteers, doors } = &site.standing else {
            return;
        };
        let image: Vec<_> = self
            .images
            .get(&site.spec.image)
            .copied()
            .into_iter()
            .collect();
        for old in &doors.others {
            self.remove(old.live, cause_of(old, doors.kept), image.clone());
        }
        if site.bad_volume.is_some_and(|volume| !volume.is_ours) {
            let name = volume_name(&site.spec.farm, &site.spec.target);
            self.conflicts.push(Conflict::Volume { name });
        }
        for old in &volunteers.others {
            let has_ports = old.live.published().next().is_some();
            if has_ports || site.bad_volume.is_some() {
                self.remove(old.live, cause_of(old, volunteers.kept), image.clone());
            }
        }
        if let Some(volume) = site.bad_volume {
            let has_it = |live: &&LiveContainer| {
                let mut mounts = live.shape.mounts.values();
                mounts.any(|mount| mount.source == volume.name)
            };
            let users = self.observed.containers().filter(has_it);
            let users = users
                .filter_map(|live| self.removed.get(live.id.as_str()).copied())
                .collect();
            let action = Action::RemoveVolume {
                name: volume.name.clone(),
                target: volume.target.clone(),
            };
            let cause = Cause::Changed(vec!["options".to_owned()]);
            let step = self.plan.add(action, cause, users);
            self.volumes.insert(&volume.name, step);
        }
    }

    /// Containers that stay get their names back.
    pub(super) fn name_kept(&mut self, site: &Site<'a>) {
        match &site.standing {
            Standing::Serving { volunteers, doors } => {
                if let Some(kept) = doors.kept {
                    self.give_name(kept, &[site.door_spec.container_name()], Cause::Renamed);
                }
                if let Some(kept) = volunteers.kept {
                    self.give_name(kept, &site.spec.container_names(), Cause::Renamed);
                }
            }
            Standing::Drained { marked, doors, .. } => {
                let name = VolunteerSpec::drained_name(&site.spec.farm, &site.spec.target);
                self.give_name(marked, &[name], Cause::Drained);
                if let Some(door) = doors.first() {
                    self.give_name(door, &[site.door_spec.container_name()], Cause::Renamed);
                }
            }
        }
    }

    fn give_name(&mut self, live: &'a LiveContainer, wanted: &[String], cause: Cause) {
        if wanted.contains(&live.name) && self.names.renaming(live).is_none() {
            return;
        }
        match self.names.claim(wanted, &mut self.plan) {
            Ok((name, after)) => {
                self.names.rename(live, name, cause, after, &mut self.plan);
            }
            Err(conflict) => self.conflicts.push(conflict),
        }
    }

    pub(super) fn raise(&mut self, site: &Site<'a>) {
        match &site.standing {
            Standing::Serving { volunteers, doors } => {
                let door = self.door(site, doors);
                self.volunteer(site, volunteers, door);
            }
            Standing::Drained {
                marked,
                others,
                doors,
            } => self.drained(marked, others, doors),
        }
    }

    /// The volunteer finishes its jobs before the door closes, because their connections are the door's. The mark
    /// comes first, so that nothing but `undrain` starts it again.
    fn drained(
        &mut self,
        marked: &'a LiveContainer,
        others: &[&'a LiveContainer],
        doors: &[&'a LiveContainer],
    ) {
        let after: Vec<StepId> = self.names.renaming(marked).into_iter().collect();
        let mut ended: Vec<StepId> = others
            .iter()
            .map(|live| self.remove(live, Cause::Drained, after.clone()))
            .collect();
        ended.extend(self.hold(marked, after.clone()));
        let ended: Vec<StepId> = ended.into_iter().chain(after).collect();
        if let Some((first, others)) = doors.split_first() {
            self.hold(first, ended.clone());
            for door in others {
                self.remove(door, Cause::Drained, ended.clone());
            }
        }
    }

    fn hold(&mut self, live: &'a LiveContainer, mut after: Vec<StepId>) -> Option<StepId> {
        if !live.is_active() && live.shape.restart == Restart::No {
            return None;
        }
        after.extend(self.names.renaming(live));
        let action = Action::HoldContainer(Contained::from(live));
        Some(self.plan.add(action, Cause::Drained, after))
    }

    /// The steps after which the door stands open, as far as something is to be done about it.
    fn door(&mut self, site: &Site<'a>, doors: &Choice<'a>) -> Vec<StepId> {
        let spec = &site.door_spec;
        let mut after = self.holders_of_ports(site);
        after.extend(
            self.volumes
                .get(volume_name(&spec.farm, &spec.target).as_str()),
        );
        if let Some(kept) = doors.kept {
            return match kept.state {
                LiveState::Running => Vec::new(),
                LiveState::Paused => vec![self.unpause(kept, after)],
                _ => {
                    self.refuse_taken_ports(site);
                    vec![self.start(kept, after)]
                }
            };
        }
        self.refuse_taken_ports(site);
        let cause = cause_of_new(doors, false);
        after.extend(self.images.get(&site.spec.image));
        after.extend(&self.network);
        match self.names.claim(&[spec.container_name()], &mut self.plan) {
            Ok((_, named)) => after.extend(named),
            Err(conflict) => self.conflicts.push(conflict),
        }
        let action = Action::RunDoor(Box::new(spec.clone()));
        vec![self.plan.add(action, cause, after)]
    }

    fn refuse_taken_ports(&mut self, site: &Site<'a>) {
        let taken = conflict::ports(&site.door_spec, self.observed, &self.desired.scope);
        self.conflicts.extend(taken);
    }

    /// Removals of containers that have a port of the door, or hold its target's.
    fn holders_of_ports(&self, site: &Site<'a>) -> Vec<StepId> {
        let wanted = site.door_spec.addresses();
        let holds = |live: &LiveContainer| {
            let same_target = live.target.as_ref() == Some(&site.spec.target);
            let same_port = |port| wanted.iter().any(|own| own.port() == port);
            let host_network = live
                .dialled()
                .is_some_and(|dialled| same_port(dialled.port()));
            let is_door = live.role == Some(crate::farm::Role::Door);
            let published = live.published().any(|address| same_port(address.port()));
            is_door && (same_target || host_network) || published
        };
        self.observed
            .containers()
            .filter(|live| holds(live))
            .filter_map(|live| self.removed.get(live.id.as_str()).copied())
            .collect()
    }

    /// The volunteer that serves from now on; its predecessors go when it is known to be fit.
    fn volunteer(&mut self, site: &Site<'a>, volunteers: &Choice<'a>, door: Vec<StepId>) {
        let left: Vec<_> = volunteers
            .others
            .iter()
            .filter(|old| !self.removed.contains_key(old.live.id.as_str()))
            .collect();
        let (serving, idle): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|old| old.live.state == LiveState::Running);
        let has_predecessor = !serving.is_empty();
        let image: Vec<_> = self
            .images
            .get(&site.spec.image)
            .copied()
            .into_iter()
            .collect();
        // What does not serve goes at once, but not before its successor can be made.
        for old in idle {
            self.remove(old.live, cause_of(old, volunteers.kept), image.clone());
        }
        let fit = match volunteers.kept {
            Some(kept) => self.kept_is_fit(site, kept, has_predecessor, door),
            None => self.new_one_is_fit(site, volunteers, has_predecessor, door),
        };
        for old in serving {
            let cause = match (volunteers.kept, self.desired.intent) {
                (None, Intent::Restart) => Cause::Restart,
                _ => cause_of(old, volunteers.kept),
            };
            self.remove(old.live, cause, fit.clone());
        }
    }

    fn kept_is_fit(
        &mut self,
        site: &Site<'a>,
        kept: &'a LiveContainer,
        has_predecessor: bool,
        door: Vec<StepId>,
    ) -> Vec<StepId> {
        let mut fit: Vec<StepId> = self.names.renaming(kept).into_iter().collect();
        match kept.state {
            LiveState::Running => {}
            LiveState::Paused => fit.push(self.unpause(kept, fit.clone())),
            _ => {
                let after = fit.iter().copied().chain(door).collect();
                fit.push(self.start(kept, after));
            }
        }
        let is_known = kept.state == LiveState::Running && kept.health == Health::Healthy;
        if has_predecessor && !is_known {
            let name = self.names.name_of(kept);
            fit = vec![self.wait(site, name, Cause::Surplus, fit)];
        }
        fit
    }

    fn new_one_is_fit(
        &mut self,
        site: &Site<'a>,
        volunteers: &Choice<'a>,
        has_predecessor: bool,
        door: Vec<StepId>,
    ) -> Vec<StepId> {
        let spec = site.spec;
        let is_restart = self.desired.intent == Intent::Restart;
        let cause = cause_of_new(volunteers, is_restart);
        let mut after: Vec<StepId> = self.images.get(&spec.image).copied().into_iter().collect();
        after.extend(door);
        after.extend(
            self.volumes
                .get(volume_name(&spec.farm, &spec.target).as_str()),
        );
        let name = match self.names.claim(&spec.container_names(), &mut self.plan) {
            Ok((name, named)) => {
                after.extend(named);
                name
            }
            Err(conflict) => {
                self.conflicts.push(conflict);
                return Vec::new();
            }
        };
        let action = Action::RunVolunteer {
            spec: Box::new(spec.clone()),
            name: name.clone(),
        };
        let step = self.plan.add(action, cause.clone(), after);
        if has_predecessor {
            vec![self.wait(site, name, cause, vec![step])]
        } else {
            vec![step]
        }
    }

    fn wait(&mut self, site: &Site<'a>, name: String, cause: Cause, after: Vec<StepId>) -> StepId {
        let action = Action::AwaitVolunteer {
            name,
            target: site.spec.target.clone(),
            port: site.spec.port,
        };
        self.plan.add(action, cause, after)
    }

    fn start(&mut self, live: &'a LiveContainer, mut after: Vec<StepId>) -> StepId {
        after.extend(self.names.renaming(live));
        let action = Action::StartContainer(Contained::from(live));
        self.plan.add(action, Cause::NotRunning, after)
    }

    fn unpause(&mut self, live: &'a LiveContainer, mut after: Vec<StepId>) -> StepId {
        after.extend(self.names.renaming(live));
        let action = Action::UnpauseContainer(Contained::from(live));
        self.plan.add(action, Cause::Paused, after)
    }
}

impl Names<'_> {
    /// The name that `live` has once it was renamed as planned.
    pub(super) fn name_of(&self, live: &LiveContainer) -> String {
        self.current(live)
    }
}

/// Why a container goes: for what it is, or because another one is as wanted.
fn cause_of(old: &Rejected<'_>, kept: Option<&LiveContainer>) -> Cause {
    let is_broken = matches!(old.live.state, LiveState::Restarting | LiveState::Dead);
    match (&old.differences, kept) {
        (differences, None) if !differences.is_empty() => Cause::Changed(differences.clone()),
        (_, None) if is_broken => Cause::Broken,
        _ => Cause::Surplus,
    }
}

/// Why one is made: for what its best predecessor is.
fn cause_of_new(choice: &Choice<'_>, is_restart: bool) -> Cause {
    match choice.others.first() {
        None => Cause::Missing,
        Some(_) if is_restart => Cause::Restart,
        Some(old) if !old.differences.is_empty() => Cause::Changed(old.differences.clone()),
        Some(_) => Cause::Broken,
    }
}
