//! The only place where a process is created, and where it is stopped.
//!
//! [`spawn`] starts a program as the leader of its own process group, with nothing inherited but what it is given, on a
//! thread that then waits for it ([`leader`]) and keeps what it prints, up to a limit ([`capture`]). Who wants the result
//! has the [`group`], which can be stopped as a whole at any time ([`leash`]). [`orphans`] collects processes that outlive
//! the one that started them.
//!
//! A thread for each process, and not one for all: it has to be a fresh one anyway (see [`crate::sandbox`]), and a thread
//! that sleeps until its process ends costs less than a signal, which would wake one that waits for something else.

mod capture;
mod group;
mod leader;
mod leash;
mod orphans;
mod spawn;

pub(crate) use capture::Printed;
pub(crate) use group::{Allowance, Broken, Ended, Group, Stop};
pub(crate) use leader::Usage;
pub(crate) use leash::LeaderNumber;
pub(crate) use orphans::Orphans;
pub(crate) use spawn::{Children, Command};

#[cfg(test)]
mod tests;
