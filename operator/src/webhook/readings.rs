//! Reviews that are on their way in: how much of them is held at once, and whose they are.
//!
//! Room is taken for the whole of a review before it is read, so that none is left half read for want of it. One address
//! has a share, and waits for itself; where all shares together are too much, whoever holds the most makes room.

use super::LONGEST;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Of one address, bytes. API servers may all come from one, behind a proxy.
const SHARE: usize = 8 * LONGEST;
/// Of all, bytes.
const ALL: usize = 2 * SHARE;

/// What is being read.
#[derive(Debug, Default)]
pub(super) struct Readings {
    held: Mutex<Held>,
    /// Something has been read, or never will be.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    bytes: usize,
    /// No address has none.
    by_peer: BTreeMap<IpAddr, Share>,
}

#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    /// In the order in which they began, their lengths.
    readings: BTreeMap<u64, (usize, CancellationToken)>,
}

/// The room of one review.
#[derive(Debug)]
pub(super) struct Reading {
    readings: Arc<Readings>,
    peer: IpAddr,
    number: u64,
    leave: CancellationToken,
}

impl Readings {
    /// Takes room for `bytes`, at most [`LONGEST`], as soon as `peer` has some in its share.
    pub(super) async fn begin(self: &Arc<Self>, peer: IpAddr, bytes: usize) -> Reading {
        loop {
            let freed = self.freed.notified();
            if let Some(reading) = self.try_begin(peer, bytes) {
                return reading;
            }
            freed.await;
        }
    }

    fn try_begin(self: &Arc<Self>, peer: IpAddr, bytes: usize) -> Option<Reading> {
        let leave = CancellationToken::new();
        let number = self.lock().add(peer, bytes, &leave)?;
        Some(Reading {
            readings: Arc::clone(self),
            peer,
            number,
            leave,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// Returns when somebody else needs the room.
    pub(super) async fn left(&self) {
        self.leave.cancelled().await;
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.readings.lock().remove(self.peer, self.number);
        self.readings.freed.notify_waiters();
    }
}

impl Held {
    fn add(&mut self, peer: IpAddr, bytes: usize, leave: &CancellationToken) -> Option<u64> {
        let share = self.by_peer.get(&peer).map_or(0, |share| share.bytes);
        if share + bytes > SHARE {
            return None;
        }
        while self.bytes + bytes > ALL {
            self.ask_one_to_leave(peer)?;
        }
        let number = self.next;
        self.next += 1;
        let share = self.by_peer.entry(peer).or_default();
        share.readings.insert(number, (bytes, leave.clone()));
        share.bytes += bytes;
        self.bytes += bytes;
        Some(number)
    }

    fn remove(&mut self, peer: IpAddr, number: u64) -> Option<CancellationToken> {
        let share = self.by_peer.get_mut(&peer)?;
        let (bytes, leave) = share.readings.remove(&number)?;
        share.bytes -= bytes;
        self.bytes -= bytes;
        if share.readings.is_empty() {
            self.by_peer.remove(&peer);
        }
        Some(leave)
    }

    /// The oldest of the address that holds the most, unless that is `newcomer`, who waits for itself. Its bytes are gone
    /// by the time that others have come.
    fn ask_one_to_leave(&mut self, newcomer: IpAddr) -> Option<()> {
        let oldest = |share: &Share| share.readings.keys().next().copied();
        let crowded = self.by_peer.iter();
        let crowded = crowded.max_by_key(|(_, share)| (share.bytes, Reverse(oldest(share))));
        let (peer, number) = crowded.and_then(|(peer, share)| Some((*peer, oldest(share)?)))?;
        if peer == newcomer {
            return None;
        }
        self.remove(peer, number)?.cancel();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u8) -> IpAddr {
        [10, 0, 0, number].into()
    }

    fn left(held: &[Reading]) -> usize {
        held.iter().filter(|reading| reading.leave.is_cancelled()).count()
    }

    /// Bytes and addresses.
    fn held_by_all(readings: &Readings) -> (usize, usize) {
        let held = readings.lock();
        (held.bytes, held.by_peer.len())
    }

    #[tokio::test]
    async fn who_has_used_his_share_up_waits_for_himself() {
        let readings = Arc::<Readings>::default();
        let mut held: Vec<_> = (0..8).filter_map(|_| readings.try_begin(host(1), LONGEST)).collect();
        assert_eq!(held.len(), 8);
        assert!(readings.try_begin(host(1), 1).is_none());
        assert!(readings.try_begin(host(2), LONGEST).is_some());
        let waiting = readings.begin(host(1), LONGEST);
        let freeing = async { drop(held.pop()) };
        let (began, ()) = tokio::join!(waiting, freeing);
        drop((began, held));
        assert_eq!(held_by_all(&readings), (0, 0));
    }

    #[test]
    fn whoever_holds_the_most_makes_room_for_others() {
        let readings = Arc::<Readings>::default();
        let of = |number| {
            (0..8)
                .filter_map(|_| readings.try_begin(host(number), LONGEST))
                .collect()
        };
        let strange: [Vec<Reading>; 2] = [of(1), of(2)];
        let small: Vec<_> = (0..20).filter_map(|_| readings.try_begin(host(3), 100_000)).collect();
        assert_eq!(
            (small.len(), left(&small), left(&strange[0]), left(&strange[1])),
            (20, 0, 1, 0)
        );
        let another: Vec<Reading> = of(4);
        assert_eq!(
            (another.len(), left(&another), left(&small)),
            (6, 0, 0),
            "and then it waits"
        );
        drop((strange, small, another));
        assert_eq!(held_by_all(&readings), (0, 0));
    }
}
