//! How the engine misbehaves.

use std::time::Duration;

/// What happens to calls whose `METHOD /path` begins with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is closed without an answer, and the engine is gone.
    Die(&'static str),
    /// The first such call is refused.
    RefuseOnce(&'static str, u16, &'static str),
    /// Every such call is refused.
    Refuse(&'static str, u16, &'static str),
    /// The answer takes its time.
    Slow(&'static str, Duration),
}

impl Fault {
    fn concerns(&self, call: &str) -> bool {
        let (Self::Die(part)
        | Self::RefuseOnce(part, ..)
        | Self::Refuse(part, ..)
        | Self::Slow(part, _)) = self;
        call.starts_with(part)
    }

    /// The fault that `call` meets; one that happens once is taken out.
    pub(super) fn of(faults: &mut Vec<Self>, call: &str) -> Option<Self> {
        let at = faults.iter().position(|fault| fault.concerns(call))?;
        Some(match &faults[at] {
            Self::RefuseOnce(..) => faults.remove(at),
            lasting => lasting.clone(),
        })
    }
}
