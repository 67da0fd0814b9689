//! One action on a swarm. Decides nothing.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::action::{ServiceEnd, SwarmAction};
use super::progress::{Progress, has_ended, progress};
use crate::converge::{Interrupt, StepError};
use crate::engine::SwarmEngine;

/// Does `action`; waiting and pushing are broken off when the user interrupts, because a part of them does no harm.
pub(crate) async fn carry_out<E: SwarmEngine>(
    action: &SwarmAction,
    engine: &E,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<(), StepError> {
    match action {
        SwarmAction::PushImage { image, reference } => {
            let push = async { Ok(engine.push_image(image, reference).await?) };
            unless_interrupted(push, interrupt).await
        }
        SwarmAction::AwaitService { name, .. } => {
            unless_interrupted(until_settled(name, engine, patience), interrupt).await
        }
        SwarmAction::AwaitEnd(end) => unless_interrupted(until_ended(end, engine), interrupt).await,
        SwarmAction::CreateNetwork { farm, network } => {
            Ok(engine.create_service_network(farm, network).await?)
        }
        SwarmAction::CreateService(spec) => Ok(engine.create_service(spec).await?),
        SwarmAction::UpdateService { spec, renew } => {
            Ok(engine.update_service(spec, *renew).await?)
        }
        SwarmAction::PlaceService {
            name, constraints, ..
        } => Ok(engine.place_service(name, constraints).await?),
        SwarmAction::RemoveService { name, .. } => Ok(engine.remove_service(name).await?),
        SwarmAction::RemoveNetwork { id, .. } => Ok(engine.remove_service_network(id).await?),
        SwarmAction::RemoveVolume { name, .. } => Ok(engine.remove_left_volume(name).await?),
    }
}

async fn unless_interrupted(
    work: impl Future<Output = Result<(), StepError>>,
    interrupt: &Interrupt,
) -> Result<(), StepError> {
    tokio::select! {
        () = interrupt.cancelled() => Err(StepError::Interrupted),
        done = work => done,
    }
}

/// Between two looks. A manager keeps everything in memory, but with a thousand nodes it is much to tell.
const PAUSE: Duration = Duration::from_secs(1);

/// A large swarm takes as long as it takes: patience ends when nothing gets better for so long.
async fn until_settled<E: SwarmEngine>(
    name: &str,
    engine: &E,
    patience: Duration,
) -> Result<(), StepError> {
    // A first look may come before the swarm has begun to act.
    let mut was_done = false;
    let mut best = 0;
    let mut better_at = Instant::now();
    loop {
        let looked = engine.look_at_service(name).await?;
        let Some((service, nodes)) = looked else {
            return Err(StepError::Gone {
                name: name.to_owned(),
            });
        };
        match progress(&service, &nodes) {
            Progress::Done if was_done => return Ok(()),
            Progress::Done => was_done = true,
            Progress::Failed(why) => {
                return Err(StepError::TakenBack {
                    name: name.to_owned(),
                    why,
                });
            }
            Progress::Waiting { done, .. } if done > best => {
                best = done;
                better_at = Instant::now();
            }
            Progress::Waiting { done, of, why } if better_at.elapsed() >= patience => {
                return Err(StepError::Unsettled {
                    name: name.to_owned(),
                    done,
                    of,
                    waited: better_at.elapsed(),
                    why,
                });
            }
            Progress::Waiting { .. } => {}
        }
        sleep(PAUSE).await;
    }
}

/// The swarm itself ends what does not finish within its stop grace.
async fn until_ended<E: SwarmEngine>(end: &ServiceEnd, engine: &E) -> Result<(), StepError> {
    while let Some((service, nodes)) = engine.look_at_service(&end.name).await? {
        // The first look may come before the swarm has begun to act.
        let is_told = service.tasks.iter().all(|task| {
            let is_meant = end.nodes.is_empty() || end.nodes.contains(&task.node);
            !(is_meant && task.is_wanted)
        });
        if is_told && has_ended(&service, &nodes, &end.nodes) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
