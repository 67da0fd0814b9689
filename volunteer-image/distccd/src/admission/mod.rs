//! Who gets in, and how many at once.
//!
//! [`acl`] judges addresses and [`clients`] counts the connections of each; [`slots`] makes jobs wait until a compiler
//! may run for them: in the order of [`queue`], as far as [`memory`] allows.

mod acl;
mod clients;
mod memory;
mod queue;
mod slots;

pub use acl::AllowList;
pub(crate) use acl::{BadRange, parse_range};
pub(crate) use clients::Clients;
pub(crate) use memory::{Sources, machine_bytes};
pub(crate) use slots::{Overload, Room, Slot, Slots};
