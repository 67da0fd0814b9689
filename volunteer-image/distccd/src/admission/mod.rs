//! Who gets in, and how many at once: [`acl`] judges addresses, [`slots`] counts.

mod acl;
mod slots;

pub use acl::AllowList;
pub(crate) use acl::{BadRange, parse_range};
pub(crate) use slots::Slots;
