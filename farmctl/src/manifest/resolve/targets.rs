//! Which targets this farm compiles for, and with which compilers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::farm::{GccMajor, Target, TargetName};
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::sections::TargetSection;
use crate::manifest::source::{Located, Spot};
use crate::manifest::toolchains::Catalogue;

/// A target with the port and the settings that it has in this farm.
pub(super) struct FarmTarget {
    pub(super) target: Arc<Target>,
    pub(super) gcc: Vec<GccMajor>,
    pub(super) settings: TargetSection,
    /// Where its port comes from.
    port: Spot,
}

/// All there are, as their files describe them.
pub(super) fn every(catalogue: &Catalogue) -> Vec<FarmTarget> {
    let files = catalogue.targets().iter();
    files
        .filter_map(|file| {
            let target = Arc::clone(file.target.as_ref()?);
            Some(FarmTarget {
                gcc: vec![target.default_gcc],
                target,
                settings: TargetSection::default(),
                port: file.port.clone(),
            })
        })
        .collect()
}

/// Those that the manifest lists.
pub(super) fn listed(
    listed: Vec<(Located<String>, TargetSection)>,
    catalogue: &Catalogue,
    findings: &mut Findings,
) -> Vec<FarmTarget> {
    let mut seen = Seen::default();
    listed
        .into_iter()
        .filter_map(|(name, settings)| {
            let target = find(&name, catalogue, findings)?;
            seen.accepts(&name, &target, findings)
                .then(|| configured(target, name.spot, settings, findings))
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

fn configured(
    target: Arc<Target>,
    listed: Spot,
    settings: TargetSection,
    findings: &mut Findings,
) -> FarmTarget {
    let gcc = match settings.gcc.as_slice() {
        [] => vec![target.default_gcc],
        asked => known_versions(&target, asked, findings),
    };
    refuse_lacking_headers(&target, &settings, findings);
    let (target, port) = match &settings.port {
        None => (target, listed),
        Some(port) => {
            let moved = Target {
                port: port.value,
                ..Target::clone(&target)
            };
            (Arc::new(moved), port.spot.clone())
        }
    };
    FarmTarget {
        target,
        gcc,
        settings,
        port,
    }
}

fn known_versions(
    target: &Target,
    asked: &[Located<GccMajor>],
    findings: &mut Findings,
) -> Vec<GccMajor> {
    let mut known = Vec::new();
    for version in asked {
        if target.gcc.contains_key(&version.value) {
            known.push(version.value);
        } else {
            let problem = Problem::UnknownGcc {
                target: target.name.clone(),
                version: version.value,
                known: target.gcc.keys().copied().collect(),
            };
            findings.at(problem, &version.spot);
        }
    }
    known
}

fn refuse_lacking_headers(target: &Target, settings: &TargetSection, findings: &mut Findings) {
    let lacking = target.gcc.values().any(|source| !source.has_headers());
    if let Some(asked) = settings
        .headers
        .as_ref()
        .filter(|asked| asked.value && lacking)
    {
        findings.at(Problem::NoHeaders(target.name.clone()), &asked.spot);
    }
}

/// One port leads to one target.
pub(super) fn refuse_shared_ports(targets: &[FarmTarget], findings: &mut Findings) {
    let mut owners: BTreeMap<_, &FarmTarget> = BTreeMap::new();
    for second in targets {
        let port = second.target.port;
        let first = *owners.entry(port).or_insert(second);
        if !std::ptr::eq(first, second) {
            let problem = Problem::SamePort {
                first: first.target.name.clone(),
                second: second.target.name.clone(),
                port,
            };
            findings.clash(problem, &second.port, &first.port);
        }
    }
}
