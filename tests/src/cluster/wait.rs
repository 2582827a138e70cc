//! Waiting for what tells nobody when it happens.

use anyhow::{Context, Result, anyhow};
use std::time::Duration;
use tokio::time::Instant;

/// Whatever has not come true by then has failed: some twenty times what it takes on two idle cores.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks again and again until `look` succeeds, and returns what it found; fails with `what` and its last error after a
/// minute.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + WITHIN;
    let mut last = anyhow!("it was still being looked at");
    while let Ok(looked) = tokio::time::timeout_at(deadline, look()).await {
        match looked {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
        tokio::time::sleep(LOOK_EVERY).await;
        if Instant::now() >= deadline {
            break;
        }
    }
    Err(last).with_context(|| format!("it never came true that {what}"))
}
