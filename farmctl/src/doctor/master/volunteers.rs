//! What the listed hosts answered.

use volunteer_toolchain::usual_ports;

use super::super::Unknown;
use super::super::facts::compilers::Compiler;
use super::super::facts::job::JobError;
use super::super::facts::master::{HostAnswer, MasterFacts, Reached};
use super::super::finding::Findings;
use super::super::{Code, Finding};

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    let own = facts
        .compilers
        .as_ref()
        .ok()
        .and_then(|compilers| compilers.c.as_ref());
    for host in &facts.hosts {
        examine_host(host, own, facts, findings);
    }
}

fn examine_host(
    answer: &HostAnswer,
    own: Option<&Compiler>,
    facts: &MasterFacts,
    findings: &mut Findings,
) {
    let place = answer.host.place();
    match &answer.reached {
        Reached::NameUnknown => findings.push(
            Finding::problem(
                Code::HostsName,
                format!("this machine does not know the name of {place}"),
            )
            .hint("write its address; builds in a chroot often know no names at all"),
        ),
        Reached::NotTried(Unknown(reason)) => {
            findings.push(Finding::unknown(
                &format!("whether {place} answers"),
                &Unknown(reason.clone()),
            ));
        }
        Reached::Failed(error) => findings.push(failed(&place, error)),
        Reached::Compiled(found) => {
            if let Some(finding) = wrong_target(answer, own, facts) {
                findings.push(finding);
                return;
            }
            findings.push(Finding::well(
                Code::HostFit,
                format!("{place} compiles for {}", found.object),
            ));
            if let (Some(error), Some(own)) = (&found.own_name, own) {
                findings.push(
                    Finding::problem(Code::HostRefusesName, format!("{place} compiles as gcc, but not as {}: {error}", own.wire_name()))
                        .hint("permit that name on the host (update-distcc-symlinks), or use a farm's volunteer, which knows every name of its target"),
                );
            }
            findings.extend(own.map(|own| skew(&place, own, found.version.as_deref())));
        }
    }
}

fn failed(place: &str, error: &JobError) -> Finding {
    match error {
        JobError::Connect(reason) => {
            Finding::problem(Code::HostSilent, format!("nobody answers at {place}: {reason}"))
                .hint("on the host: farmctl status; compare the port with farmctl hosts, and look for a firewall between")
        }
        JobError::Late(waited) => Finding::problem(
            Code::HostSilent,
            format!("{place} did not answer within {} s", waited.as_secs()),
        )
        .hint("it may be busy: look at farmctl status on the host, and try again"),
        JobError::Unanswered | JobError::Broken(_) => Finding::problem(
            Code::HostRefuses,
            format!("{place} takes the connection and does not answer: {error}"),
        )
        .hint("a farm's volunteer or a stock daemon that does not permit this machine does so: add its network to allow: in the manifest"),
        JobError::Failed { text } => {
            Finding::problem(Code::HostRefuses, format!("{place} does not do a plain job: {text}"))
                .hint("on the host: farmctl doctor")
        }
    }
}

/// Objects that this machine's linker cannot use, or that its processor may not run.
fn wrong_target(
    answer: &HostAnswer,
    own: Option<&Compiler>,
    facts: &MasterFacts,
) -> Option<Finding> {
    let Reached::Compiled(found) = &answer.reached else {
        return None;
    };
    let expected = match own.and_then(|own| own.object.clone()) {
        Some(object) => object,
        None => volunteer_toolchain::objects_of(&facts.triple())?,
    };
    let is_exact = own.is_some_and(|own| own.object.is_some());
    let differs = if is_exact {
        expected != found.object
    } else {
        (expected.class, expected.machine) != (found.object.class, found.object.machine)
    };
    differs.then(|| {
        let place = answer.host.place();
        let text = format!(
            "{place} compiles for {}, and this machine is {expected}",
            found.object
        );
        let finding = Finding::problem(Code::HostWrongTarget, text);
        let triple = own.map_or_else(|| facts.triple(), |own| own.triple.clone());
        match usual_ports(&triple) {
            [] => finding.hint("on the host: farmctl hosts names the port of every target"),
            ports => {
                let named: Vec<_> = ports
                    .iter()
                    .filter(|port| port.port != answer.host.dialled_port() || ports.len() == 1)
                    .map(|port| format!("{} ({})", answer.host.place_at(port.port), port.target))
                    .collect();
                finding.hint(format!(
                    "the usual port of this machine's target: {}",
                    named.join(" or ")
                ))
            }
        }
    })
}

fn skew(place: &str, own: &Compiler, version: Option<&str>) -> Finding {
    let Some(version) = version else {
        return Finding::note(
            Code::Unknown,
            format!(
                "the version of {place}'s compiler could not be found out: its object does not name it"
            ),
        );
    };
    if own.version == version {
        return Finding::well(
            Code::CompilerSame,
            format!("{place} compiles with GCC {version}, as this machine does"),
        );
    }
    let major = own.version.split('.').next().unwrap_or_default();
    let same_major = version.split('.').next() == Some(major);
    let weight = if same_major {
        "they are of one series and go together"
    } else {
        "C and C++ objects go together; link-time optimisation, precompiled headers and kernel modules do not"
    };
    Finding::note(
        Code::CompilerSkew,
        format!(
            "{place} compiles with GCC {version}, and this machine has {}: {weight}",
            own.version
        ),
    )
    .hint(format!(
        "gcc: [{major}] for this target in the manifest, if there are packages of it"
    ))
}
