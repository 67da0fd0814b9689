//! How farmctl ends: the table of exit codes, and a failure on its way to the user.

use std::process::ExitCode;

use crate::converge::{Conflict, StepError};
use crate::engine::EngineError;
use crate::farm::HostName;
use crate::health::{PortTaken, Unhealthy};
use crate::hosts::local::NoRoute;
use crate::image::Error as ImageError;
use crate::manifest::ManifestError;
use crate::report::Report;
use crate::swarm::UnknownNode;

/// The exit codes; scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An operation failed.
    Failed = 1,
    /// Wrong usage or a wrong manifest.
    Usage = 2,
    /// The engine cannot be reached.
    EngineUnreachable = 3,
    /// Applied, but a volunteer is not healthy.
    Unhealthy = 4,
    /// `plan --exit-code` or `update --check` found changes.
    ChangesPending = 5,
    /// The user interrupted.
    Interrupted = 130,
}

impl Exit {
    /// All of them, in the order of their numbers.
    const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::EngineUnreachable,
        Self::Unhealthy,
        Self::ChangesPending,
        Self::Interrupted,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Failed => "an operation failed",
            Self::Usage => "wrong usage or a wrong manifest",
            Self::EngineUnreachable => "the engine cannot be reached",
            Self::Unhealthy => "applied, but a volunteer is not fit for work",
            Self::ChangesPending => "there are changes (plan --exit-code, update --check)",
            Self::Interrupted => "interrupted",
        }
    }

    /// Every code with its meaning, a line for each: the help, the manual and the documentation say the same.
    pub(super) fn described() -> String {
        let line = |exit: &Self| format!("  {:>3}   {}\n", *exit as u8, exit.meaning());
        Self::ALL.iter().map(line).collect()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it should: printed in one place, with its hints, and turned into an exit code.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    problems: Vec<Problem>,
}

#[derive(Debug)]
enum Problem {
    /// An error, with what to do about it.
    Error {
        error: anyhow::Error,
        hint: Option<String>,
    },
    /// Diagnostics that show their place in a file, ready to print.
    Rendered(String),
}

impl Failure {
    /// A failure of one kind with one reason.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>, hint: Option<String>) -> Self {
        Self {
            exit,
            problems: vec![Problem::Error {
                error: error.into(),
                hint,
            }],
        }
    }

    /// The user stopped the command; there is nothing to explain.
    pub fn interrupted() -> Self {
        Self {
            exit: Exit::Interrupted,
            problems: Vec::new(),
        }
    }

    /// Several failures together; the first one decides the exit code.
    pub fn all(failures: impl Iterator<Item = Self>) -> Self {
        let mut together = Self {
            exit: Exit::Failed,
            problems: Vec::new(),
        };
        for failure in failures {
            if together.problems.is_empty() {
                together.exit = failure.exit;
            }
            together.problems.extend(failure.problems);
        }
        together
    }

    /// The code to end with.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// The same, ending with another code.
    pub(super) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The same, saying at which host it happened.
    pub(super) fn of_host(self, host: &HostName) -> Self {
        let of_host = |problem| match problem {
            Problem::Error { error, hint } => Problem::Error {
                error: error.context(format!("host {host}")),
                hint,
            },
            rendered @ Problem::Rendered(_) => rendered,
        };
        Self {
            exit: self.exit,
            problems: self.problems.into_iter().map(of_host).collect(),
        }
    }

    fn of<T: Into<anyhow::Error>>(
        exit: Exit,
        errors: Vec<T>,
        hint: impl Fn(&T) -> Option<String>,
    ) -> Self {
        let problem = |error: T| Problem::Error {
            hint: hint(&error),
            error: error.into(),
        };
        Self {
            exit,
            problems: errors.into_iter().map(problem).collect(),
        }
    }

    /// Every problem on one line, for a command that goes on without what failed.
    pub fn on_one_line(&self) -> String {
        let line = |problem: &Problem| match problem {
            Problem::Error { error, .. } => format!("{error:#}"),
            Problem::Rendered(_) => "the manifest has mistakes (farmctl validate)".to_owned(),
        };
        let lines: Vec<_> = self.problems.iter().map(line).collect();
        lines.join("; ")
    }

    /// The first hint, for a command that goes on without what failed.
    pub fn first_hint(&self) -> Option<String> {
        self.problems.iter().find_map(|problem| match problem {
            Problem::Error { hint, .. } => hint.clone(),
            Problem::Rendered(_) => None,
        })
    }

    /// Prints every problem and its hint; gives the exit code.
    pub fn print(&self, report: &Report) -> Exit {
        for problem in &self.problems {
            match problem {
                Problem::Error { error, hint } => {
                    report.error(&format!("{error:#}"));
                    if let Some(hint) = hint {
                        report.hint(hint);
                    }
                }
                Problem::Rendered(text) => report.rendered(text),
            }
        }
        self.exit
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let exit = if error.is_unreachable() {
            Exit::EngineUnreachable
        } else {
            Exit::Failed
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Failed, error, hint)
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Engine(error) => error.into(),
            StepError::Image(error) => error.into(),
            StepError::Unfit { ref name, .. } => {
                let hint = format!(
                    "look at what it says (docker logs {name}); what served before still does, and farmctl up tries again"
                );
                Self::new(Exit::Unhealthy, error, Some(hint))
            }
            StepError::Unsettled { ref name, .. } | StepError::TakenBack { ref name, .. } => {
                let hint = format!(
                    "look at what its tasks say (docker service ps --no-trunc {name}); what served before still does, and farmctl up tries again"
                );
                Self::new(Exit::Unhealthy, error, Some(hint))
            }
            StepError::Gone { .. } => Self::new(Exit::Failed, error, None),
            StepError::Interrupted => Self::interrupted(),
        }
    }
}

impl From<NoRoute> for Failure {
    fn from(error: NoRoute) -> Self {
        let hint = error.hint();
        Self::new(Exit::Failed, error, Some(hint))
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        Self {
            exit: Exit::Usage,
            problems: vec![Problem::Rendered(error.coloured())],
        }
    }
}

impl From<Vec<Conflict>> for Failure {
    fn from(conflicts: Vec<Conflict>) -> Self {
        Self::of(Exit::Failed, conflicts, |conflict| Some(conflict.hint()))
    }
}

impl From<Vec<crate::swarm::Conflict>> for Failure {
    fn from(conflicts: Vec<crate::swarm::Conflict>) -> Self {
        Self::of(Exit::Failed, conflicts, |conflict| Some(conflict.hint()))
    }
}

impl From<UnknownNode> for Failure {
    fn from(error: UnknownNode) -> Self {
        let hint = error.hint();
        Self::new(Exit::Usage, error, Some(hint))
    }
}

impl From<Vec<PortTaken>> for Failure {
    fn from(taken: Vec<PortTaken>) -> Self {
        Self::of(Exit::Failed, taken, |taken| Some(taken.hint()))
    }
}

impl From<Vec<Unhealthy>> for Failure {
    fn from(unhealthy: Vec<Unhealthy>) -> Self {
        Self::of(Exit::Unhealthy, unhealthy, |unhealthy| {
            Some(format!(
                "look at what it says: docker logs $(docker ps -qf label=farmctl.target={})",
                unhealthy.target
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/json.md");
        let page = std::fs::read_to_string(page).unwrap();
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit as u8, exit.meaning());
            assert!(page.contains(&row), "docs/json.md lacks: {row}");
        }
    }
}
