//! A distcc compile server for the compilers of one target.
//!
//! What happens to a job, in the order of the modules:
//!
//! ```text
//! accept ──► admission ──► connection ──► job ──► supervise ──► job ──► reply ──► connection
//!  room       who may       bytes in,     what     the only     is it   what the     bytes out
//!  first                    deadlines     runs     processes    sound   client gets
//! ```
//!
//! [`run`] is the whole program: command line, signals, logging, toolchain, port, and then a [`Server`]. [`probe`] is a
//! client that checks such a server. `door` keeps the port open while servers come and go.

mod accept;
mod admission;
mod compilers;
mod config;
mod connection;
mod detach;
mod door;
mod exit;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod inetd;
mod job;
mod listen;
mod listeners;
mod pid_file;
mod probe;
mod reply;
mod run;
mod sandbox;
mod settings;
mod shutdown;
mod start;
mod stats;
mod supervise;
mod telemetry;
mod toolchain_file;
mod user;

#[cfg(test)]
mod testing;

pub use accept::Server;
pub use admission::AllowList;
pub use job::{Compilers, Machine, NoPermission, Permission, SearchPath};
pub use listen::listen;
pub use listeners::Listeners;
pub use probe::{ProbeError, ProbeReport, probe};
pub use run::run;
pub use sandbox::{CompilerLimits, Layer, Layers, MissingLayer, UnknownLayer};
pub use settings::{Deadlines, Settings, UnknownPolicy, VersionSkew};
pub use shutdown::Shutdown;
