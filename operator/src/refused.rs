//! Pods with our label whose sidecar is served nothing are told so, by an Event beside them.
//!
//! Such a sidecar never acknowledges anything, and no status waits for it: whoever may create a pod in a namespace could
//! keep every policy of it pending. So it is the pod that says what is wrong, where one looks that does not become ready.

use crate::events::{Occurrence, Recorder};
use crate::lease::Leadership;
use crate::metrics::{Metrics, Occasion};
use crate::watch::{Compilation, Compilations, LivePod, PodUid};
use k8s_openapi::api::core::v1::ObjectReference;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// What each pod was told last.
type Told = BTreeMap<PodUid, Arc<str>>;

/// Tells pods while this replica leads, for as long as it is polled. A new leader tells them again.
pub(crate) async fn run(
    mut compilations: Compilations,
    mut leadership: Leadership,
    recorder: Recorder,
    metrics: Arc<Metrics>,
) {
    let mut told = Told::new();
    loop {
        let compilation = compilations.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        let news = match compilation.filter(|_| leads) {
            Some(compilation) => news(&compilation, &mut told),
            None => {
                told.clear();
                Vec::new()
            }
        };
        metrics.pods_unserved.set(i64::try_from(told.len()).unwrap_or(i64::MAX));
        for (regarding, note) in news {
            let occasion = Occasion::Unserved;
            recorder.record(&regarding, &Occurrence { occasion, note }).await;
        }
        tokio::select! {
            changed = compilations.changed() => if changed.is_err() { return },
            changed = leadership.changed() => if changed.is_err() { return },
        }
    }
}

/// The pods that are refused and were not told so, or were told something else.
fn news(compilation: &Compilation, told: &mut Told) -> Vec<(ObjectReference, String)> {
    let staying = compilation.pods.iter().filter(|(_, pod)| !pod.terminating);
    let refused = staying.filter_map(|(uid, pod)| Some((uid, pod, pod.refused.as_ref()?)));
    let before = std::mem::take(told);
    let mut news = Vec::new();
    for (uid, pod, why) in refused {
        if before.get(uid) != Some(why) {
            news.push((regarding(uid, pod), format!("its sidecar is served nothing: {why}")));
        }
        told.insert(uid.clone(), Arc::clone(why));
    }
    news
}

fn regarding(uid: &PodUid, pod: &LivePod) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some(pod.name.namespace.clone()),
        name: Some(pod.name.name.clone()),
        uid: Some(uid.as_str().to_owned()),
        ..ObjectReference::default()
    }
}
