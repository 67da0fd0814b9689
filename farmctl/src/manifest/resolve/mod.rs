//! The manifest as written to the farm it means: defaults, references, clashes.
//!
//! A mistake is noted and something harmless put in its place, so that all of them are found in one run. The farm
//! counts only if nothing was noted.

mod addresses;
mod allow;
mod engine;
mod hosts;
mod ports;
mod swarm;
mod targets;
mod volunteer;

use std::path::Path;

use crate::farm::{Address, Farm};

use super::error::Findings;
use super::sections::FarmSection;
use super::toolchains::Catalogue;

/// The farm that `section` describes, in a manifest that lies in `folder`.
pub(super) fn farm(
    section: FarmSection,
    catalogue: &Catalogue,
    folder: &Path,
    findings: &mut Findings,
) -> Farm {
    let targets = match section.targets {
        Some(listed) => targets::listed(listed, catalogue, findings),
        None => targets::by_default(catalogue),
    };
    let farm = hosts::Surroundings {
        targets: &targets,
        settings: &section.settings,
        address: section.address.unwrap_or(Address::Auto),
        catalogue,
        folder,
    };
    Farm {
        name: section.name.unwrap_or_default(),
        allow: allow::list(&section.allow, findings),
        mirror: section.mirror,
        hosts: hosts::all(section.hosts.unwrap_or_default(), &farm, findings),
    }
}
