//! Small farms for tests.

use std::net::IpAddr;
use std::time::Duration;

use super::Desired;
use crate::engine::{LiveNetwork, LiveVolunteer, Observed};
use crate::farm::{GccMajor, ImageTag, Memory, Nice, Port, Slots, VolunteerSpec};

pub(crate) fn spec(target: &str, port: u64) -> VolunteerSpec {
    VolunteerSpec {
        farm: "attic".parse().unwrap(),
        target: target.parse().unwrap(),
        image: ImageTag::new(format!("farmctl/{target}:1")),
        port: Port::try_from(port).unwrap(),
        publish: IpAddr::from([10, 30, 5, 9]),
        slots: Slots::clamped(4),
        nice: Nice::DEFAULT,
        memory: Memory::LEAST,
        allow: Vec::new(),
        gcc: vec![GccMajor::try_from(14).unwrap()],
        stop_grace: Duration::from_secs(1),
    }
}

pub(super) fn attic() -> Desired {
    Desired {
        farm: "attic".parse().unwrap(),
        volunteers: vec![spec("armv7h", 3635), spec("aarch64", 3636)],
    }
}

pub(super) fn live(spec: &VolunteerSpec, id: &str) -> LiveVolunteer {
    LiveVolunteer::running(spec, id.to_owned())
}

/// What an engine shows after [`attic`] was applied.
pub(super) fn standing() -> Observed {
    let desired = attic();
    let ids = ["a", "b"];
    Observed {
        volunteers: desired
            .volunteers
            .iter()
            .zip(ids)
            .map(|(spec, id)| live(spec, id))
            .collect(),
        networks: vec![LiveNetwork {
            id: "n".to_owned(),
            name: "farmctl-attic".to_owned(),
        }],
        images: desired
            .volunteers
            .iter()
            .map(|spec| (spec.image.clone(), 1))
            .collect(),
        ..Observed::default()
    }
}
