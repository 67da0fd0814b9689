//! The distcc wire protocol, without I/O.
