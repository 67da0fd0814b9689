//! The only place where a process is created, and where it is stopped.
//!
//! [`spawn`] starts a program as the leader of its own process group, with nothing inherited but what it is given;
//! [`group`] waits for it, stops the whole group when it must, and tells what it used; [`capture`] keeps what it
//! prints, up to a limit; [`orphans`] collects processes that outlive the one that started them.

mod capture;
mod group;
mod orphans;
mod spawn;

pub(crate) use capture::Printed;
pub(crate) use group::{Allowance, Ended, Group, Stop, Usage};
pub(crate) use orphans::Orphans;
pub(crate) use spawn::{Children, Command};

#[cfg(test)]
mod tests;
