//! One connection and one snapshot, as every verb that looks at the engine needs them.

use super::Failure;
use super::context::Context;
use crate::engine::{DockerEngine, Engine, EngineFacts, Observed};
use crate::farm::FarmName;

pub(super) struct Snapshot {
    pub(super) engine: DockerEngine,
    pub(super) facts: EngineFacts,
    pub(super) observed: Observed,
}

pub(super) async fn snapshot(context: &Context, farm: &FarmName) -> Result<Snapshot, Failure> {
    let engine = context.engine().await?;
    let (facts, observed) = tokio::try_join!(engine.facts(), engine.observe(farm))?;
    Ok(Snapshot {
        engine,
        facts,
        observed,
    })
}
