//! The edge to a Docker engine: it tells what runs and carries out one action at a time.
//!
//! [`Engine`] is the few calls we need, in our own types. [`DockerEngine`] is the real one (nothing outside
//! this folder knows its client library), [`MemoryEngine`] the one that tests plan against.

mod client;
mod contexts;
mod docker;
mod error;
mod images;
mod labels;
mod logs;
mod memory;
mod memory_swarm;
mod observed;
mod route;
mod ssh;
mod swarm;
mod system;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

use crate::farm::{Architecture, FarmName, ImageTag, Memory, Port, Shape};

pub use crate::farm::network_name;
pub use client::ClientEnvironment;
pub use docker::{DockerEngine, resolve};
pub use error::{EngineError, EngineErrorKind, SshFailure, SshProblem, TlsProblem};
pub use images::LiveImage;
pub use logs::{LogLine, LogLines, LogRequest, LogStream};
pub use memory::MemoryEngine;
pub use memory_swarm::MemorySwarm;
pub use observed::{
    Account, Health, LiveContainer, LiveNetwork, LiveState, LiveVolume, Observed, PortHolder,
    TaggedImage,
};
pub use route::Route;
pub use ssh::ssh_host_name;
pub use swarm::{
    LiveNode, LiveService, LiveServiceNetwork, LiveTask, LiveUpdate, ObservedSwarm, ServiceNetwork,
    SwarmEngine, TaskState,
};
pub use system::{Confinement, EngineClock, EngineSystem};

/// What is being done until an engine answers.
const CONNECTING: &str = "connect to the Docker engine";

/// An archive in the engine's load format, produced while it is sent.
pub type ImageArchive = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// The engine's version, as it prints it.
    pub version: String,
    /// What its machine is, and so what programs in its images must be made for.
    pub architecture: Architecture,
    /// Processors of its machine.
    pub processors: u32,
    /// Memory of its machine.
    pub memory: Memory,
    /// Whether its kernel can limit swap.
    pub swap_limit: bool,
    /// Whether its kernel can limit processes.
    pub process_limit: bool,
}

/// What a volunteer's own compile of a small C and a small C++ source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fitness {
    /// The objects are right.
    Fit,
    /// Not (yet), and why.
    Unfit(String),
}

/// The calls that a farm needs of an engine. All of them are idempotent: what is already so counts as done.
pub trait Engine: Send + Sync {
    /// What the engine says of itself.
    fn facts(&self) -> impl Future<Output = Result<EngineFacts, EngineError>> + Send;

    /// Everything that matters to `farm`, in one snapshot. Reads only.
    fn observe(
        &self,
        farm: &FarmName,
    ) -> impl Future<Output = Result<Observed, EngineError>> + Send;

    /// Takes in the images of an archive.
    fn load_images(
        &self,
        archive: ImageArchive,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Removes a volume that no container uses.
    fn remove_volume(&self, name: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Makes the farm's network.
    fn create_network(
        &self,
        farm: &FarmName,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Removes a network by its engine id or name.
    fn remove_network(&self, id: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Makes a container, with the volumes it names, and starts it; one that could not be started is removed again.
    fn run_container(
        &self,
        name: &str,
        shape: &Shape,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Lets a volunteer compile once, for itself.
    fn probe(
        &self,
        container: &str,
        port: Port,
    ) -> impl Future<Output = Result<Fitness, EngineError>> + Send;

    /// Starts a container that exists.
    fn start_container(&self, id: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Lets a paused container go on.
    fn unpause_container(&self, id: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Gives a container another name.
    fn rename_container(
        &self,
        id: &str,
        name: &str,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Lets a container finish its jobs and end, and keeps the engine from starting it again.
    fn hold_container(&self, id: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Lets a container finish its jobs, within its own stop timeout, and removes it.
    fn remove_container(&self, id: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Every image that farmctl assembled, of whatever farm.
    fn assembled_images(&self) -> impl Future<Output = Result<Vec<LiveImage>, EngineError>> + Send;

    /// Takes a tag away, or an image without tags by its id; what no tag leads to goes. An image that a container was
    /// made from stays, which is an error.
    fn remove_image(&self, image: &str) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Fetches an image from its registry.
    fn pull_image(&self, tag: &ImageTag) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// What a container wrote. One that does not exist wrote nothing.
    fn logs(&self, container: &str, request: &LogRequest) -> LogLines;
}
