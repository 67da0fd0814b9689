//! One thing the doctor has to say.

use super::{Code, Unknown};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Jobs fail, run locally or are not safe; something must be done.
    Problem,
    /// Worth knowing; the farm works.
    Note,
    /// As it should be.
    Well,
}

impl Severity {
    /// The word for it, in text and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Note => "note",
            Self::Well => "well",
        }
    }
}

/// Something that was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is; never changes its meaning.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, in one sentence.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What a topic has found.
pub(super) type Findings = Vec<Finding>;

impl Finding {
    /// Something that must be done.
    pub fn problem(code: Code, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Problem, text)
    }

    /// Something worth knowing.
    pub fn note(code: Code, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, text)
    }

    /// Something as it should be.
    pub fn well(code: Code, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Well, text)
    }

    /// Something that could not be found out.
    pub fn unknown(what: &str, reason: &Unknown) -> Self {
        Self::note(
            Code::Unknown,
            format!("{what} could not be found out: {reason}"),
        )
    }

    /// The finding with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    fn new(code: Code, severity: Severity, text: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            text: text.into(),
            hint: None,
        }
    }
}
