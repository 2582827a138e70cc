//! Which connections stay when more come than a port has room for.
//!
//! A port that stops accepting when it is full is closed by whoever fills it. Here everybody is let in, and somebody else
//! is asked to leave: of the address that holds the most connections, the one that has not shown itself for the longest.
//! So a stranger crowds out himself, however many connections he holds, and a probe finds its way in.
//!
//! Nothing here reads a clock or a socket: age is the order in which connections came and showed themselves.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The connections of one port that may be asked to leave.
#[derive(Debug)]
pub struct Crowd {
    most: usize,
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    next: u64,
    count: usize,
    /// By address; the connections of each by when they showed themselves last. No address has none.
    by_peer: BTreeMap<IpAddr, BTreeMap<u64, CancellationToken>>,
}

/// One connection. Dropping it makes room.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    peer: IpAddr,
    leave: CancellationToken,
    /// Where it stands; nowhere once it has settled or left.
    stands: Mutex<Option<u64>>,
    has_shown: AtomicBool,
}

impl Crowd {
    /// With room for `most` connections.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            present: Mutex::default(),
        })
    }

    /// Lets a connection from `peer` in.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Place {
        let place = Place {
            crowd: Arc::clone(self),
            // The same host, whichever socket it came by.
            peer: peer.to_canonical(),
            leave: CancellationToken::new(),
            stands: Mutex::default(),
            has_shown: AtomicBool::new(false),
        };
        place.stand_last();
        place
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// It did what a connection is for: now every other one is older. Also ends what [`Place::settle`] began.
    pub fn show(&self) {
        self.has_shown.store(true, Ordering::Relaxed);
        self.stand_last();
    }

    /// Whether it ever did.
    pub fn has_shown(&self) -> bool {
        self.has_shown.load(Ordering::Relaxed)
    }

    fn stand_last(&self) {
        let mut stands = self.lock();
        let mut present = self.crowd.lock();
        if let Some(before) = stands.take() {
            present.remove(self.peer, before);
        }
        *stands = Some(present.add(self.peer, self.leave.clone()));
        if present.count > self.crowd.most {
            present.ask_one_to_leave();
        }
    }

    /// It takes no room and is not asked to leave until it shows itself again: somebody else bounds it.
    pub fn settle(&self) {
        if let Some(before) = self.lock().take() {
            self.crowd.lock().remove(self.peer, before);
        }
    }

    /// Whose it is.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Returns when somebody else needs the room.
    pub async fn left(&self) {
        self.leave.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.settle();
    }
}

impl Present {
    fn add(&mut self, peer: IpAddr, leave: CancellationToken) -> u64 {
        let place = self.next;
        self.next += 1;
        self.by_peer.entry(peer).or_default().insert(place, leave);
        self.count += 1;
        place
    }

    fn remove(&mut self, peer: IpAddr, place: u64) -> Option<CancellationToken> {
        let places = self.by_peer.get_mut(&peer)?;
        let leave = places.remove(&place)?;
        if places.is_empty() {
            self.by_peer.remove(&peer);
        }
        self.count -= 1;
        Some(leave)
    }

    /// Where several addresses hold the most, the oldest of all theirs.
    fn ask_one_to_leave(&mut self) {
        let oldest = |places: &BTreeMap<u64, CancellationToken>| places.keys().next().copied();
        let crowded = self
            .by_peer
            .iter()
            .max_by_key(|(_, places)| (places.len(), Reverse(oldest(places))));
        let Some((peer, place)) = crowded.and_then(|(peer, places)| Some((*peer, oldest(places)?))) else {
            return;
        };
        if let Some(leave) = self.remove(peer, place) {
            leave.cancel();
        }
    }
}

#[cfg(test)]
mod tests;
