//! Waits until volunteers compile: a small C and a small C++ file through the published port, object checked.

use std::net::SocketAddr;
use std::time::Duration;

use distccd::{ProbeError, ProbeReport, probe};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};
use volunteer_toolchain::ObjectFacts;

use crate::farm::TargetName;

/// A volunteer to check.
#[derive(Debug, Clone)]
pub struct Check {
    /// What it compiles for.
    pub target: TargetName,
    /// Where it is published.
    pub address: SocketAddr,
    /// What its objects must be.
    pub object: ObjectFacts,
}

/// A volunteer that did not compile in time.
#[derive(Debug, thiserror::Error)]
#[error("volunteer {target} is not healthy after {} s: {last}", waited.as_secs())]
pub struct Unhealthy {
    /// What it should compile for.
    pub target: TargetName,
    /// How long it was given.
    pub waited: Duration,
    /// Why the last attempt failed.
    pub last: ProbeError,
}

/// A probe that takes longer than this is tried again.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Between attempts: a container needs a moment to start, a loaded machine a few.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Checks all volunteers at once; `report` hears of each one that is fit.
///
/// # Errors
/// Those that did not compile within `patience`.
pub async fn wait(
    checks: &[Check],
    patience: Duration,
    report: impl Fn(&Check, &ProbeReport),
) -> Result<(), Vec<Unhealthy>> {
    let mut running: FuturesUnordered<_> = checks
        .iter()
        .map(|check| until_fit(check, patience))
        .collect();
    let mut unhealthy = Vec::new();
    while let Some(result) = running.next().await {
        match result {
            Ok((check, found)) => report(check, &found),
            Err(error) => unhealthy.push(error),
        }
    }
    if unhealthy.is_empty() {
        Ok(())
    } else {
        Err(unhealthy)
    }
}

async fn until_fit(check: &Check, patience: Duration) -> Result<(&Check, ProbeReport), Unhealthy> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match probe(check.address, &check.object, ATTEMPT).await {
            Ok(found) => return Ok((check, found)),
            Err(last) if begun.elapsed() + pause > patience => {
                let waited = begun.elapsed();
                return Err(Unhealthy {
                    target: check.target.clone(),
                    waited,
                    last,
                });
            }
            Err(_not_yet) => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
