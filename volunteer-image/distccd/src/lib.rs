//! A distcc compile server.

mod job;
