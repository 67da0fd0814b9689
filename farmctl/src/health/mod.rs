//! Whether volunteers are fit for work, and what stands in their way.
//!
//! [`wait`] asks every new volunteer to compile, through its published port, until it returns the right object.
//! [`check_ports`] finds out, before a container is made, which program already has its port.

mod port;
mod wait;

pub use port::{Listener, PortTaken, check as check_ports, holder as port_holder};
pub use wait::{Check, Unhealthy, wait};
