//! Which lines are wanted.

use std::str::FromStr;
use std::time::SystemTime;

use crate::farm::{FarmName, Role, TargetName};

/// Which lines of a farm are wanted.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) farm: FarmName,
    /// All if empty.
    pub(super) targets: Vec<TargetName>,
    /// Also what stands before the volunteers.
    pub(super) doors: bool,
    pub(super) tail: Tail,
    pub(super) since: Option<SystemTime>,
}

impl Selection {
    /// Whether it is about what serves a target in a role.
    pub(super) fn wants(&self, target: Option<&TargetName>, role: Option<Role>) -> bool {
        let mut targets = self.targets.iter();
        let is_chosen = self.targets.is_empty() || targets.any(|chosen| Some(chosen) == target);
        is_chosen && (self.doors || role != Some(Role::Door))
    }
}

/// How many of each container's last lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    All,
    Lines(u64),
}

impl FromStr for Tail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            number => number
                .parse()
                .map(Self::Lines)
                .map_err(|_no_number| "neither a number nor 'all'".to_owned()),
        }
    }
}
