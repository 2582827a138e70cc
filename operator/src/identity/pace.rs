//! At most so many TokenReviews a second, however many sidecars come at once, and everybody's turn comes.
//!
//! Addresses take turns, so that one which asks without end waits for itself alone. There is no task: of those who wait,
//! one at a time gives the turns out, until it has its own.

use super::Refused;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// 200 a second: what an API server does beside its work.
const APART: Duration = Duration::from_millis(5);
/// So many wait, which takes [`LONGEST_WAIT`].
const MOST_WAITING: usize = 1_000;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Turns, [`APART`] each.
pub(super) struct Pace {
    line: Mutex<Line>,
    /// Held by whoever gives the turns out.
    giving: tokio::sync::Mutex<()>,
}

/// Gets the turn; dropped, it gets none.
type Waiting = oneshot::Sender<()>;

struct Line {
    /// Nobody has a turn before.
    next: Instant,
    count: usize,
    /// No address has nobody.
    waiting: BTreeMap<IpAddr, VecDeque<Waiting>>,
    /// Whose turn it is.
    order: VecDeque<IpAddr>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            line: Mutex::new(Line::new(Instant::now())),
            giving: tokio::sync::Mutex::default(),
        }
    }

    /// Waits for a turn, or refuses when too many wait.
    pub(super) async fn turn(&self, peer: IpAddr) -> Result<(), Refused> {
        let turn = self.line().join(peer);
        let given = tokio::select! {
            biased;
            given = turn => given,
            never = self.give() => match never {},
        };
        given.map_err(|_| Refused::Busy { after: LONGEST_WAIT })
    }

    /// Gives turns out when nobody else does.
    async fn give(&self) -> std::convert::Infallible {
        let _giving = self.giving.lock().await;
        loop {
            let next = self.line().next;
            tokio::time::sleep_until(next).await;
            self.line().give(Instant::now());
            // The turn may have been our own.
            tokio::task::yield_now().await;
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn new(next: Instant) -> Self {
        Self {
            next,
            count: 0,
            waiting: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// What will be told when it is `peer`'s turn. Where too many wait, the last of the address with the most is sent away.
    fn join(&mut self, peer: IpAddr) -> oneshot::Receiver<()> {
        let (waiting, turn) = oneshot::channel();
        let of_peer = self.waiting.entry(peer).or_default();
        if of_peer.is_empty() {
            self.order.push_back(peer);
        }
        of_peer.push_back(waiting);
        self.count += 1;
        if self.count > MOST_WAITING {
            self.send_one_away();
        }
        turn
    }

    fn send_one_away(&mut self) {
        let most = self.waiting.iter_mut().max_by_key(|(_, waiting)| waiting.len());
        let Some((peer, waiting)) = most else { return };
        drop(waiting.pop_back());
        self.count -= 1;
        if waiting.is_empty() {
            let peer = *peer;
            self.waiting.remove(&peer);
            self.order.retain(|waits| *waits != peer);
        }
    }

    /// Gives the next turn to somebody who still waits. Turns that nobody took are not saved up.
    fn give(&mut self, now: Instant) {
        self.next = now;
        while let Some(peer) = self.order.pop_front() {
            let Some(waiting) = self.waiting.get_mut(&peer) else {
                continue;
            };
            let first = waiting.pop_front();
            if waiting.is_empty() {
                self.waiting.remove(&peer);
            } else {
                self.order.push_back(peer);
            }
            let Some(first) = first else { continue };
            self.count -= 1;
            if first.send(()).is_ok() {
                self.next = now + APART;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;

    fn host(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    /// How many of `turns` have come.
    fn come(turns: &mut [oneshot::Receiver<()>]) -> usize {
        turns.iter_mut().filter_map(|turn| turn.try_recv().ok()).count()
    }

    #[test]
    fn whoever_asks_without_end_waits_for_himself_alone() {
        let mut line = Line::new(Instant::now());
        let mut flood: Vec<_> = (0..5_000).map(|_| line.join(host(9))).collect();
        assert_eq!(line.count, MOST_WAITING);
        let mut others: Vec<_> = (1..4).map(|number| line.join(host(number))).collect();
        assert_eq!(line.count, MOST_WAITING, "the flood makes room");
        let now = Instant::now();
        (0..4).for_each(|_| line.give(now));
        assert_eq!((come(&mut flood), come(&mut others)), (1, 3));
        (0..2_000).for_each(|_| line.give(now));
        assert_eq!((come(&mut flood), line.count, line.waiting.len()), (996, 0, 0));
    }

    #[test]
    fn whoever_has_gone_takes_no_turn() {
        let mut line = Line::new(Instant::now());
        let gone: Vec<_> = (0..10).map(|_| line.join(host(1))).collect();
        let mut stays = [line.join(host(1))];
        drop(gone);
        let now = Instant::now();
        line.give(now);
        assert_eq!((come(&mut stays), line.next), (1, now + APART));
        line.give(now);
        assert_eq!(line.next, now, "nobody took it");
    }

    #[tokio::test]
    async fn turns_are_apart_and_all_come() {
        let (pace, began) = (Pace::new(), Instant::now());
        let turns = join_all((0..40).map(|number| pace.turn(host(number % 4)))).await;
        assert!(turns.iter().all(Result::is_ok));
        assert!(began.elapsed() >= 39 * APART);
    }
}
