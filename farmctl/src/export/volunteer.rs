//! A volunteer as it is exported: decided as for an engine, but for what only an engine could tell.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::{ASSUMED_MEMORY, Export, ExportError, ImageNames};
use crate::converge::{Surroundings, desired};
use crate::engine::EngineFacts;
use crate::farm::{
    Address, AllowRule, Architecture, Host, ImageSource, ImageTag, Memory, Publish, Shape,
    TargetName, Volunteer, VolunteerSpec,
};

/// One container of an export.
#[derive(Debug, Clone)]
pub(super) struct Exported {
    pub(super) target: TargetName,
    pub(super) port: u16,
    /// The container.
    pub(super) shape: Shape,
    /// Who may send jobs.
    pub(super) allow: Vec<AllowRule>,
    /// What the manifest leaves to the machine.
    pub(super) open: Open,
}

/// What the manifest leaves to the machine; formats with variables have one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    /// The host's address on which ports are published; every one is assumed.
    pub(super) address: bool,
    /// Its memory; see [`ASSUMED_MEMORY`].
    pub(super) memory: bool,
    /// The image's tag; `latest` is assumed.
    pub(super) tag: bool,
}

/// More processors than machines have: how many there are decides only how many processes a container may have.
const ASSUMED_PROCESSORS: u32 = 254;

/// The tag that is assumed.
const TAG: &str = "latest";

/// Every volunteer of the host that is exported.
pub(super) fn exported(what: &Export<'_>) -> Result<Vec<Exported>, ExportError> {
    let images = images(what);
    let surroundings = Surroundings {
        engine: &assumed_engine(),
        publish: own_address(what.host).unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
        images: &images,
    };
    let farm = what.farm;
    let desired = desired(&farm.name, &farm.allow, what.host, &surroundings)?;
    let volunteers = what.host.volunteers.iter().zip(desired.targets);
    Ok(volunteers
        .map(|(volunteer, spec)| Exported::new(what, volunteer, &spec))
        .collect())
}

impl Exported {
    fn new(what: &Export<'_>, volunteer: &Volunteer, spec: &VolunteerSpec) -> Self {
        let mut shape = spec.alone();
        if volunteer.slots.is_none() {
            leave_jobs_to_the_daemon(&mut shape.command);
        }
        let is_pulled = matches!(volunteer.image, ImageSource::Pull(_));
        Self {
            target: spec.target.clone(),
            port: spec.port.number(),
            shape,
            allow: spec.allow.clone(),
            open: Open {
                address: volunteer.publish == Publish::Auto && own_address(what.host).is_none(),
                memory: volunteer.memory.is_none(),
                tag: !is_pulled && matches!(what.images, ImageNames::Stable(_)),
            },
        }
    }

    /// The image without the tag that is assumed.
    pub(super) fn image_name(&self) -> &str {
        let image = self.shape.image.as_str();
        let name = image.strip_suffix(TAG);
        name.and_then(|name| name.strip_suffix(':'))
            .unwrap_or(image)
    }

    /// Where the engine publishes a port; nowhere in particular if that is left to the machine.
    pub(super) fn published(&self) -> impl Iterator<Item = (Option<IpAddr>, u16)> {
        self.shape.ports.values().flatten().map(|address| {
            let ip = address.ip();
            let open = self.open.address && ip.is_unspecified();
            ((!open).then_some(ip), address.port())
        })
    }
}

/// The daemon takes two more than there are processors, as farmctl would tell it to.
fn leave_jobs_to_the_daemon(command: &mut Vec<String>) {
    if let Some(at) = command.iter().position(|word| word == "--jobs") {
        command.drain(at..=at + 1);
    }
}

/// The host's own address, if the manifest says it.
fn own_address(host: &Host) -> Option<IpAddr> {
    match &host.address {
        Address::Given(address) => address.ip(),
        Address::Auto => None,
    }
}

fn images(what: &Export<'_>) -> BTreeMap<TargetName, ImageTag> {
    let registry = match what.images {
        ImageNames::Pinned(images) => return images.clone(),
        ImageNames::Stable(registry) => registry.as_ref(),
    };
    let image = |volunteer: &Volunteer| match (&volunteer.image, registry) {
        (ImageSource::Pull(reference), _) => reference.to_string(),
        (_, Some(registry)) => format!("{}:{TAG}", registry.repository(&volunteer.target.name)),
        (_, None) => format!("farmctl/{}:{TAG}", volunteer.target.name),
    };
    let volunteers = what.host.volunteers.iter();
    volunteers
        .map(|volunteer| {
            (
                volunteer.target.name.clone(),
                ImageTag::new(image(volunteer)),
            )
        })
        .collect()
}

/// One whose volunteers may use [`ASSUMED_MEMORY`]: three quarters of what the machine has.
fn assumed_engine() -> EngineFacts {
    EngineFacts {
        version: String::new(),
        architecture: Architecture::Amd64,
        processors: ASSUMED_PROCESSORS,
        memory: Memory::from_bytes(ASSUMED_MEMORY.bytes().div_ceil(3) * 4),
        swap_limit: true,
        process_limit: true,
    }
}
