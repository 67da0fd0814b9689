//! One volunteer: what a target, a host and the farm together make of it.

use std::sync::Arc;

use crate::farm::{GccMajor, Grace, Nice, Target, Volunteer};
use crate::manifest::archive_section::ToolchainSection;
use crate::manifest::error::Findings;
use crate::manifest::problem::Problem;
use crate::manifest::sections::HostTargetSection;
use crate::manifest::settings::{Settings, combined};

use super::targets::FarmTarget;

/// The volunteer of `known` on a host; `own` is what the host says of this target.
pub(super) fn volunteer(
    known: &FarmTarget,
    own: &HostTargetSection,
    host: &Settings,
    farm: &Settings,
    findings: &mut Findings,
) -> Volunteer {
    let settings = combined(&own.settings, host, &known.settings, farm);
    let toolchain = own.toolchain.as_ref().or(known.toolchain.as_ref());
    let (target, gcc) = compilers(&known.target, toolchain, &settings, findings);
    Volunteer {
        target,
        gcc,
        slots: settings.jobs,
        cpus: settings.cpus,
        memory: settings.memory,
        nice: settings.nice.unwrap_or(Nice::DEFAULT),
        headers: settings.headers.is_some_and(|headers| headers.value),
        publish: settings.publish.unwrap_or_default(),
        network: settings.network.unwrap_or_default(),
        restart: settings.restart.unwrap_or_default(),
        stop_grace: settings.stop_grace.unwrap_or(Grace::DEFAULT),
        stats: settings.stats.unwrap_or_default(),
        image: settings.image.unwrap_or_default(),
        labels: settings.labels,
    }
}

/// The target with all its compilers, and which of them are installed.
fn compilers(
    target: &Arc<Target>,
    toolchain: Option<&ToolchainSection>,
    settings: &Settings,
    findings: &mut Findings,
) -> (Arc<Target>, Vec<GccMajor>) {
    let target = match toolchain {
        Some(ToolchainSection::Archive(archive)) => Arc::new(archive.added_to(target)),
        Some(ToolchainSection::Packages) | None => Arc::clone(target),
    };
    let gcc = versions(&target, settings, findings);
    if let Some(ToolchainSection::Archive(archive)) = toolchain
        && !gcc.contains(&archive.gcc.value)
    {
        let problem = Problem::UnusedArchive {
            target: target.name.clone(),
            version: archive.gcc.value,
        };
        findings.at(problem, &archive.gcc.spot);
    }
    refuse_lacking_headers(&target, &gcc, settings, findings);
    (target, gcc)
}

fn versions(target: &Target, settings: &Settings, findings: &mut Findings) -> Vec<GccMajor> {
    let Some(asked) = &settings.gcc else {
        return vec![target.default_gcc];
    };
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

fn refuse_lacking_headers(
    target: &Target,
    gcc: &[GccMajor],
    settings: &Settings,
    findings: &mut Findings,
) {
    let lacks = |version: &&GccMajor| {
        let sources = target.gcc.get(version);
        sources.is_some_and(|sources| sources.iter().any(|(_host, source)| !source.has_headers()))
    };
    if let Some(asked) = settings.headers.as_ref().filter(|asked| asked.value)
        && let Some(version) = gcc.iter().find(lacks)
    {
        let problem = Problem::NoHeaders {
            target: target.name.clone(),
            version: *version,
        };
        findings.at(problem, &asked.spot);
    }
}
