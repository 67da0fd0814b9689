//! What was looked for: found, or the reason why not.

use std::fmt;

use super::finding::{Finding, Findings};

/// Something that was looked for.
pub type Fact<T> = Result<T, Unknown>;

/// Why something could not be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

impl Unknown {
    /// The reason, in the words of whatever refused.
    pub fn because(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fact, or a finding that says that `what` could not be found out.
pub(super) fn known<'a, T>(
    fact: &'a Fact<T>,
    what: &str,
    findings: &mut Findings,
) -> Option<&'a T> {
    match fact {
        Ok(known) => Some(known),
        Err(reason) => {
            findings.push(Finding::unknown(what, reason));
            None
        }
    }
}
