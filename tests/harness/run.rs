//! One run of a test binary, told apart from all others on the same engine.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

/// Identifies a run, and tells whether it still goes on: the process, and the kernel's word for when it began.
///
/// Written `farmtest-<pid namespace>-<pid>-<start>`, which is also how the names of a run's farms begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId {
    pid_namespace: u64,
    pid: u32,
    /// Clock ticks since the machine booted, proc(5).
    started: u64,
}

const PREFIX: &str = "farmtest-";

impl RunId {
    /// The run of this process.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn current() -> Result<Self> {
        let pid = std::process::id();
        Ok(Self {
            pid_namespace: own_pid_namespace()?,
            pid,
            started: started(pid).context("this process has no start time")?,
        })
    }

    /// Reads the run from a label, or from the beginning of a farm's name.
    pub fn parse_prefix(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('-');
        Some(Self {
            pid_namespace: parts.next()?.parse().ok()?,
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?.parse().ok()?,
        })
    }

    /// Whether the run is known to have ended. A process of another PID namespace cannot be seen.
    pub fn is_dead(&self) -> bool {
        let visible = own_pid_namespace().is_ok_and(|own| own == self.pid_namespace);
        visible && started(self.pid) != Some(self.started)
    }

    /// A farm name that no other run uses.
    pub fn farm_name(&self, word: &str) -> String {
        format!("{self}-{word}")
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{PREFIX}{}-{}-{}",
            self.pid_namespace, self.pid, self.started
        )
    }
}

/// The link reads `pid:[4026531836]`.
fn own_pid_namespace() -> Result<u64> {
    let link = fs::read_link("/proc/self/ns/pid").context("cannot read /proc/self/ns/pid")?;
    let text = link.to_string_lossy();
    let number = text.trim_start_matches("pid:[").trim_end_matches(']');
    number
        .parse()
        .with_context(|| format!("unexpected namespace {text}"))
}

/// Field 22 of `/proc/<pid>/stat`; the second one is in parentheses and may contain anything.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_again_in_a_farm_name() {
        let run = RunId::current().unwrap();
        assert_eq!(RunId::parse_prefix(&run.farm_name("cold")), Some(run));
        assert_eq!(RunId::parse_prefix("attic"), None);
    }

    #[test]
    fn only_a_process_with_the_same_start_is_the_same_run() {
        let alive = RunId::current().unwrap();
        let reused = RunId {
            started: alive.started + 1,
            ..alive.clone()
        };
        let elsewhere = RunId {
            pid_namespace: alive.pid_namespace + 1,
            ..reused.clone()
        };
        assert!(!alive.is_dead());
        assert!(reused.is_dead());
        assert!(!elsewhere.is_dead());
    }
}
