//! The client itself: which distcc, and whether compilers are reached through it.

use super::super::fact::known;
use super::super::facts::client::Client;
use super::super::facts::master::MasterFacts;
use super::super::finding::Findings;
use super::super::{Code, Finding};

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    match &facts.client {
        Ok(None) => findings.push(
            Finding::problem(
                Code::DistccMissing,
                "there is no distcc on this machine; volunteers are asked without it",
            )
            .hint("install your distribution's package distcc"),
        ),
        Ok(Some(client)) => {
            findings.push(version(client));
            masquerade(facts, findings);
        }
        Err(reason) => findings.push(Finding::unknown("which distcc is installed", reason)),
    }
    if let Some(compilers) = known(
        &facts.compilers,
        "which compiler this machine has",
        findings,
    ) && compilers.c.is_none()
    {
        findings.push(
            Finding::note(
                Code::CompilerMissing,
                "there is no C compiler on this machine to compare with",
            )
            .hint("install gcc, or name the compiler with CC and CXX"),
        );
    }
}

/// What users meet with old releases, newest first.
const FAULTS: [(&str, &str, &str); 4] = [
    (
        "3.3",
        "sends gcc as TRIPLE-gcc, which stock daemons answer only if that name is permitted; clang's --target is overlooked",
        "update it to 3.4",
    ),
    (
        "3.2",
        "sends plain names like gcc, which a stock daemon answers with its own machine's compiler: objects for the wrong architecture",
        "update it to 3.4, or use one port for each architecture, as a farm does",
    ),
    (
        "3.1",
        "sends plain names like gcc, and its daemon runs whatever it is asked to",
        "update it to 3.4",
    ),
    (
        "2.",
        "is from before the present protocol",
        "update it to 3.4",
    ),
];

fn version(client: &Client) -> Finding {
    let version = &client.version;
    match FAULTS
        .iter()
        .find(|(beginning, ..)| version.starts_with(beginning))
    {
        Some((_, fault, fix)) => {
            Finding::note(Code::DistccFaults, format!("distcc {version} {fault}")).hint(*fix)
        }
        None => Finding::well(Code::Distcc, format!("distcc {version} is installed")),
    }
}

fn masquerade(facts: &MasterFacts, findings: &mut Findings) {
    let folders = &facts.masquerade;
    let Some(folder) = folders.iter().find(|folder| folder.has_compilers) else {
        findings.push(
            Finding::problem(Code::MasqueradeMissing, "there is no folder of links that call distcc by a compiler's name (/usr/lib/distcc/bin, /usr/lib/distcc)")
                .hint("reinstall distcc, or run update-distcc-symlinks; CMake needs only CMAKE_C_COMPILER_LAUNCHER=distcc"),
        );
        return;
    };
    let by_makepkg = facts
        .makepkg()
        .is_some_and(|makepkg| makepkg.has("BUILDENV", "distcc") == Some(true));
    let path = &folder.path;
    findings.push(match (folder.position, folder.compiler_position) {
        (Some(own), Some(compiler)) if own > compiler => Finding::problem(
            Code::MasqueradeLate,
            format!("{path} stands in PATH behind the compilers, so they are called without distcc"),
        )
        .hint(format!("export PATH={path}:$PATH")),
        (Some(_), _) => Finding::well(Code::Masquerade, format!("compilers are reached through distcc ({path} is first in PATH)")),
        (None, _) if by_makepkg => Finding::well(Code::Masquerade, format!("makepkg puts {path} into PATH")),
        (None, _) => Finding::note(
            Code::MasqueradeLate,
            format!("{path} is not in PATH, so only builds that name distcc themselves use it (CC=\"distcc gcc\")"),
        )
        .hint(format!("export PATH={path}:$PATH")),
    });
}
