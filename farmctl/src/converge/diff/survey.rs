//! What there is of each target, and how it compares with what is wanted.

use std::cmp::Reverse;

use super::super::Desired;
use super::super::desired::Intent;
use crate::engine::{Account, Health, LiveContainer, LiveState, LiveVolume, Observed};
use crate::farm::{
    DoorSpec, ImageSource, Network, Shape, TargetName, VolunteerSpec, network_name, volume_name,
    volume_options,
};

/// One wanted target, and what there is of it.
pub(super) struct Site<'a> {
    pub(super) spec: &'a VolunteerSpec,
    pub(super) door_spec: DoorSpec,
    pub(super) standing: Standing<'a>,
    /// A volume that cannot serve and must go once no container uses it.
    pub(super) bad_volume: Option<&'a LiveVolume>,
}

/// The containers of a wanted target.
pub(super) enum Standing<'a> {
    /// They are to serve.
    Serving {
        volunteers: Choice<'a>,
        doors: Choice<'a>,
    },
    /// They are kept from serving: the volunteer that bears the mark, all other ones, and the doors.
    Drained {
        marked: &'a LiveContainer,
        others: Vec<&'a LiveContainer>,
        doors: Vec<&'a LiveContainer>,
    },
}

/// The one container of a kind that is as wanted, if there is one, and all others.
pub(super) struct Choice<'a> {
    pub(super) kept: Option<&'a LiveContainer>,
    pub(super) others: Vec<Rejected<'a>>,
}

/// A container that is to go.
#[derive(Clone)]
pub(super) struct Rejected<'a> {
    pub(super) live: &'a LiveContainer,
    /// In what it differs; nothing for a twin of the kept one.
    pub(super) differences: Vec<String>,
}

pub(super) fn sites<'a>(desired: &'a Desired, observed: &'a Observed) -> Vec<Site<'a>> {
    // Where there is nothing, there is nothing to drain.
    let is_meant = |spec: &VolunteerSpec| {
        desired.intent != Intent::Drain || !of_target(&observed.volunteers, &spec.target).is_empty()
    };
    let in_scope =
        |spec: &&VolunteerSpec| desired.scope.holds(Some(&spec.target)) && is_meant(spec);
    let wanted = desired.targets.iter().filter(in_scope);
    wanted.map(|spec| site(spec, desired, observed)).collect()
}

fn site<'a>(spec: &'a VolunteerSpec, desired: &Desired, observed: &'a Observed) -> Site<'a> {
    let door_spec = spec.door();
    let volunteers = of_target(&observed.volunteers, &spec.target);
    let doors = of_target(&observed.doors, &spec.target);
    let volume = volume(spec, observed);
    let bad_volume = volume.filter(|volume| !is_right(volume, spec));
    let standing = if let Some(marked) = marked(spec, desired.intent, &volunteers) {
        Standing::Drained {
            marked,
            others: volunteers
                .into_iter()
                .filter(|live| live.id != marked.id)
                .collect(),
            doors,
        }
    } else {
        // Containers whose volume is gone or not ours share nothing with their successors.
        let is_cut_off = volume.is_none() || bad_volume.is_some();
        let of_volunteer = |live: &LiveContainer| {
            let cut_off = is_cut_off.then(|| "volume".to_owned());
            let mut differences = differences(spec, live, observed);
            differences.extend(cut_off);
            differences
        };
        let of_door = |live: &LiveContainer| {
            let cut_off = is_cut_off.then(|| "volume".to_owned());
            let mut differences = door_differences(&door_spec, live, observed);
            differences.extend(cut_off);
            differences
        };
        let restart = desired.intent == Intent::Restart;
        Standing::Serving {
            volunteers: choose(volunteers, &spec.container_names(), restart, of_volunteer),
            doors: choose(doors, &[door_spec.container_name()], false, of_door),
        }
    };
    Site {
        spec,
        door_spec,
        standing,
        bad_volume,
    }
}

fn door_differences(spec: &DoorSpec, live: &LiveContainer, observed: &Observed) -> Vec<String> {
    let mut differences = unlike(spec.unsealed_of(&live.shape.image), live);
    let is_told = differences.iter().any(|name| name == "network");
    if !is_told && !network_fits(spec, observed) {
        differences.push("network".to_owned());
    }
    differences
}

/// The volunteer that bears the mark of a drained target, or is to bear it.
fn marked<'a>(
    spec: &VolunteerSpec,
    intent: Intent,
    volunteers: &[&'a LiveContainer],
) -> Option<&'a LiveContainer> {
    let name = VolunteerSpec::drained_name(&spec.farm, &spec.target);
    let is_marked = volunteers.iter().find(|live| live.name == name).copied();
    match intent {
        Intent::Keep | Intent::Restart => is_marked,
        Intent::Undrain => None,
        Intent::Drain => is_marked.or_else(|| {
            let mut all = volunteers.to_vec();
            all.sort_by_key(|live| rank(live, &spec.container_names()));
            all.first().copied()
        }),
    }
}

fn of_target<'a>(containers: &'a [LiveContainer], target: &TargetName) -> Vec<&'a LiveContainer> {
    containers
        .iter()
        .filter(|live| live.target.as_ref() == Some(target))
        .collect()
}

/// The best of those that are as wanted is kept, also if it does not run.
fn choose<'a>(
    mut all: Vec<&'a LiveContainer>,
    names: &[String],
    all_must_go: bool,
    differences: impl Fn(&LiveContainer) -> Vec<String>,
) -> Choice<'a> {
    all.sort_by_key(|live| rank(live, names));
    let mut choice = Choice {
        kept: None,
        others: Vec::new(),
    };
    for live in all {
        let differences = differences(live);
        let can_serve = !matches!(live.state, LiveState::Restarting | LiveState::Dead);
        if choice.kept.is_none() && !all_must_go && can_serve && differences.is_empty() {
            choice.kept = Some(live);
        } else {
            choice.others.push(Rejected { live, differences });
        }
    }
    choice
}

/// Lower is better: running, known to be fit, under a right name.
fn rank(live: &LiveContainer, names: &[String]) -> impl Ord + use<> {
    let state = match live.state {
        LiveState::Running => 0,
        LiveState::Paused => 1,
        LiveState::Exited | LiveState::Created => 2,
        LiveState::Restarting => 3,
        LiveState::Dead => 4,
    };
    let health = match live.health {
        Health::Healthy => 0,
        Health::Starting | Health::Unknown => 1,
        Health::Unhealthy => 2,
    };
    let is_named = names.contains(&live.name);
    (
        state,
        health,
        Reverse(is_named),
        live.name.clone(),
        live.id.clone(),
    )
}

fn differences(spec: &VolunteerSpec, live: &LiveContainer, observed: &Observed) -> Vec<String> {
    let mut differences = unlike(spec.unsealed(), live);
    if differences.first().map(String::as_str) != Some("image")
        && !runs_its_image(spec, live, observed)
    {
        differences.insert(0, "image".to_owned());
    }
    differences
}

/// What of a container is not as wanted, as far as its engine lets that be known.
fn unlike(wanted: Shape, live: &LiveContainer) -> Vec<String> {
    match live.account {
        Account::Whole => wanted.differences(&live.shape, &live.inherited),
        Account::Fingerprint if live.fingerprint == wanted.sealed().fingerprint() => Vec::new(),
        Account::Fingerprint => vec!["specification".to_owned()],
    }
}

/// A tag may have been moved since the container was made, or before.
fn runs_its_image(spec: &VolunteerSpec, live: &LiveContainer, observed: &Observed) -> bool {
    let is_assembled = spec.source == ImageSource::Assemble;
    let says_so = live.image_made_as() == Some(spec.image.as_str());
    let there = observed.images.get(&spec.image);
    let is_same = there
        .filter(|_| has_image(spec, observed))
        .is_none_or(|image| image.id == live.image_id);
    is_same && (!is_assembled || says_so)
}

/// Whether the engine has the image that `spec` means: an assembled one says itself what it is.
pub(super) fn has_image(spec: &VolunteerSpec, observed: &Observed) -> bool {
    observed
        .images
        .get(&spec.image)
        .is_some_and(|image| match spec.source {
            ImageSource::Assemble => image.made_as.as_ref() == Some(&spec.image),
            ImageSource::Pull(_) | ImageSource::Never => true,
        })
}

fn volume<'a>(spec: &VolunteerSpec, observed: &'a Observed) -> Option<&'a LiveVolume> {
    let name = volume_name(&spec.farm, &spec.target);
    observed.volumes.iter().find(|volume| volume.name == name)
}

fn is_right(volume: &LiveVolume, spec: &VolunteerSpec) -> bool {
    volume.target.as_ref() == Some(&spec.target) && volume.options == Some(volume_options())
}

/// Whether the network that a door wants to be in is there.
fn network_fits(door: &DoorSpec, observed: &Observed) -> bool {
    let name = network_name(&door.farm);
    door.network == Network::Host
        || observed
            .networks
            .iter()
            .any(|network| network.name == name && network.is_isolated)
}

/// The wanted targets that are drained and stay so.
pub fn drained(desired: &Desired, observed: &Observed) -> Vec<TargetName> {
    if desired.intent == Intent::Undrain {
        return Vec::new();
    }
    let is_marked = |spec: &&VolunteerSpec| {
        let name = VolunteerSpec::drained_name(&spec.farm, &spec.target);
        let mut volunteers = observed.volunteers.iter();
        desired.scope.holds(Some(&spec.target))
            && volunteers
                .any(|live| live.name == name && live.target.as_ref() == Some(&spec.target))
    };
    let marked = desired.targets.iter().filter(is_marked);
    marked.map(|spec| spec.target.clone()).collect()
}
