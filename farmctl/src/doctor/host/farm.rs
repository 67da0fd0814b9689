//! The farm: what runs, and whether it compiles.

use super::super::facts::{HostFacts, VolunteerFacts};
use super::super::finding::Findings;
use super::super::{Code, Finding};
use crate::engine::LiveState;
use crate::farm::Restart;

pub(super) fn examine(facts: &HostFacts, findings: &mut Findings) {
    if facts.engine.is_err() {
        return;
    }
    let volunteers = &facts.farm.volunteers;
    if volunteers.iter().all(|volunteer| volunteer.live.is_none()) {
        findings.push(
            Finding::note(
                Code::FarmDown,
                format!("nothing of farm {} runs", facts.farm.name),
            )
            .hint("farmctl up"),
        );
    } else {
        for volunteer in volunteers {
            examine_volunteer(volunteer, findings);
        }
    }
    differences(facts, findings);
}

fn examine_volunteer(volunteer: &VolunteerFacts, findings: &mut Findings) {
    let target = &volunteer.target;
    if volunteer.is_drained {
        findings.push(
            Finding::note(
                Code::Drained,
                format!(
                    "target {target} is drained: its port is closed until it is told otherwise"
                ),
            )
            .hint(format!("farmctl undrain {target}")),
        );
        return;
    }
    if volunteer.door != Some(LiveState::Running) {
        let state = volunteer.door.map_or("missing", LiveState::as_str);
        findings.push(
            Finding::problem(
                Code::DoorDown,
                format!("the door of {target} does not run: it is {state}, so the port is closed"),
            )
            .hint("farmctl up"),
        );
    }
    let Some(live) = volunteer
        .live
        .as_ref()
        .filter(|live| live.state == LiveState::Running)
    else {
        let state = volunteer
            .live
            .as_ref()
            .map_or("missing", |live| live.state.as_str());
        findings.push(
            Finding::problem(
                Code::VolunteerDown,
                format!("volunteer {target} does not run: it is {state}"),
            )
            .hint(format!(
                "farmctl up; farmctl logs {target} says why it ended"
            )),
        );
        return;
    };
    match &volunteer.image {
        Ok(image) if *image != live.image => findings.push(
            Finding::note(
                Code::ImageOutdated,
                format!(
                    "volunteer {target} runs {}, and the lock asks for {image}",
                    live.image
                ),
            )
            .hint("farmctl up"),
        ),
        Ok(_) => {}
        Err(reason) => findings.push(Finding::unknown(
            &format!("whether volunteer {target} runs the lock's image"),
            reason,
        )),
    }
    if volunteer.restart == Restart::No {
        findings.push(
            Finding::note(
                Code::NotRestarted,
                format!(
                    "volunteer {target} is not started again when it ends or the machine boots"
                ),
            )
            .hint("restart: unless-stopped"),
        );
    }
    compilers(volunteer, findings);
}

fn compilers(volunteer: &VolunteerFacts, findings: &mut Findings) {
    let (target, address) = (&volunteer.target, volunteer.address);
    match &volunteer.compiles {
        None => findings.push(Finding::note(
            Code::Unknown,
            format!("whether volunteer {target} compiles could not be found out: it was not asked"),
        )),
        Some(Err(reason)) => {
            findings.push(
                Finding::problem(
                    Code::VolunteerUnfit,
                    format!("volunteer {target} at {address} is not fit: {reason}"),
                )
                .hint(format!(
                    "look at farmctl logs {target}; farmctl restart {target}"
                )),
            );
            return;
        }
        Some(Ok(())) => findings.push(Finding::well(
            Code::VolunteerFit,
            format!(
                "volunteer {target} at {address} compiles C and C++, and its objects are right"
            ),
        )),
    }
    for compiler in &volunteer.compilers {
        let major = compiler.asked;
        let is_asked =
            |version: &&String| version.split('.').next() == Some(major.to_string().as_str());
        let text = match &compiler.answered {
            Ok(version) if is_asked(&version) => {
                findings.push(Finding::well(
                    Code::GccFit,
                    format!("GCC {version} of volunteer {target} compiles"),
                ));
                continue;
            }
            Ok(version) => {
                format!("volunteer {target} was asked for GCC {major}, and GCC {version} answered")
            }
            Err(reason) => format!("GCC {major} of volunteer {target} does not compile: {reason}"),
        };
        findings.push(Finding::problem(Code::GccUnfit, text).hint(format!(
            "farmctl up {target}; if that does not help, remove its image and run it again"
        )));
    }
}

fn differences(facts: &HostFacts, findings: &mut Findings) {
    let is_down = facts
        .farm
        .volunteers
        .iter()
        .all(|volunteer| volunteer.live.is_none());
    match &facts.farm.plan {
        Ok(steps) if steps.is_empty() => {
            findings.push(Finding::well(
                Code::FarmAsDescribed,
                "the farm is as the manifest describes it",
            ));
        }
        // That it does not run has been said.
        Ok(_) if is_down => {}
        Ok(steps) => findings.push(
            Finding::note(
                Code::FarmDiffers,
                format!(
                    "the farm is not as the manifest describes it: {}",
                    steps.join("; ")
                ),
            )
            .hint("farmctl plan shows it, farmctl up puts it right"),
        ),
        Err(reason) => findings.push(Finding::unknown(
            "whether the farm is as the manifest describes it",
            reason,
        )),
    }
}
