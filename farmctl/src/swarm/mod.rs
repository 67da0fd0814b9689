//! A farm on a swarm: every target is two global services, a door and a volunteer on each node.
//!
//! [`desired`] decides them, [`diff`] compares them with what the swarm has and gives a [`Plan`](crate::converge::Plan) of
//! [`SwarmAction`]s, [`drain`] and [`undrain`] take nodes or targets out of service and back; all of that is pure.
//! `carry_out` does one action.

mod action;
mod carry_out;
mod desired;
mod diff;
mod drain;
#[cfg(test)]
pub(crate) mod fixture;
mod progress;

pub use action::{ServiceEnd, SwarmAction};
pub(crate) use carry_out::carry_out;
pub use desired::{Desired, Surroundings, Wanted, desired, node_slots};
pub use diff::{Conflict, diff};
pub use drain::{UnknownNode, drain, drained_nodes, node, undrain};
pub use progress::{Progress, progress};
