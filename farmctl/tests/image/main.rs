//! The image assembly against an archive of its own on loopback: no network, no engine.

mod bad_archive;
mod bad_network;
mod debian;
mod good;
mod machine;
mod server;
