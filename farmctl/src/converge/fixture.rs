//! Small farms for tests.

use std::net::IpAddr;

use super::{Desired, Intent, Scope};
use crate::engine::{LiveContainer, LiveNetwork, LiveVolume, Observed, TaggedImage};
use crate::farm::{
    GccMajor, Grace, ImageSource, ImageTag, Labels, Memory, Network, Nice, Port, Restart, Slots,
    Stats, VolunteerSpec, volume_name, volume_options,
};

pub(crate) fn spec(target: &str, port: u64) -> VolunteerSpec {
    VolunteerSpec {
        farm: "attic".parse().unwrap(),
        target: target.parse().unwrap(),
        image: ImageTag::new(format!("farmctl/{target}:1")),
        source: ImageSource::Assemble,
        port: Port::try_from(port).unwrap(),
        publish: IpAddr::from([10, 30, 5, 9]),
        network: Network::Bridge,
        slots: Slots::clamped(4),
        cpus: None,
        nice: Nice::DEFAULT,
        memory: Memory::LEAST,
        allow: Vec::new(),
        gcc: vec![GccMajor::try_from(14).unwrap()],
        restart: Restart::default(),
        stop_grace: Grace::DEFAULT,
        stats: Stats::Off,
        labels: Labels::new(),
        swap_limit: true,
        process_limit: true,
    }
}

pub(super) fn attic() -> Desired {
    wanted(vec![spec("armv7h", 3635), spec("aarch64", 3636)])
}

pub(super) fn wanted(volunteers: Vec<VolunteerSpec>) -> Desired {
    Desired {
        farm: "attic".parse().unwrap(),
        targets: volunteers,
        scope: Scope::Farm,
        intent: Intent::Keep,
    }
}

pub(super) fn live(spec: &VolunteerSpec, id: &str) -> LiveContainer {
    LiveContainer::running(spec, id.to_owned())
}

/// What an engine shows after [`attic`] was applied.
pub(super) fn standing() -> Observed {
    standing_of(&attic())
}

/// What an engine shows after `desired` was applied: volunteers `a`, `b` …, doors `door-a` …
pub(super) fn standing_of(desired: &Desired) -> Observed {
    let mut observed = Observed {
        networks: vec![LiveNetwork {
            id: "n".to_owned(),
            name: "farmctl-attic".to_owned(),
            is_isolated: true,
        }],
        ..Observed::default()
    };
    for (spec, id) in desired.targets.iter().zip('a'..) {
        observed.volunteers.push(live(spec, &id.to_string()));
        let door = LiveContainer::open_door(spec, format!("door-{id}"));
        observed.doors.push(door);
        observed.volumes.push(volume(spec));
        let image = TaggedImage::assembled(&spec.image);
        observed.images.insert(spec.image.clone(), image);
    }
    observed
}

pub(super) fn volume(spec: &VolunteerSpec) -> LiveVolume {
    LiveVolume {
        name: volume_name(&spec.farm, &spec.target),
        is_ours: true,
        target: Some(spec.target.clone()),
        options: Some(volume_options()),
    }
}
