//! What the whole-system tests share.
//!
//! A test binary hands its trials to [`suite::run`]. Each trial gets a [`Scenario`]: a connection to a real Docker
//! engine, the `farmctl` that a user would run, and a place for what it makes. Whatever a trial makes carries labels;
//! it is removed when the trial ends, and a run that died is cleaned up by the next one ([`sweep`]).
//!
//! - [`farmctl`], [`farm`]: the command as a process, and farms with names of their own
//! - [`container`], [`network`], [`files`]: containers, networks, commands, files in and out
//! - [`master`], [`board`], [`debian`]: the machine that runs the stock client, and where it comes from
//! - [`builder`]: an image that can build farmctl, for the Dockerfile; [`compose`]: compose, of both generations
//! - [`alone`]: the binary in an image that holds nothing else
//! - [`emulation`]: ARM machines, as far as this one can play them
//! - [`tampered`]: a mirror that spoils what it serves
//! - [`project`], [`job_log`], [`mod@reference`]: what masters build, what volunteers say of it, what it should be
//! - [`second_engine`]: an engine that a trial may stop and cut off from power; [`swarm`]: two that are a swarm, and a registry
//! - [`another_machine`], [`authority`], [`sshd`]: a user elsewhere, certificates, and an ssh server of the engine's machine
//! - [`mod@podman`]: an engine of another make
//! - [`inventory`], [`sweep`]: what a run has on the engine, and how it goes
//! - [`mod@eventually`]: waiting for a state instead of for a time

pub mod alone;
pub mod another_machine;
pub mod authority;
pub mod board;
pub mod builder;
pub mod compose;
pub mod container;
pub mod debian;
pub mod emulation;
pub mod engine;
pub mod eventually;
pub mod farm;
pub mod farmctl;
pub mod files;
pub mod finished;
pub mod inventory;
mod ip;
pub mod job_log;
pub mod master;
pub mod network;
pub mod podman;
pub mod project;
pub mod reference;
pub mod run;
pub mod scenario;
pub mod second_engine;
pub mod signal;
pub mod sshd;
pub mod suite;
pub mod swarm;
pub mod sweep;
pub mod tampered;

pub use another_machine::AnotherMachine;
pub use board::{BOARDS, Board, FURTHER_BOARDS};
pub use container::{Command, Container};
pub use eventually::eventually;
pub use farm::TestFarm;
pub use files::Files;
pub use finished::Finished;
pub use inventory::Inventory;
pub use master::Master;
pub use network::Lan;
pub use podman::Podman;
pub use scenario::Scenario;
pub use second_engine::SecondEngine;
pub use swarm::TestSwarm;
