//! How the tests of both sides try every finding: a change to healthy facts, and what must then be said.

use std::collections::BTreeSet;

use super::{Code, Finding, Severity};

/// A change to healthy facts, and what must then be said.
pub(super) struct Case<F> {
    change: fn(&mut F),
    code: Code,
    severity: Severity,
    text: &'static str,
}

pub(super) const fn case<F>(
    change: fn(&mut F),
    code: Code,
    severity: Severity,
    text: &'static str,
) -> Case<F> {
    Case {
        change,
        code,
        severity,
        text,
    }
}

/// Healthy facts of one side, and who judges them.
pub(super) struct Side<F> {
    pub(super) healthy: fn() -> F,
    pub(super) examine: fn(&F) -> Vec<Finding>,
}

impl<F> Side<F> {
    pub(super) fn each_fault_is_found_and_says_what_helps(&self, cases: &[&[Case<F>]]) {
        for case in cases.iter().copied().flatten() {
            let findings = self.after(case);
            let found = findings.iter().find(|finding| {
                finding.code == case.code
                    && finding.severity == case.severity
                    && finding.text.contains(case.text)
            });
            let found = found
                .unwrap_or_else(|| panic!("no {:?} '{}' in {findings:#?}", case.code, case.text));
            // An engine that cannot be reached may say itself what helps.
            let needs_no_hint = found.severity == Severity::Well
                || matches!(found.code, Code::Unknown | Code::EngineUnreachable);
            assert!(found.hint.is_some() || needs_no_hint, "{found:?}");
        }
    }

    pub(super) fn health_is_neither_a_problem_nor_a_note(&self) {
        let findings = (self.examine)(&(self.healthy)());
        let all_well = findings
            .iter()
            .all(|finding| finding.severity == Severity::Well);
        assert!(all_well, "{findings:#?}");
    }

    pub(super) fn every_code_has_a_case(&self, cases: &[&[Case<F>]], is_ours: fn(&Code) -> bool) {
        let cases = cases.iter().copied().flatten();
        let findings = cases.flat_map(|case| self.after(case));
        let found: BTreeSet<Code> = findings.map(|finding| finding.code).collect();
        for code in Code::ALL.iter().filter(|code| is_ours(code)) {
            assert!(found.contains(code), "{}", code.id());
        }
    }

    fn after(&self, case: &Case<F>) -> Vec<Finding> {
        let mut facts = (self.healthy)();
        (case.change)(&mut facts);
        (self.examine)(&facts)
    }
}
