//! Compilers start with their resource limits and cannot raise them.

use std::io;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::gate::Gate;
use super::linux;
use super::policy::CompilerLimits;

/// Starts processes within limits, from a thread that may not look into `/proc`.
#[derive(Debug)]
pub(crate) struct Limiter {
    pub(super) limits: Option<CompilerLimits>,
    pub(super) gate: Gate,
}

/// Less than any compiler takes to start another process and that one to read a source.
const FIRST_MOMENT: Duration = Duration::from_millis(1);

impl Limiter {
    /// Does `start`; the process has its limits from its first moment, and for good when this returns.
    ///
    /// This thread may have had to wait for its turn while the process ran. Then another one, which may look into
    /// `/proc`, takes care of what the process has started meanwhile: these processes have the limits, too, and still the
    /// right to raise them.
    pub(crate) fn start(&self, start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
        let Some(limits) = self.limits else {
            return start();
        };
        let begun = Instant::now();
        let mut child = linux::under(limits, start)?;
        let pid = Pid::from_child(&child);
        if let Err(error) = linux::limit(pid, limits) {
            // Whether it has ended by itself or not, it is not to run.
            let _ended_by_itself = kill_process(pid, Signal::KILL);
            child.wait()?;
            return Err(error);
        }
        if begun.elapsed() > FIRST_MOMENT {
            self.gate
                .pass(move || linux::limit_descendants(pid, limits));
        }
        Ok(child)
    }
}
