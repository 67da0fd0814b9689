//! What the proof showed: sources compiled here and by the farm.

use std::fmt::Write as _;

use super::super::facts::master::MasterFacts;
use super::super::finding::Findings;
use super::super::proof::{Outcome, Proof, Verdict};
use super::super::{Code, Finding};

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    match &facts.proofs {
        Err(reason) => findings.push(Finding::unknown(
            "whether the farm's objects are this machine's",
            reason,
        )),
        Ok(proofs) => {
            let mut places: Vec<&str> = proofs.iter().map(|proof| proof.place.as_str()).collect();
            places.dedup();
            for place in places {
                let of_place: Vec<_> = proofs.iter().filter(|proof| proof.place == place).collect();
                findings.extend(of_host(place, &of_place));
            }
        }
    }
}

fn of_host(place: &str, proofs: &[&Proof]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut identical = Vec::new();
    let mut named = Vec::new();
    for proof in proofs {
        match &proof.outcome {
            Outcome::Compared(Verdict::Identical) => identical.push(proof),
            Outcome::Compared(Verdict::SameCode { .. }) => named.push(proof),
            Outcome::Compared(verdict @ Verdict::Different { .. }) => {
                findings.push(differs(proof, verdict));
            }
            Outcome::FailedThere(reason) => findings.push(failed(proof, reason)),
            Outcome::NotTried(reason) => findings.push(Finding::unknown(
                &format!(
                    "whether {} gives the same code for {}",
                    proof.place,
                    proof.title()
                ),
                reason,
            )),
        }
    }
    let equal = identical.len() + named.len();
    if equal > 0 {
        let how = if proofs.iter().all(|proof| proof.by_distcc) {
            "by distcc"
        } else {
            "over the wire"
        };
        let mut text = format!(
            "{place} gives the same code as this machine for {equal} of {} compiles {how}",
            proofs.len()
        );
        if !named.is_empty() {
            let sections = sections_that_differ(&named);
            let _infallible = write!(
                text,
                "; {} differ only in {sections}, where compilers write about themselves and where they ran",
                named.len()
            );
        }
        findings.push(Finding::well(Code::ProofEqual, text));
    }
    findings
}

fn sections_that_differ(proofs: &[&&Proof]) -> String {
    let mut sections: Vec<&str> = proofs
        .iter()
        .flat_map(|proof| match &proof.outcome {
            Outcome::Compared(Verdict::SameCode { sections }) => sections.as_slice(),
            _ => &[],
        })
        .map(String::as_str)
        .collect();
    sections.sort_unstable();
    sections.dedup();
    sections.join(", ")
}

fn differs(proof: &Proof, verdict: &Verdict) -> Finding {
    let Verdict::Different { sections, as_if } = verdict else {
        return failed(proof, "nothing differs");
    };
    let (title, place) = (proof.title(), &proof.place);
    let sections = sections.join(", ");
    let text = format!("{place} gives other code than this machine for {title} (in {sections})");
    match (as_if, &proof.here, &proof.there) {
        (Some(option), _, _) => Finding::problem(
            Code::ProofDiffers,
            format!("{text}: it compiles as if {option} were given"),
        )
        .hint(format!("put the opposite into CFLAGS, or into the target's defaults: in toolchains/ (here {option} changes it)")),
        (None, Some(here), Some(there)) if here != there => Finding::note(
            Code::ProofDiffers,
            format!("{text}: as is to be expected of GCC {there} there and {here} here"),
        )
        .hint("the same version on both sides, if the difference matters (gcc: in the manifest)"),
        _ => Finding::problem(
            Code::ProofDiffers,
            format!("{text}, though both compilers say they are the same version"),
        )
        .hint("compare `gcc -v` and `gcc -Q --help=target` of both: they are configured differently"),
    }
}

fn failed(proof: &Proof, reason: &str) -> Finding {
    Finding::problem(
        Code::ProofFailed,
        format!("{} compiles here and not at {}: {reason}", proof.title(), proof.place),
    )
    .hint("on the host: farmctl logs; warnings that are errors only there come from another compiler version")
}
