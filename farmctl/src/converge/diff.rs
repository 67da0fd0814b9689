//! Desired and observed state in, plan out. Pure and deterministic.

use std::collections::BTreeMap;

use super::Desired;
use super::plan::{Action, Cause, Plan, StepId};
use crate::engine::{LiveState, LiveVolunteer, Observed, network_name};
use crate::farm::{ImageTag, TargetName, VolunteerSpec};

/// Something of a stranger's that stands in the way. farmctl never touches it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A stranger's container publishes the port.
    #[error("port {port} for target {target} is taken by container {container}")]
    Port {
        /// The port.
        port: u16,
        /// The target that needs it.
        target: TargetName,
        /// Who has it.
        container: String,
    },
    /// A container with the wanted name carries no label of this farm.
    #[error("a container named {name} exists and does not belong to this farm")]
    Name {
        /// The name.
        name: String,
    },
}

impl Conflict {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Port { container, .. } => {
                format!("stop it (docker stop {container}) and run this again")
            }
            Self::Name { name } => {
                format!("rename or remove it (docker rename {name} …) and run this again")
            }
        }
    }
}

/// The steps from `observed` to `desired`.
///
/// # Errors
/// Everything of a stranger's that stands in the way, all at once.
pub fn diff(desired: &Desired, observed: &Observed) -> Result<Plan, Vec<Conflict>> {
    let mut live = Live::of(observed);
    let mut plan = Plan::default();
    let mut conflicts = Vec::new();
    let mut to_run = Vec::new();

    for spec in &desired.volunteers {
        match live.claim(spec) {
            Claim::Kept => {}
            Claim::Start { id, name } => {
                plan.add(
                    Action::StartContainer { id, name },
                    Cause::NotRunning,
                    Vec::new(),
                );
            }
            Claim::Run { cause, after } => {
                conflicts.extend(in_the_way(spec, observed));
                to_run.push((spec, cause, after));
            }
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }

    let removed: Vec<_> = live
        .unclaimed()
        .into_iter()
        .map(|container| {
            (
                remove_container(&mut plan, &container, Cause::Unwanted, &[]),
                container,
            )
        })
        .collect();
    let images = load_images(&mut plan, &to_run, observed);
    let network = create_network(&mut plan, desired, observed);
    for (spec, cause, old) in to_run {
        let mut after: Vec<_> = images.iter().chain(network.iter()).copied().collect();
        after.extend(
            removed
                .iter()
                .filter(|(_, container)| holds_place_of(container, spec))
                .map(|(id, _)| *id),
        );
        for container in old {
            // The old volunteer goes only when its successor's image is there.
            after.push(remove_container(
                &mut plan,
                &container,
                cause,
                images.as_slice(),
            ));
        }
        plan.add(Action::RunVolunteer(Box::new(spec.clone())), cause, after);
    }
    let removed: Vec<_> = removed.into_iter().map(|(id, _)| id).collect();
    remove_networks(&mut plan, desired, observed, &removed);
    Ok(plan)
}

fn holds_place_of(live: &LiveVolunteer, spec: &VolunteerSpec) -> bool {
    live.name == spec.container_name() || live.port == Some(spec.port.number())
}

/// The farm's containers that no desired volunteer has claimed yet.
struct Live {
    by_target: BTreeMap<TargetName, Vec<LiveVolunteer>>,
    unknown: Vec<LiveVolunteer>,
}

enum Claim {
    Kept,
    Start {
        id: String,
        name: String,
    },
    Run {
        cause: Cause,
        after: Vec<LiveVolunteer>,
    },
}

impl Live {
    fn of(observed: &Observed) -> Self {
        let mut live = Self {
            by_target: BTreeMap::new(),
            unknown: Vec::new(),
        };
        for volunteer in &observed.volunteers {
            match &volunteer.target {
                Some(target) => live
                    .by_target
                    .entry(target.clone())
                    .or_default()
                    .push(volunteer.clone()),
                None => live.unknown.push(volunteer.clone()),
            }
        }
        live
    }

    /// Finds the container that already is what `spec` wants; every other one of the target must make room.
    fn claim(&mut self, spec: &VolunteerSpec) -> Claim {
        let mut candidates = self.by_target.remove(&spec.target).unwrap_or_default();
        let wanted = spec.fingerprint();
        let fits = |live: &LiveVolunteer| {
            live.fingerprint.as_ref() == Some(&wanted)
                && live.name == spec.container_name()
                && matches!(
                    live.state,
                    LiveState::Running | LiveState::Created | LiveState::Exited
                )
        };
        let Some(index) = candidates.iter().position(fits) else {
            let cause = cause_of_replacement(&candidates);
            return Claim::Run {
                cause,
                after: candidates,
            };
        };
        let kept = candidates.remove(index);
        self.unknown.append(&mut candidates);
        match kept.state {
            LiveState::Running => Claim::Kept,
            _ => Claim::Start {
                id: kept.id,
                name: kept.name,
            },
        }
    }

    fn unclaimed(self) -> Vec<LiveVolunteer> {
        self.by_target
            .into_values()
            .flatten()
            .chain(self.unknown)
            .collect()
    }
}

fn cause_of_replacement(old: &[LiveVolunteer]) -> Cause {
    let broken =
        |live: &LiveVolunteer| !matches!(live.state, LiveState::Running | LiveState::Exited);
    match old {
        [] => Cause::Missing,
        old if old.iter().all(broken) => Cause::Broken,
        _ => Cause::Changed,
    }
}

fn in_the_way(spec: &VolunteerSpec, observed: &Observed) -> Vec<Conflict> {
    let holders = observed.taken_ports.iter().filter(|holder| {
        let same_address = holder.address == spec.publish
            || holder.address.is_unspecified()
            || spec.publish.is_unspecified();
        holder.port == spec.port.number() && same_address
    });
    let mut conflicts: Vec<_> = holders
        .map(|holder| Conflict::Port {
            port: holder.port,
            target: spec.target.clone(),
            container: holder.container.clone(),
        })
        .collect();
    // An engine lists a port once for each address family.
    conflicts.dedup();
    let name = spec.container_name();
    if observed.taken_names.contains(&name) {
        conflicts.push(Conflict::Name { name });
    }
    conflicts
}

type ToRun<'a> = (&'a VolunteerSpec, Cause, Vec<LiveVolunteer>);

fn load_images(plan: &mut Plan, to_run: &[ToRun<'_>], observed: &Observed) -> Option<StepId> {
    let wanted = to_run.iter().map(|(spec, ..)| &spec.image);
    let mut missing: Vec<ImageTag> = wanted
        .filter(|tag| !observed.images.contains_key(tag))
        .cloned()
        .collect();
    missing.sort();
    missing.dedup();
    (!missing.is_empty()).then(|| plan.add(Action::LoadImages(missing), Cause::Missing, Vec::new()))
}

fn create_network(plan: &mut Plan, desired: &Desired, observed: &Observed) -> Option<StepId> {
    let name = network_name(&desired.farm);
    let wanted = !desired.volunteers.is_empty()
        && !observed.networks.iter().any(|network| network.name == name);
    wanted.then(|| {
        plan.add(
            Action::CreateNetwork(desired.farm.clone()),
            Cause::Missing,
            Vec::new(),
        )
    })
}

fn remove_container(
    plan: &mut Plan,
    live: &LiveVolunteer,
    cause: Cause,
    after: &[StepId],
) -> StepId {
    let action = Action::RemoveContainer {
        id: live.id.clone(),
        name: live.name.clone(),
    };
    plan.add(action, cause, after.to_vec())
}

fn remove_networks(plan: &mut Plan, desired: &Desired, observed: &Observed, after: &[StepId]) {
    let wanted = (!desired.volunteers.is_empty()).then(|| network_name(&desired.farm));
    let mut kept_one = false;
    for network in &observed.networks {
        let keep = !kept_one && wanted.as_ref() == Some(&network.name);
        kept_one |= keep;
        if !keep {
            let action = Action::RemoveNetwork {
                id: network.id.clone(),
                name: network.name.clone(),
            };
            plan.add(action, Cause::Unwanted, after.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::fixture::{attic, live, spec, standing};
    use super::*;
    use crate::engine::{LiveNetwork, PortHolder};
    use crate::farm::Fingerprint;

    fn plan(desired: &Desired, observed: &Observed) -> String {
        diff(desired, observed).expect("no conflict").to_string()
    }

    #[test]
    fn a_farm_on_an_empty_engine_is_made_from_nothing() {
        assert_eq!(
            plan(&attic(), &Observed::default()),
            "+ images farmctl/aarch64:1, farmctl/armv7h:1 (missing)\n\
             + network farmctl-attic (missing)\n\
             + volunteer armv7h on port 3635 (missing)\n\
             + volunteer aarch64 on port 3636 (missing)\n"
        );
    }

    #[test]
    fn an_unchanged_farm_plans_nothing() {
        assert_eq!(plan(&attic(), &standing()), "");
    }

    #[test]
    fn nothing_desired_removes_everything_of_the_farm() {
        assert_eq!(
            plan(&Desired::nothing(attic().farm), &standing()),
            "- container farmctl-attic-aarch64 (not wanted)\n\
             - container farmctl-attic-armv7h (not wanted)\n\
             - network farmctl-attic (not wanted)\n"
        );
    }

    #[test]
    fn a_stopped_volunteer_is_started() {
        for state in [LiveState::Exited, LiveState::Created] {
            let mut observed = standing();
            observed.volunteers[0].state = state;
            assert_eq!(
                plan(&attic(), &observed),
                "~ container farmctl-attic-armv7h (not running)\n"
            );
        }
    }

    #[test]
    fn a_paused_or_dead_volunteer_is_made_again() {
        for state in [LiveState::Paused, LiveState::Dead, LiveState::Restarting] {
            let mut observed = standing();
            observed.volunteers[0].state = state;
            assert_eq!(
                plan(&attic(), &observed),
                "- container farmctl-attic-armv7h (broken)\n+ volunteer armv7h on port 3635 (broken)\n"
            );
        }
    }

    #[test]
    fn a_changed_volunteer_is_replaced_once_its_image_is_there() {
        let mut desired = attic();
        desired.volunteers[0].image = ImageTag::new("farmctl/armv7h:2");
        let plan = diff(&desired, &standing()).expect("no conflict");
        assert_eq!(
            plan.to_string(),
            "+ image farmctl/armv7h:2 (missing)\n\
             - container farmctl-attic-armv7h (changed)\n\
             + volunteer armv7h on port 3635 (changed)\n"
        );
        let after: Vec<_> = plan.steps().iter().map(|step| step.after.clone()).collect();
        assert_eq!(after, [vec![], vec![StepId(0)], vec![StepId(0), StepId(1)]]);
    }

    #[test]
    fn a_second_container_of_a_target_is_removed_and_the_right_one_kept() {
        let mut observed = standing();
        let mut twin = live(&spec("armv7h", 3635), "c");
        twin.name = "by-hand".to_owned();
        observed.volunteers.insert(0, twin);
        assert_eq!(
            plan(&attic(), &observed),
            "- container by-hand (not wanted)\n"
        );
    }

    #[test]
    fn a_container_that_holds_the_port_of_another_target_goes_first() {
        let mut observed = standing();
        observed.volunteers[0].target = Some("armv6h".parse().unwrap());
        let plan = diff(&attic(), &observed).expect("no conflict");
        let run = plan.steps().last().expect("a step");
        assert_eq!(run.after, [StepId(0)], "{plan}");
    }

    #[test]
    fn a_container_with_unreadable_labels_is_made_again() {
        let mut observed = standing();
        observed.volunteers[1].fingerprint = Some(Fingerprint::from_label("?"));
        assert_eq!(
            plan(&attic(), &observed),
            "- container farmctl-attic-aarch64 (changed)\n+ volunteer aarch64 on port 3636 (changed)\n"
        );
    }

    #[test]
    fn a_second_network_is_removed() {
        let mut observed = standing();
        observed.networks.push(LiveNetwork {
            id: "m".to_owned(),
            name: "farmctl-attic".to_owned(),
        });
        assert_eq!(
            plan(&attic(), &observed),
            "- network farmctl-attic (not wanted)\n"
        );
    }

    #[test]
    fn strangers_in_the_way_are_all_named_and_never_touched() {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let observed = Observed {
            taken_ports: vec![PortHolder {
                port: 3635,
                address,
                container: "web".to_owned(),
            }],
            taken_names: vec!["farmctl-attic-aarch64".to_owned()],
            ..Observed::default()
        };
        let conflicts = diff(&attic(), &observed).expect_err("two conflicts");
        let text: Vec<_> = conflicts.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "port 3635 for target armv7h is taken by container web",
                "a container named farmctl-attic-aarch64 exists and does not belong to this farm",
            ]
        );
    }

    #[test]
    fn a_stranger_on_another_address_is_not_in_the_way() {
        let address = IpAddr::from([127, 0, 0, 1]);
        let observed = Observed {
            taken_ports: vec![PortHolder {
                port: 3635,
                address,
                container: "web".to_owned(),
            }],
            ..Observed::default()
        };
        assert!(diff(&attic(), &observed).is_ok());
    }
}
