//! Which targets this farm compiles for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::farm::{Target, TargetName};
use crate::manifest::archive_section::ToolchainSection;
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::sections::{Named, TargetSection};
use crate::manifest::settings::Settings;
use crate::manifest::source::{Located, Spot};
use crate::manifest::toolchains::Catalogue;

/// A target with the port and the settings that it has in this farm.
pub(super) struct FarmTarget {
    pub(super) target: Arc<Target>,
    pub(super) toolchain: Option<ToolchainSection>,
    pub(super) settings: Settings,
    /// Where its port comes from.
    pub(super) port: Spot,
}

/// Those that a farm has whose manifest lists none, as their files describe them.
pub(super) fn by_default(catalogue: &Catalogue) -> Vec<FarmTarget> {
    let files = catalogue.targets().iter();
    files
        .filter(|file| !file.only_if_named)
        .filter_map(|file| {
            Some(FarmTarget {
                target: Arc::clone(file.target.as_ref()?),
                toolchain: None,
                settings: Settings::default(),
                port: file.port.clone(),
            })
        })
        .collect()
}

/// Those that the manifest lists.
pub(super) fn listed(
    listed: Named<String, TargetSection>,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Vec<FarmTarget> {
    let mut seen = Seen::default();
    listed
        .into_iter()
        .filter_map(|(name, section)| {
            let name = name?;
            let target = find(&name, catalogue, findings)?;
            seen.accepts(&name, &target, findings)
                .then(|| configured(target, name.spot, section))
        })
        .collect()
}

/// The target that `name` means; `None` if it is unknown, or its file has mistakes.
pub(super) fn find(
    name: &Located<String>,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Option<Arc<Target>> {
    let Some(file) = catalogue.find(&name.value) else {
        let problem = Problem::UnknownTarget {
            name: name.value.clone(),
            known: catalogue.names(),
        };
        findings.at(problem, &name.spot);
        return None;
    };
    file.target.clone()
}

/// The targets of one list so far; a target may come back under another of its names.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<TargetName, Spot>);

impl Seen {
    /// Whether `target` is new; if not, that is noted.
    pub(super) fn accepts(
        &mut self,
        name: &Located<String>,
        target: &Target,
        findings: &mut Findings,
    ) -> bool {
        let Some(first) = self.0.get(&target.name) else {
            self.0.insert(target.name.clone(), name.spot.clone());
            return true;
        };
        let problem = Problem::SameTarget {
            name: name.value.clone(),
            target: target.name.clone(),
        };
        findings.clash(problem, &name.spot, first);
        false
    }
}

fn configured(target: Arc<Target>, listed: Spot, section: TargetSection) -> FarmTarget {
    let (target, port) = match section.port {
        None => (target, listed),
        Some(port) => {
            let moved = Target {
                port: port.value,
                ..Target::clone(&target)
            };
            (Arc::new(moved), port.spot)
        }
    };
    FarmTarget {
        target,
        toolchain: section.toolchain,
        settings: section.settings,
        port,
    }
}
