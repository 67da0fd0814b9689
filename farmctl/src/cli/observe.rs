//! One connection and one snapshot, as every verb that looks at the engine needs them.

use super::Failure;
use super::context::Context;
use crate::engine::{DockerEngine, Engine, EngineFacts, EngineSystem, Observed};
use crate::farm::FarmName;

pub(super) struct Snapshot {
    pub(super) engine: DockerEngine,
    pub(super) facts: EngineFacts,
    pub(super) system: EngineSystem,
    pub(super) observed: Observed,
}

pub(super) async fn snapshot(context: &Context, farm: &FarmName) -> Result<Snapshot, Failure> {
    let engine = context.engine().await?;
    let (facts, system, observed) =
        tokio::try_join!(engine.facts(), engine.system(), engine.observe(farm))?;
    Ok(Snapshot {
        engine,
        facts,
        system,
        observed,
    })
}
