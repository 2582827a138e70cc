//! Who runs what: the last word of each connected sidecar.
//!
//! Acks are state, not events. What a sidecar acknowledged last is kept for as long as its stream is open; a new stream
//! begins with nothing, and the sidecar says it again. A pod without an entry has not reported.

use crate::push::View;
use crate::watch::PodUid;
use pilotfish_wire::Refusal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Of one sidecar's refusals, how many are kept: what is wrong with more is wrong with these.
const MOST_REFUSALS: usize = 64;
/// Of one refusal's sentence, how many bytes.
const LONGEST_REASON: usize = 512;

/// What every connected sidecar said last.
#[derive(Debug, Default)]
pub struct Acks {
    by_pod: Mutex<BTreeMap<PodUid, Entry>>,
    changes: watch::Sender<u64>,
}

/// A configuration that a sidecar has in force.
#[derive(Clone, Debug)]
pub struct Acked {
    /// Everything that it was sent.
    pub view: Arc<View>,
    /// What of it the sidecar would not use, the first of them.
    pub refused: Vec<Refusal>,
}

/// The place of one stream. Dropping it takes the pod's word away.
#[derive(Debug)]
pub(crate) struct Session {
    acks: Arc<Acks>,
    pod: PodUid,
    ended: CancellationToken,
}

#[derive(Debug)]
struct Entry {
    acked: Option<Arc<Acked>>,
    /// Ends the stream when the same pod opens another.
    stream: CancellationToken,
}

impl Acks {
    /// What the sidecar of `pod` has in force; `None` when it is not connected here or has not said yet.
    pub fn of(&self, pod: &PodUid) -> Option<Arc<Acked>> {
        self.lock().get(pod)?.acked.clone()
    }

    /// A counter that moves whenever an answer of [`Acks::of`] changes.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The pods whose sidecars are connected here.
    pub fn connected(&self) -> Vec<PodUid> {
        self.lock().keys().cloned().collect()
    }

    /// A stream of `pod` begins. An older one of the same pod is over.
    pub(crate) fn open(self: &Arc<Self>, pod: PodUid) -> Session {
        let stream = CancellationToken::new();
        let entry = Entry {
            acked: None,
            stream: stream.clone(),
        };
        if let Some(older) = self.lock().insert(pod.clone(), entry) {
            older.stream.cancel();
        }
        self.count();
        Session {
            acks: Arc::clone(self),
            pod,
            ended: stream,
        }
    }

    fn count(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PodUid, Entry>> {
        self.by_pod.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// The sidecar has `view` in force, all but what it `refused`.
    pub(crate) fn acked(&self, view: Arc<View>, refused: Vec<Refusal>) {
        // Its own entry may be another stream's by now.
        if self.ended.is_cancelled() {
            return;
        }
        let refused = bounded(refused);
        if let Some(entry) = self.acks.lock().get_mut(&self.pod) {
            entry.acked = Some(Arc::new(Acked { view, refused }));
        }
        self.acks.count();
    }

    /// Returns when the same pod has opened another stream.
    pub(crate) async fn replaced(&self) {
        self.ended.cancelled().await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.ended.is_cancelled() {
            return;
        }
        self.acks.lock().remove(&self.pod);
        self.acks.count();
    }
}

fn bounded(mut refused: Vec<Refusal>) -> Vec<Refusal> {
    refused.truncate(MOST_REFUSALS);
    refused.shrink_to_fit();
    for refusal in &mut refused {
        let end = refusal.reason.floor_char_boundary(LONGEST_REASON);
        refusal.reason.truncate(end);
        refusal.reason = refusal.reason.chars().map(shown).collect();
    }
    refused
}

/// A pod's own words end up in status and Events, where people of other namespaces read them in terminals: what moves
/// the cursor or turns the direction of writing is replaced.
fn shown(character: char) -> char {
    let turns = matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if turns || character.is_control() {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilotfish_wire::Kind;

    fn refusal(reason: &str) -> Refusal {
        Refusal {
            kind: Kind::Policy,
            name: "shop/chat".to_owned(),
            version: "v".to_owned(),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_refusal_cannot_write_into_a_terminal() {
        let refused = bounded(vec![refusal("no\u{1b}[31m\nred \u{202e}txt é")]);
        assert_eq!(refused[0].reason, "no\u{fffd}[31m\u{fffd}red \u{fffd}txt é");
    }

    fn view() -> Arc<View> {
        Arc::new(View::default())
    }

    #[test]
    fn a_pod_s_word_lasts_as_long_as_its_stream() {
        let acks = Arc::new(Acks::default());
        let mut changed = acks.changed();
        let pod = PodUid::new("uid-1");
        let session = acks.open(pod.clone());
        assert!(acks.of(&pod).is_none(), "a new stream has said nothing");
        session.acked(view(), vec![refusal("no such header")]);
        assert_eq!(acks.of(&pod).unwrap().refused, [refusal("no such header")]);
        session.acked(view(), Vec::new());
        assert!(acks.of(&pod).unwrap().refused.is_empty());
        assert!(changed.has_changed().unwrap());
        changed.mark_unchanged();
        drop(session);
        assert!(acks.of(&pod).is_none());
        assert!(changed.has_changed().unwrap());
    }

    #[test]
    fn of_two_streams_of_a_pod_the_later_counts() {
        let acks = Arc::new(Acks::default());
        let pod = PodUid::new("uid-1");
        let older = acks.open(pod.clone());
        let newer = acks.open(pod.clone());
        assert!(older.ended.is_cancelled() && !newer.ended.is_cancelled());
        newer.acked(view(), Vec::new());
        older.acked(view(), vec![refusal("late")]);
        drop(older);
        assert!(acks.of(&pod).unwrap().refused.is_empty());
        assert_eq!(acks.connected(), [pod]);
    }

    #[test]
    fn a_sidecar_cannot_fill_the_memory_with_what_it_refuses() {
        let refused = bounded(vec![refusal(&"ä".repeat(LONGEST_REASON)); 10_000]);
        assert_eq!(refused.len(), MOST_REFUSALS);
        assert_eq!(refused[0].reason.len(), LONGEST_REASON);
    }
}
