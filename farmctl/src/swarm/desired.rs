//! The farm's wish for a swarm, decided down to every service. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use crate::converge::{self, DesiredError, Intent, Scope};
use crate::engine::{EngineFacts, LiveNode};
use crate::farm::{
    AllowList, FarmName, Host, ImageSource, ImageTag, LeftToNodes, ServicePowers, ServiceSpec,
    Slots, Swarm, TargetName, Volunteer, VolunteerSpec,
};

/// What a swarm should run. Of what a user can ask for it knows to keep things and to restart them.
pub type Desired = converge::Desired<Wanted>;

/// The services of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it compiles for.
    pub target: TargetName,
    /// The image on the manager's engine.
    pub image: ImageTag,
    /// The same in the registry.
    pub reference: ImageTag,
    /// Where the image comes from.
    pub source: ImageSource,
    /// What owns the port.
    pub door: ServiceSpec,
    /// What compiles.
    pub volunteer: ServiceSpec,
}

/// What the manifest leaves to the swarm.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What the manager's engine says of itself.
    pub engine: &'a EngineFacts,
    /// What the manager can ask of nodes.
    pub powers: ServicePowers,
    /// The image of every target on the manager's engine.
    pub images: &'a BTreeMap<TargetName, ImageTag>,
}

/// Decides every service of `host`, which is `swarm`.
///
/// # Errors
/// There is no image for a target.
pub fn desired(
    farm: &FarmName,
    allow: &AllowList,
    (host, swarm): (&Host, &Swarm),
    surroundings: &Surroundings<'_>,
) -> Result<Desired, DesiredError> {
    let everywhere = converge::Surroundings {
        engine: surroundings.engine,
        // A service's port is open on every address of a node: a swarm has no word for one of them.
        publish: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        images: surroundings.images,
    };
    let specs = converge::desired(farm, allow, host, &everywhere)?.targets;
    let base = placement(swarm, surroundings.engine);
    let wanted = |(spec, volunteer): (VolunteerSpec, &Volunteer)| {
        let reference = reference(&spec, swarm);
        let left = LeftToNodes {
            slots: volunteer.slots.is_none(),
            memory: volunteer.memory.is_none(),
        };
        let (image, source) = (spec.image.clone(), spec.source.clone());
        let spec = VolunteerSpec {
            image: reference.clone(),
            // Nodes are not asked one by one.
            process_limit: true,
            ..spec
        };
        Wanted {
            target: spec.target.clone(),
            image,
            reference,
            source,
            door: ServiceSpec::door(&spec, &base, surroundings.powers),
            volunteer: ServiceSpec::volunteer(&spec, left, &base, surroundings.powers),
        }
    };
    Ok(Desired {
        farm: farm.clone(),
        targets: specs
            .into_iter()
            .zip(&host.volunteers)
            .map(wanted)
            .collect(),
        scope: Scope::Farm,
        intent: Intent::Keep,
    })
}

/// What every node must be, whatever the manifest says: images hold programs for one kind of machine.
fn placement(swarm: &Swarm, engine: &EngineFacts) -> BTreeSet<String> {
    let machine = engine.architecture.machine();
    let own = [
        "node.platform.os==linux".to_owned(),
        format!("node.platform.arch=={machine}"),
    ];
    let user = swarm.placement.iter().map(ToString::to_string);
    own.into_iter().chain(user).collect()
}

/// An assembled image's tag says what it is made from, in the registry as well.
fn reference(spec: &VolunteerSpec, swarm: &Swarm) -> ImageTag {
    match spec.source {
        ImageSource::Pull(_) => spec.image.clone(),
        ImageSource::Assemble | ImageSource::Never => {
            let text = spec.image.as_str();
            let fingerprint = text.rsplit(':').next().unwrap_or(text);
            ImageTag::new(format!(
                "{}:{fingerprint}",
                swarm.registry.repository(&spec.target)
            ))
        }
    }
}

/// The jobs that a volunteer takes at once on `node`: what the manifest says, or else what the daemon there finds out by
/// itself.
pub fn node_slots(volunteer: &Volunteer, node: &LiveNode) -> Slots {
    let limit = volunteer.cpus.map_or(u32::MAX, |cpus| {
        u32::try_from(cpus.nanos() / 1_000_000_000).unwrap_or(u32::MAX)
    });
    let processors = node.processors.min(limit).max(1);
    let by_processors = Slots::clamped(u64::from(processors) + 2);
    volunteer.slots.unwrap_or(by_processors)
}
