//! Holds a process group from another thread than the one that waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// What can be done to a process group at any time, before its start and after its end included.
#[derive(Debug, Default)]
pub(super) struct Leash {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Its leader has not started; it gets this signal as soon as it has.
    Unstarted(Option<Signal>),
    /// Its leader has not been waited for, so its number means this group and no other.
    Running(Pid),
    Ended,
}

/// Tells the number of a group's leader while there is one.
#[derive(Debug, Clone)]
pub(crate) struct LeaderNumber(pub(super) Arc<Leash>);

impl LeaderNumber {
    /// The number; `None` before the start and after the end.
    pub(crate) fn pid(&self) -> Option<i32> {
        match *self.0.state() {
            State::Running(leader) => Some(leader.as_raw_pid()),
            State::Unstarted(_) | State::Ended => None,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Unstarted(None)
    }
}

impl Leash {
    /// Signals every process of the group.
    pub(super) fn signal(&self, signal: Signal) {
        let mut state = self.state();
        match *state {
            State::Unstarted(_) => *state = State::Unstarted(Some(signal)),
            State::Running(leader) => send(leader, signal),
            State::Ended => {}
        }
    }

    /// The leader has started.
    pub(super) fn start(&self, leader: Pid) {
        let mut state = self.state();
        if let State::Unstarted(Some(signal)) = *state {
            send(leader, signal);
        }
        *state = State::Running(leader);
    }

    /// Waits for the leader by `wait`: afterwards its number may mean another process.
    pub(super) fn end<T>(&self, wait: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        let waited = wait();
        *state = State::Ended;
        waited
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere does not matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn send(leader: Pid, signal: Signal) {
    if let Err(error) = kill_process_group(leader, signal) {
        tracing::warn!(pid = %leader.as_raw_nonzero(), %error, "cannot signal a process group");
    }
}
