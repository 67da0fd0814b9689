//! A plan: steps in an order that works, each with its cause. Its text is what people confirm and tests compare.

use std::fmt;

use crate::farm::{FarmName, ImageTag, VolunteerSpec};

/// The number of a step within its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub(super) usize);

/// What will be done, in topological order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<Step>,
}

/// One engine action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// What it does.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// The steps that must be done before.
    pub after: Vec<StepId>,
}

/// Something done to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Assemble images and load them, all in one archive because they share layers.
    LoadImages(Vec<ImageTag>),
    /// Make the farm's network.
    CreateNetwork(FarmName),
    /// Make a volunteer's container and start it.
    RunVolunteer(Box<VolunteerSpec>),
    /// Start a container that is there but does not run.
    StartContainer {
        /// The engine's id.
        id: String,
        /// The container's name.
        name: String,
    },
    /// Let a container finish its jobs and remove it.
    RemoveContainer {
        /// The engine's id.
        id: String,
        /// The container's name.
        name: String,
    },
    /// Remove a network.
    RemoveNetwork {
        /// The engine's id.
        id: String,
        /// The network's name.
        name: String,
    },
}

/// Why a step is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is wanted and is not there.
    Missing,
    /// It is there as wanted, but does not run.
    NotRunning,
    /// It was made from another specification.
    Changed,
    /// It cannot be repaired, only made again.
    Broken,
    /// The farm does not want it (any more).
    Unwanted,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps, each one after those it waits for.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn add(&mut self, action: Action, cause: Cause, after: Vec<StepId>) -> StepId {
        let id = StepId(self.steps.len());
        self.steps.push(Step {
            id,
            action,
            cause,
            after,
        });
        id
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.action.sign(), self.action, self.cause)
    }
}

impl Action {
    /// The action in one word, for programs.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::LoadImages(_) => "load-images",
            Self::CreateNetwork(_) => "create-network",
            Self::RunVolunteer(_) => "run-volunteer",
            Self::StartContainer { .. } => "start-container",
            Self::RemoveContainer { .. } => "remove-container",
            Self::RemoveNetwork { .. } => "remove-network",
        }
    }

    /// `+` makes, `-` removes, `~` changes.
    pub fn sign(&self) -> char {
        match self {
            Self::LoadImages(_) | Self::CreateNetwork(_) | Self::RunVolunteer(_) => '+',
            Self::StartContainer { .. } => '~',
            Self::RemoveContainer { .. } | Self::RemoveNetwork { .. } => '-',
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadImages(tags) => {
                let tags: Vec<_> = tags.iter().map(ImageTag::as_str).collect();
                let plural = if tags.len() == 1 { "" } else { "s" };
                write!(f, "image{plural} {}", tags.join(", "))
            }
            Self::CreateNetwork(farm) => write!(f, "network {}", crate::engine::network_name(farm)),
            Self::RunVolunteer(spec) => {
                write!(f, "volunteer {} on port {}", spec.target, spec.port)
            }
            Self::StartContainer { name, .. } | Self::RemoveContainer { name, .. } => {
                write!(f, "container {name}")
            }
            Self::RemoveNetwork { name, .. } => write!(f, "network {name}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::NotRunning => "not running",
            Self::Changed => "changed",
            Self::Broken => "broken",
            Self::Unwanted => "not wanted",
        })
    }
}
