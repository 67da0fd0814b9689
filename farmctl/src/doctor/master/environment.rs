//! Variables and folders that change what distcc does.

use std::time::Duration;

use super::super::facts::master::MasterFacts;
use super::super::finding::Findings;
use super::super::{Code, Finding};

pub(super) fn examine(facts: &MasterFacts, findings: &mut Findings) {
    let is = |name: &str, value: &str| {
        facts
            .environment
            .get(name)
            .is_some_and(|found| found == value)
    };
    findings.push(if is("DISTCC_FALLBACK", "0") {
        Finding::note(
            Code::Fallback,
            "DISTCC_FALLBACK=0: what cannot be sent away fails, instead of being compiled here",
        )
        .hint("unset it, except for measurements")
    } else {
        Finding::well(Code::Fallback, "what cannot be sent away is compiled here")
    });
    if is("DISTCC_BACKOFF_PERIOD", "0") {
        findings.push(
            Finding::problem(Code::BackOffPeriod, "DISTCC_BACKOFF_PERIOD=0 makes distcc 3.4 try a dead host without a pause until it aborts")
                .hint("unset it"),
        );
    }
    findings.extend(
        facts
            .environment
            .get("DISTCC_IO_TIMEOUT")
            .and_then(|value| io_timeout(value)),
    );
    findings.extend(rewriting(facts));
    findings.extend(ccache(facts));
    state(facts, findings);
}

/// Inactivity for longer than this is what the client takes for a dead host when nothing else is said.
const USUAL_TIMEOUT_SECONDS: i64 = 300;

fn io_timeout(value: &str) -> Option<Finding> {
    match value.parse::<i64>() {
        Ok(seconds) if seconds <= 0 => Some(
            Finding::note(Code::IoTimeout, format!("DISTCC_IO_TIMEOUT={value} is refused by most builds of distcc, and means no limit to others"))
                .hint("unset it, or write 1200"),
        ),
        Ok(seconds) if seconds < USUAL_TIMEOUT_SECONDS => Some(
            Finding::note(Code::IoTimeout, format!("DISTCC_IO_TIMEOUT={value}: compiles that take longer than {value} s are given up and done again here"))
                .hint("unset it (300 s)"),
        ),
        Ok(_) => None,
        Err(_) => Some(
            Finding::problem(Code::IoTimeout, format!("DISTCC_IO_TIMEOUT={value} is no number")).hint("unset it"),
        ),
    }
}

fn rewriting(facts: &MasterFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.environment.contains_key("DISTCC_NO_CROSS_REWRITE") {
        findings.push(
            Finding::note(
                Code::NoRewrite,
                "DISTCC_NO_CROSS_REWRITE does nothing, though the manual names it",
            )
            .hint("the variable is DISTCC_NO_REWRITE_CROSS; a farm's ports need neither"),
        );
    }
    if facts.environment.contains_key("DISTCC_NO_REWRITE_CROSS") {
        findings.push(
            Finding::note(Code::NoRewrite, "DISTCC_NO_REWRITE_CROSS: plain names are sent; right for a farm's ports, and the wrong architecture on a stock daemon of another machine")
                .hint("unset it unless every host is a farm's volunteer"),
        );
    }
    findings
}

/// makepkg puts both together itself; by hand, ccache must come first and call distcc.
fn ccache(facts: &MasterFacts) -> Option<Finding> {
    let prefix = facts
        .environment
        .get("CCACHE_PREFIX")
        .is_some_and(|prefix| prefix.contains("distcc"));
    let distcc = facts
        .masquerade
        .iter()
        .filter_map(|folder| folder.position)
        .min();
    match (facts.ccache_position, distcc) {
        (Some(ccache), Some(distcc)) if ccache > distcc => Some(
            Finding::note(Code::Ccache, "distcc's folder stands in PATH before ccache's, so every file is preprocessed and sent although its object is known")
                .hint("take distcc's folder out of PATH and export CCACHE_PREFIX=distcc"),
        ),
        (_, Some(_)) if prefix => Some(
            Finding::note(Code::Ccache, "CCACHE_PREFIX=distcc and distcc's folder in PATH: distcc calls itself")
                .hint("take distcc's folder out of PATH"),
        ),
        (Some(_), None) if !prefix && facts.makepkg().is_none() => Some(
            Finding::note(Code::Ccache, "ccache is in PATH and does not call distcc")
                .hint("export CCACHE_PREFIX=distcc"),
        ),
        _ => None,
    }
}

/// For how long distcc avoids a host after a failure.
const AVOIDED: Duration = Duration::from_mins(1);

fn state(facts: &MasterFacts, findings: &mut Findings) {
    let path = facts.state.path.display();
    findings.push(match &facts.state.is_writable {
        Ok(true) => Finding::well(
            Code::StateFolder,
            format!("distcc can write its folder {path}"),
        ),
        Ok(false) => Finding::problem(
            Code::StateFolder,
            format!("distcc cannot write its folder {path}, so no job is sent"),
        )
        .hint(format!(
            "sudo chown -R $USER {path}, or point DISTCC_DIR at a folder of your own"
        )),
        Err(reason) => Finding::unknown("whether distcc can write its folder", reason),
    });
    let avoided: Vec<_> = facts
        .state
        .back_offs
        .iter()
        .filter(|back_off| back_off.age < AVOIDED)
        .map(|back_off| back_off.host.clone())
        .collect();
    if avoided.is_empty() {
        return;
    }
    findings.push(
        Finding::note(
            Code::BackOff,
            format!(
                "distcc avoids {} because of a failure within the last minute",
                avoided.join(", ")
            ),
        )
        .hint(format!(
            "see the findings on that host; then wait a minute, or: rm {path}/lock/backoff_*"
        )),
    );
}
