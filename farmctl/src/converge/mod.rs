//! Makes the observed farm the desired one.
//!
//! [`desired`] decides every container completely, [`diff`] compares that with a snapshot and gives a [`Plan`], both
//! pure. [`execute`] carries a plan out and decides nothing.

mod desired;
mod diff;
mod event;
mod execute;
#[cfg(test)]
pub(crate) mod fixture;
mod plan;
mod unused;

pub use desired::{Desired, DesiredError, Intent, Scope, Surroundings, desired, slots};
pub use diff::{Conflict, diff, drained};
pub use event::{Event, Outcome, StepError};
pub use execute::{Execution, ImageSource, Interrupt, execute};
pub use plan::{Action, Cause, Contained, Plan, Step, StepId};
pub use unused::{UnusedImage, unused_images};
