//! Pods that proved who they are and are served nothing: for as long as they are as they were, nobody is asked again.
//!
//! A sidecar that is refused comes back for as long as its pod lives, and each time the API server would be asked about its
//! token and its pod, though neither has changed. So who was refused is remembered by the token, which the API server has
//! accepted, and refused again for as long as the watch sees his pod with the same fault. A pod that is mended is looked up
//! as soon as that is seen.

use crate::watch::{Compilation, PodUid};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many are remembered; a token lasts for an hour, and of those that are used no more none needs to be known.
const MOST: usize = 1_024;

/// Those who were refused, by the hashes of their tokens.
#[derive(Default)]
pub(super) struct Refusals(Mutex<BTreeMap<[u8; 32], Fault>>);

/// What is wrong with a pod.
struct Fault {
    pod: PodUid,
    why: String,
}

impl Refusals {
    /// The pod `pod`, whose token this is, was refused.
    pub(super) fn note(&self, token: &str, pod: &PodUid, why: &str) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.clear();
        }
        let fault = Fault {
            pod: pod.clone(),
            why: why.to_owned(),
        };
        all.insert(hash(token), fault);
    }

    /// Why the pod whose token this is is still refused, as far as that is certain from what the watch has `seen`.
    pub(super) fn standing(&self, token: &str, seen: Option<&Arc<Compilation>>) -> Option<String> {
        let mut all = self.all();
        let Fault { pod, why } = all.get(&hash(token))?;
        let live = seen.and_then(|seen| seen.pods.get(pod));
        if live.and_then(|live| live.refused.as_deref()) == Some(why) {
            return Some(why.clone());
        }
        all.remove(&hash(token));
        None
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}
