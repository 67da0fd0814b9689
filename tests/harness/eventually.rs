//! Waiting for a state, not for a time.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

const PAUSE: Duration = Duration::from_millis(50);

/// Tries `attempt` until it succeeds, for `patience` at the most.
///
/// # Errors
/// The last attempt's error, if none succeeded in time.
pub async fn eventually<T, Attempt>(
    what: &str,
    patience: Duration,
    mut attempt: impl FnMut() -> Attempt,
) -> Result<T>
where
    Attempt: Future<Output = Result<T>>,
{
    let begun = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if begun.elapsed() > patience => {
                return Err(error).with_context(|| format!("never came true: {what}"));
            }
            Err(_not_yet) => sleep(PAUSE).await,
        }
    }
}
