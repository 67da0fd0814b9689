//! A plan: steps in an order that works, each with its cause. Its text is what people confirm and tests compare.

use std::fmt;

use crate::engine::LiveContainer;
use crate::farm::{DoorSpec, FarmName, ImageTag, Port, TargetName, VolunteerSpec, network_name};
use crate::swarm::SwarmAction;

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
    /// Fetch an image from its registry.
    PullImage(ImageTag),
    /// Make the farm's network.
    CreateNetwork(FarmName),
    /// Make a target's door and open it.
    RunDoor(Box<DoorSpec>),
    /// Make a volunteer's container and start it.
    RunVolunteer {
        /// What it is made from.
        spec: Box<VolunteerSpec>,
        /// The container's name.
        name: String,
    },
    /// Wait until a volunteer compiles.
    AwaitVolunteer {
        /// The container's name.
        name: String,
        /// What it compiles for.
        target: TargetName,
        /// The port of its own loopback.
        port: Port,
    },
    /// Start a container that is there but does not run.
    StartContainer(Contained),
    /// Let a paused container go on.
    UnpauseContainer(Contained),
    /// Give a container another name.
    RenameContainer {
        /// Which.
        container: Contained,
        /// Its new name.
        to: String,
    },
    /// Let a container finish its jobs and end, and keep it from starting again.
    HoldContainer(Contained),
    /// Let a container finish its jobs and remove it.
    RemoveContainer(Contained),
    /// Remove a volume.
    RemoveVolume {
        /// Its name.
        name: String,
        /// The target whose door it was for.
        target: Option<TargetName>,
    },
    /// Remove a network.
    RemoveNetwork {
        /// The engine's id.
        id: String,
        /// The network's name.
        name: String,
    },
    /// Change something of a swarm.
    Swarm(SwarmAction),
}

/// A container that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contained {
    /// The engine's id.
    pub id: String,
    /// The container's name.
    pub name: String,
    /// Its target, if it says so.
    pub target: Option<TargetName>,
}

impl From<&LiveContainer> for Contained {
    fn from(live: &LiveContainer) -> Self {
        Self {
            id: live.id.clone(),
            name: live.name.clone(),
            target: live.target.clone(),
        }
    }
}

/// Why a step is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It is wanted and is not there.
    Missing,
    /// It is there as wanted, but does not run.
    NotRunning,
    /// It is there as wanted, but does nothing.
    Paused,
    /// It is there as wanted, but under another name.
    Renamed,
    /// It has a name that another container needs.
    Misplaced,
    /// It was made from another specification, or changed since: in these options.
    Changed(Vec<String>),
    /// It cannot be repaired, only made again.
    Broken,
    /// Its target has another one that is as wanted.
    Surplus,
    /// The manifest does not name its target any more, or it says of none what it is.
    LeftManifest,
    /// The farm does not want it (any more).
    Unwanted,
    /// The user wants a new one.
    Restart,
    /// The user does not want it to work for now.
    Drained,
    /// The user wants it to work again.
    Undrained,
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

    pub(crate) fn add(&mut self, action: Action, cause: Cause, after: Vec<StepId>) -> StepId {
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
            Self::PullImage(_) => "pull-image",
            Self::CreateNetwork(_) => "create-network",
            Self::RunDoor(_) => "run-door",
            Self::RunVolunteer { .. } => "run-volunteer",
            Self::AwaitVolunteer { .. } => "await-volunteer",
            Self::StartContainer(_) => "start-container",
            Self::UnpauseContainer(_) => "unpause-container",
            Self::RenameContainer { .. } => "rename-container",
            Self::HoldContainer(_) => "hold-container",
            Self::RemoveContainer(_) => "remove-container",
            Self::RemoveVolume { .. } => "remove-volume",
            Self::RemoveNetwork { .. } => "remove-network",
            Self::Swarm(action) => action.verb(),
        }
    }

    /// The target that it is about, if it is about one.
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Self::LoadImages(_)
            | Self::PullImage(_)
            | Self::CreateNetwork(_)
            | Self::RemoveNetwork { .. } => None,
            Self::RunDoor(spec) => Some(&spec.target),
            Self::RunVolunteer { spec, .. } => Some(&spec.target),
            Self::AwaitVolunteer { target, .. } => Some(target),
            Self::RemoveVolume { target, .. } => target.as_ref(),
            Self::StartContainer(container)
            | Self::UnpauseContainer(container)
            | Self::RenameContainer { container, .. }
            | Self::HoldContainer(container)
            | Self::RemoveContainer(container) => container.target.as_ref(),
            Self::Swarm(action) => action.target(),
        }
    }

    /// `+` makes, `-` removes, `~` changes, `=` waits.
    pub fn sign(&self) -> char {
        match self {
            Self::LoadImages(_)
            | Self::PullImage(_)
            | Self::CreateNetwork(_)
            | Self::RunDoor(_)
            | Self::RunVolunteer { .. } => '+',
            Self::AwaitVolunteer { .. } => '=',
            Self::StartContainer(_)
            | Self::UnpauseContainer(_)
            | Self::RenameContainer { .. }
            | Self::HoldContainer(_) => '~',
            Self::RemoveContainer(_) | Self::RemoveVolume { .. } | Self::RemoveNetwork { .. } => {
                '-'
            }
            Self::Swarm(action) => action.sign(),
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
            Self::PullImage(tag) => write!(f, "image {tag} from its registry"),
            Self::CreateNetwork(farm) => write!(f, "network {}", network_name(farm)),
            Self::RunDoor(spec) => write!(f, "door {} on port {}", spec.target, spec.port),
            Self::RunVolunteer { spec, name } => {
                write!(f, "volunteer {} as {name}", spec.target)
            }
            Self::AwaitVolunteer { name, .. } => write!(f, "until {name} compiles"),
            Self::StartContainer(container) | Self::RemoveContainer(container) => {
                write!(f, "container {}", container.name)
            }
            Self::UnpauseContainer(container) => write!(f, "unpause {}", container.name),
            Self::RenameContainer { container, to } => {
                write!(f, "rename {} to {to}", container.name)
            }
            Self::HoldContainer(container) => write!(f, "stop {}", container.name),
            Self::RemoveVolume { name, .. } => write!(f, "volume {name}"),
            Self::RemoveNetwork { name, .. } => write!(f, "network {name}"),
            Self::Swarm(action) => action.fmt(f),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::NotRunning => "not running",
            Self::Paused => "paused",
            Self::Renamed => "renamed",
            Self::Misplaced => "its name is needed",
            Self::Changed(options) => return write!(f, "{} changed", options.join(", ")),
            Self::Broken => "broken",
            Self::Surplus => "one too many",
            Self::LeftManifest => "not in the manifest",
            Self::Unwanted => "not wanted",
            Self::Restart => "restart",
            Self::Drained => "drained",
            Self::Undrained => "undrained",
        })
    }
}
