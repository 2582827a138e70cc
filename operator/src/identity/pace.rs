//! At most so many TokenReviews a second, however many sidecars come at once.

use super::Refused;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// 200 a second: what an API server does beside its work.
const APART: Duration = Duration::from_millis(5);
/// Who would wait for longer is sent away: this bounds the queue, too, to 1,000.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Turns, [`APART`] each.
pub(super) struct Pace {
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for a turn, or refuses when the queue is full.
    pub(super) async fn turn(&self) -> Result<(), Refused> {
        let turn = self.take(Instant::now())?;
        tokio::time::sleep_until(turn).await;
        Ok(())
    }

    fn take(&self, now: Instant) -> Result<Instant, Refused> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now);
        let wait = turn - now;
        if wait > LONGEST_WAIT {
            return Err(Refused::Busy { after: wait });
        }
        *next = turn + APART;
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_wait_their_turn_and_the_rest_is_sent_away() {
        let pace = Pace::new();
        let now = Instant::now();
        let turns: Vec<_> = std::iter::from_fn(|| pace.take(now).ok()).collect();
        assert_eq!(turns.len(), 1001);
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] == APART));
        assert!(matches!(pace.take(now), Err(Refused::Busy { after }) if after > LONGEST_WAIT));
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.take(later).unwrap(), later, "what was not used is not saved up");
        assert_eq!(pace.take(later).unwrap(), later + APART);
    }
}
