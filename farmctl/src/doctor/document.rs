//! What people read and programs parse.

use std::fmt;

use serde_json::{Value, json};

use super::{Finding, Severity};
use crate::farm::HostName;

/// What was examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Examined {
    /// The machine that lends its cores.
    Host,
    /// The machine that sends jobs.
    Master,
}

/// All findings, problems first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    examined: Examined,
    findings: Vec<Told>,
    /// Whether each finding says of which host it is.
    names_hosts: bool,
}

/// A finding, and of which host it is, if it is one of a farm's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    host: Option<HostName>,
    finding: Finding,
}

impl Diagnosis {
    /// Puts problems before notes and notes before what is well; apart from that the order stays.
    pub fn new(examined: Examined, findings: Vec<Finding>) -> Self {
        let told = |finding| Told {
            host: None,
            finding,
        };
        Self::sorted(examined, findings.into_iter().map(told).collect(), false)
    }

    /// The findings of a farm's hosts, in the same order; `names_hosts` if each one has to say of which host it is.
    pub fn of_hosts(findings: Vec<(HostName, Vec<Finding>)>, names_hosts: bool) -> Self {
        let mut told = Vec::new();
        for (host, findings) in findings {
            told.extend(findings.into_iter().map(|finding| Told {
                host: Some(host.clone()),
                finding,
            }));
        }
        Self::sorted(Examined::Host, told, names_hosts)
    }

    fn sorted(examined: Examined, mut findings: Vec<Told>, names_hosts: bool) -> Self {
        findings.sort_by_key(|told| told.finding.severity);
        Self {
            examined,
            findings,
            names_hosts,
        }
    }

    /// Whether there is nothing that must be done.
    pub fn is_well(&self) -> bool {
        self.count(Severity::Problem) == 0
    }

    /// The findings for people, each with its hint; those that are well only with `all`.
    pub fn text(&self, all: bool) -> String {
        self.shown(all)
            .map(|Told { host, finding }| {
                let host = host.as_ref().filter(|_| self.names_hosts);
                Paragraph { host, finding }.to_string()
            })
            .collect()
    }

    /// The document for programs; version 1.
    pub fn json(&self, all: bool) -> Value {
        let finding = |Told { host, finding }: &Told| {
            json!({
                "host": host.as_ref().map(HostName::as_str),
                "code": finding.code.id(),
                "severity": finding.severity.as_str(),
                "text": finding.text,
                "hint": finding.hint,
            })
        };
        json!({
            "version": 1,
            "examined": match self.examined {
                Examined::Host => "host",
                Examined::Master => "master",
            },
            "problems": self.count(Severity::Problem),
            "notes": self.count(Severity::Note),
            "well": self.count(Severity::Well),
            "findings": self.shown(all).map(finding).collect::<Vec<_>>(),
        })
    }

    /// One line that sums it up.
    pub fn summary(&self) -> String {
        let counted = |count: usize, one: &str, many: &str| match count {
            0 => format!("no {many}"),
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        format!(
            "{}, {}, {} well",
            counted(self.count(Severity::Problem), "problem", "problems"),
            counted(self.count(Severity::Note), "note", "notes"),
            self.count(Severity::Well),
        )
    }

    fn count(&self, severity: Severity) -> usize {
        let is = |told: &&Told| told.finding.severity == severity;
        self.findings.iter().filter(is).count()
    }

    fn shown(&self, all: bool) -> impl Iterator<Item = &Told> {
        let is_shown = move |told: &&Told| all || told.finding.severity != Severity::Well;
        self.findings.iter().filter(is_shown)
    }
}

/// `problem: … [code]`, with the host where that has to be said, and the hint on a line of its own.
struct Paragraph<'f> {
    host: Option<&'f HostName>,
    finding: &'f Finding,
}

impl fmt::Display for Paragraph<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            code,
            severity,
            text,
            hint,
        } = self.finding;
        let word = severity.as_str();
        match severity {
            Severity::Problem => write!(f, "{}", owo_colors::OwoColorize::red(&word))?,
            Severity::Note => write!(f, "{}", owo_colors::OwoColorize::yellow(&word))?,
            Severity::Well => write!(f, "{}", owo_colors::OwoColorize::green(&word))?,
        }
        match self.host {
            Some(host) => writeln!(f, ": {host}: {text} [{}]", code.id())?,
            None => writeln!(f, ": {text} [{}]", code.id())?,
        }
        match hint {
            Some(hint) => writeln!(f, "   {}: {hint}", owo_colors::OwoColorize::cyan(&"hint")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    fn diagnosis() -> Diagnosis {
        Diagnosis::new(
            Examined::Host,
            vec![
                Finding::well(Code::Clock, "the clock is right"),
                Finding::note(Code::CgroupV1, "old control groups"),
                Finding::problem(Code::PortTaken, "port 3633 is taken").hint("stop it"),
            ],
        )
    }

    #[test]
    fn problems_come_first_and_what_is_well_only_if_asked_for() {
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        assert_eq!(
            plain(&diagnosis().text(false)),
            "problem: port 3633 is taken [port-taken]\n   hint: stop it\n\
             note: old control groups [cgroup-v1]\n"
        );
        assert!(plain(&diagnosis().text(true)).ends_with("well: the clock is right [clock]\n"));
        assert_eq!(diagnosis().summary(), "1 problem, 1 note, 1 well");
        assert!(!diagnosis().is_well());
    }

    #[test]
    fn the_document_says_which_version_it_is() {
        let document = diagnosis().json(false);
        assert_eq!(document["version"], 1);
        assert_eq!(document["problems"], 1);
        assert_eq!(document["findings"].as_array().map(Vec::len), Some(2));
        assert_eq!(document["findings"][0]["code"], "port-taken");
        assert_eq!(document["findings"][1]["hint"], Value::Null);
    }
}
