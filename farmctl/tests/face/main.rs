//! The face: what every command prints and how it ends, run as real processes against an engine that does not exist.
//!
//! No network, no Docker, no terminal, an empty environment. Whatever depends on the machine, the moment or the size of
//! this binary is taken out of the snapshots (`text.rs`).

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod bundle;
mod converge;
mod documents;
mod engine;
mod exports;
mod faults;
mod fleet;
mod help;
mod images;
mod logs;
mod machine;
mod sbom;
mod streams;
#[allow(dead_code, reason = "other test programs use more of the archive")]
#[path = "../support/mod.rs"]
mod support;
mod text;
mod usage;

use support::{debian, server};
