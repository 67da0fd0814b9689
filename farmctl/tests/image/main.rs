//! The image assembly against an archive of its own on loopback: no network, no engine.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod bad_archive;
mod bad_network;
mod good;
mod machine;
#[path = "../support/mod.rs"]
mod support;
mod toolchain_archive;

use support::{debian, server};
