//! The manifest as written to the farm it means: defaults, references, clashes.
//!
//! A mistake is noted and something harmless put in its place, so that all of them are found in one run. The farm
//! counts only if nothing was noted.

mod hosts;
mod targets;

use crate::farm::{Address, AllowList, Farm};

use super::error::Findings;
use super::sections::FarmSection;
use super::toolchains::Catalogue;

/// The farm that `section` describes.
pub(super) fn farm(section: FarmSection, catalogue: &Catalogue, findings: &mut Findings) -> Farm {
    let targets = match section.targets {
        Some(listed) => targets::listed(listed, catalogue, findings),
        None => targets::every(catalogue),
    };
    targets::refuse_shared_ports(&targets, findings);
    let address = section.address.unwrap_or(Address::Auto);
    let allow = section.allow.into_iter().map(|rule| rule.value);
    let hosts = section.hosts.unwrap_or_default();
    Farm {
        name: section.name.unwrap_or_default(),
        allow: AllowList::new(allow.collect()),
        mirror: section.mirror,
        hosts: hosts::all(hosts, &targets, &address, catalogue, findings),
    }
}
