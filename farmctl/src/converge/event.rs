//! What an execution tells on the way, and how it ended.

use std::time::Duration;

use super::plan::{Plan, StepId};
use crate::engine::EngineError;
use crate::image::Error as ImageError;

/// Something that happened to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The step's prerequisites are done and it began.
    Started(StepId),
    /// The step is done.
    Done(StepId),
    /// The user interrupted the step; nothing of it is left behind.
    Stopped(StepId),
    /// The step failed; the reason is in the [`Outcome`].
    Failed(StepId),
}

/// Why a step did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The engine refused or broke.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An image could not be assembled.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A new volunteer does not compile; its predecessor, if it has one, goes on.
    #[error("volunteer {name} does not compile after {} s: {reason}", waited.as_secs())]
    Unfit {
        /// The container's name.
        name: String,
        /// How long it was given.
        waited: Duration,
        /// What its last attempt came to.
        reason: String,
    },
    /// A service does not run wherever it should.
    #[error("service {name} runs on {done} of {of} nodes after {} s{}", waited.as_secs(), because(why.as_ref()))]
    Unsettled {
        /// The service.
        name: String,
        /// Nodes on which it runs as it should.
        done: usize,
        /// Nodes on which it is to run.
        of: usize,
        /// How long nothing changed.
        waited: Duration,
        /// What stands in the way, in the swarm's words.
        why: Option<String>,
    },
    /// The swarm took an update back, or stopped it.
    #[error("the swarm gave up on service {name}: {why}")]
    TakenBack {
        /// The service.
        name: String,
        /// Its words.
        why: String,
    },
    /// A service is gone that somebody waits for.
    #[error("service {name} is gone")]
    Gone {
        /// The service.
        name: String,
    },
    /// The user interrupted it; nothing of it is left behind.
    #[error("interrupted")]
    Interrupted,
}

/// How an execution ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Steps that are done.
    pub done: Vec<StepId>,
    /// Steps that failed, with the reason.
    pub failed: Vec<(StepId, StepError)>,
    /// Steps that were not begun because something before them failed or the user interrupted.
    pub not_attempted: Vec<StepId>,
    /// Whether the user interrupted.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether the whole plan is done.
    pub fn is_complete(&self, plan: &Plan) -> bool {
        self.done.len() == plan.steps().len()
    }
}

fn because(why: Option<&String>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}
