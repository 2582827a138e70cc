//! Who runs what: the last word of each connected sidecar.
//!
//! Acks are state, not events. What a sidecar acknowledged last is kept for as long as its stream is open; a new stream
//! begins with nothing, and the sidecar says it again. A pod without an entry has not reported.

use crate::foreign::shown;
use crate::push::View;
use crate::watch::PodUid;
use pilotfish_wire::{Ack, Resource};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Of one sidecar's refusals, how many sentences are kept: what is wrong with more is wrong with these.
const MOST_SENTENCES: usize = 64;
/// Of one refusal's sentence, how many bytes.
const LONGEST_REASON: usize = 512;
/// Instead of a sentence that is not kept, or was not said.
const UNSAID: &str = "the sidecar refuses too much to say why of each; its log does";

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
    /// What of it the sidecar would not use, in the same order.
    pub refused: Arc<[Refused]>,
    /// It refused more than it could name: nothing else of the view is known to be in force.
    pub is_partial: bool,
}

/// A resource that a sidecar would not use.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The resource, as it was sent.
    pub resource: Arc<Resource>,
    /// Why, in the sidecar's own words as far as they are kept.
    pub reason: Cow<'static, str>,
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
    #[cfg(test)]
    pub(crate) fn connected(&self) -> Vec<PodUid> {
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
    /// The sidecar has `view` in force, all but what its `ack` refuses.
    pub(crate) fn acked(&self, view: Arc<View>, ack: &Ack) {
        // Its own entry may be another stream's by now.
        if self.ended.is_cancelled() {
            return;
        }
        let acked = Acked {
            refused: refused(view.resources(), ack),
            is_partial: ack.unnamed > 0,
            view,
        };
        if let Some(entry) = self.acks.lock().get_mut(&self.pod) {
            entry.acked = Some(Arc::new(acked));
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

/// What of `sent` is refused. What was not sent is not known, so a sidecar cannot fill our memory with what it refuses.
fn refused(sent: &[Arc<Resource>], ack: &Ack) -> Arc<[Refused]> {
    let refusals = ack.refused.iter();
    let reasons: BTreeMap<_, _> = refusals
        .map(|refusal| ((refusal.kind, &*refusal.name, &*refusal.version), &*refusal.reason))
        .collect();
    let refused = sent.iter().filter_map(|resource| {
        let named = (resource.kind, &*resource.name, &*resource.version);
        Some((resource, *reasons.get(&named)?))
    });
    let refused = refused.enumerate().map(|(place, (resource, reason))| Refused {
        resource: Arc::clone(resource),
        reason: kept(place, reason),
    });
    refused.collect()
}

fn kept(place: usize, reason: &str) -> Cow<'static, str> {
    if place >= MOST_SENTENCES || reason.is_empty() {
        return UNSAID.into();
    }
    shown(reason, LONGEST_REASON).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilotfish_wire::{Kind, Refusal};

    fn policy(number: usize) -> Arc<Resource> {
        Arc::new(Resource::new(Kind::Policy, format!("shop/policy-{number:05}"), &number))
    }

    fn refusal(resource: &Resource, reason: &str) -> Refusal {
        Refusal {
            kind: resource.kind,
            name: resource.name.clone(),
            version: resource.version.clone(),
            reason: reason.to_owned(),
        }
    }

    fn ack(refused: Vec<Refusal>) -> Ack {
        Ack {
            nonce: 1,
            version: "v".to_owned(),
            refused,
            unnamed: 0,
        }
    }

    fn view(policies: usize) -> Arc<View> {
        Arc::new(View::of((0..policies).map(policy)))
    }

    /// The names and sentences of what the pod refuses.
    fn told(acks: &Acks, pod: &PodUid) -> Vec<(String, String)> {
        let acked = acks.of(pod).unwrap();
        let told = acked.refused.iter();
        told.map(|refused| (refused.resource.name.clone(), refused.reason.to_string()))
            .collect()
    }

    #[test]
    fn a_pod_s_word_lasts_as_long_as_its_stream() {
        let acks = Arc::new(Acks::default());
        let mut changed = acks.changed();
        let pod = PodUid::new("uid-1");
        let session = acks.open(pod.clone());
        assert!(acks.of(&pod).is_none(), "a new stream has said nothing");
        session.acked(view(1), &ack(vec![refusal(&policy(0), "no such header")]));
        let expected = ("shop/policy-00000".to_owned(), "no such header".to_owned());
        assert_eq!(told(&acks, &pod), [expected]);
        session.acked(view(1), &ack(Vec::new()));
        assert_eq!(told(&acks, &pod), []);
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
        newer.acked(view(1), &ack(Vec::new()));
        older.acked(view(1), &ack(vec![refusal(&policy(0), "late")]));
        drop(older);
        assert_eq!(told(&acks, &pod), []);
    }

    #[test]
    fn everything_that_is_refused_counts_and_the_first_sentences_are_kept() {
        let long = "ä".repeat(LONGEST_REASON);
        let mut all: Vec<_> = (0..100).map(|number| refusal(&policy(number), &long)).collect();
        all[1].reason.clear();
        // What it was never sent, and what it has in another version.
        all.extend((1_000..100_000).map(|number| refusal(&policy(number), "no")));
        all[99].version = "another".to_owned();
        let refused = refused(view(200).resources(), &ack(all));
        assert_eq!(refused.len(), 99);
        assert_eq!(refused[0].reason, format!("{}…", "ä".repeat(LONGEST_REASON / 2)));
        for place in [1, MOST_SENTENCES, 98] {
            assert_eq!(refused[place].reason, UNSAID, "{place}");
        }
    }
}
