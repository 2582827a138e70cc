//! The ConfigMap with the bundle, in every namespace whose pods may mount it.

use super::{Attempt, Bundle, Error, FIELD_MANAGER, answered};
use crate::backoff::Backoff;
use crate::events::{Occurrence, Recorder};
use crate::inject::{INJECT, TRUST};
use crate::lease::Leadership;
use crate::metrics::{Metrics, Occasion};
use crate::watch::relisting::{Selection, events};
use crate::watch::sound::Sound;
use crate::watch::{Compilation, Compilations};
use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::Event;
use kube::{Api, Client};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Of the ConfigMap.
const ENTRY: &str = "ca.crt";
/// The status of a change that may not be.
const INVALID: u16 = 422;
/// The status of what is larger than may be.
const TOO_LARGE: u16 = 413;
/// The status of what is gone.
const NOT_FOUND: u16 = 404;
/// Namespaces that are written to at once.
const AT_ONCE: usize = 8;
/// Before a namespace that could not be told is tried again; twice as long each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What each namespace is told, as far as we know.
#[derive(Debug)]
struct Told {
    by_namespace: BTreeMap<String, String>,
    /// A list that is not complete yet.
    listing: BTreeMap<String, String>,
    is_listed: bool,
    /// Those that could not be told.
    untold: Backoff<String>,
    /// Of those, the ones that are being deleted: they take nothing new, which is as it should be.
    going: BTreeSet<String>,
}

/// Keeps the ConfigMaps as they are to be for as long as it is polled.
pub(crate) async fn run(
    client: Client,
    mut compilations: Compilations,
    mut bundle: Bundle,
    mut leadership: Leadership,
    recorder: Recorder,
    metrics: Arc<Metrics>,
) {
    let maps = events(Api::<Sound<ConfigMap>>::all(client.clone()), Selection::named(TRUST));
    let mut news = pin!(maps.default_backoff());
    let mut told = Told::new();
    loop {
        let trusted = bundle.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        let compilation = compilations.borrow_and_update().clone();
        let attempt = match compilation.filter(|_| leads && told.is_listed && !trusted.is_empty()) {
            Some(compilation) => tell(&client, &compilation, &trusted, &mut told, &recorder).await,
            None => {
                told.forget(|_| true);
                Attempt::Idle
            }
        };
        metrics.namespaces_untold.set(told.troubles());
        attempt.breathe().await;
        tokio::select! {
            Some(news) = news.next() => match news {
                Ok(event) => told.hear(event),
                Err(error) => tracing::warn!(kind = "ConfigMap", %error, "watch failed and will be tried again"),
            },
            changed = compilations.changed() => if changed.is_err() { return },
            changed = bundle.changed() => if changed.is_err() { return },
            changed = leadership.changed() => if changed.is_err() { return },
            () = told.untold.due() => {}
        }
    }
}

impl Told {
    fn new() -> Self {
        Self {
            by_namespace: BTreeMap::new(),
            listing: BTreeMap::new(),
            is_listed: false,
            untold: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            going: BTreeSet::new(),
        }
    }

    fn hear(&mut self, event: Event<ConfigMap>) {
        match event {
            Event::Init => self.listing.clear(),
            Event::InitApply(map) => drop(entry(map).map(|(namespace, text)| self.listing.insert(namespace, text))),
            Event::InitDone => {
                self.by_namespace = std::mem::take(&mut self.listing);
                self.is_listed = true;
            }
            Event::Apply(map) => drop(entry(map).map(|(namespace, text)| self.by_namespace.insert(namespace, text))),
            Event::Delete(map) => drop(entry(map).map(|(namespace, _)| self.by_namespace.remove(&namespace))),
        }
    }

    /// Those of `concerned` that are not told `bundle`.
    fn without(&self, concerned: BTreeSet<String>, bundle: &str) -> Vec<String> {
        let is_told = |namespace: &String| self.by_namespace.get(namespace).is_some_and(|told| told == bundle);
        concerned.into_iter().filter(|namespace| !is_told(namespace)).collect()
    }

    /// It could not be told at `now`. Whether that is news.
    fn fail(&mut self, namespace: &str, is_going: bool, now: Instant) -> bool {
        let is_first = self.untold.failed(namespace.to_owned(), now);
        let has_changed = if is_going {
            self.going.insert(namespace.to_owned())
        } else {
            self.going.remove(namespace)
        };
        is_first || has_changed
    }

    /// Those that need not be told any more, or have been.
    fn forget(&mut self, done: impl Fn(&String) -> bool) {
        self.untold.retain(|namespace| !done(namespace));
        self.going.retain(|namespace| !done(namespace));
    }

    /// Namespaces that ought to be told and cannot be.
    fn troubles(&self) -> i64 {
        i64::try_from(self.untold.len() - self.going.len()).unwrap_or(i64::MAX)
    }
}

/// The namespace of a ConfigMap, and what it says there; nothing, where somebody took it out.
fn entry(map: ConfigMap) -> Option<(String, String)> {
    let text = map.data.and_then(|mut data| data.remove(ENTRY)).unwrap_or_default();
    Some((map.metadata.namespace?, text))
}

/// The namespaces that opted in, and those where a pod did.
fn concerned(compilation: &Compilation) -> BTreeSet<String> {
    let namespaces = compilation.world.namespaces.iter();
    let opted_in = namespaces.filter(|(_, labels)| labels.get(INJECT).is_some_and(|word| word == "enabled"));
    let with_pods = compilation.pods.values().map(|pod| &pod.name.namespace);
    opted_in.map(|(name, _)| name).chain(with_pods).cloned().collect()
}

/// Writes where it is missing.
async fn tell(
    client: &Client,
    compilation: &Compilation,
    bundle: &str,
    told: &mut Told,
    recorder: &Recorder,
) -> Attempt {
    let missing = told.without(concerned(compilation), bundle);
    told.forget(|namespace| !missing.contains(namespace));
    let now = Instant::now();
    let due = missing
        .into_iter()
        .filter(|namespace| told.untold.is_due(namespace, now));
    let writes = due.map(|namespace| async move {
        let written = answered(heal(client, &namespace, bundle)).await;
        (namespace, written)
    });
    let writes: Vec<_> = writes.collect();
    let mut attempt = Attempt::Idle;
    let mut writes = futures::stream::iter(writes).buffer_unordered(AT_ONCE);
    while let Some((namespace, written)) = writes.next().await {
        attempt = Attempt::Written;
        match written {
            Ok(_) => {
                told.forget(|told| *told == namespace);
                told.by_namespace.insert(namespace, bundle.to_owned());
            }
            Err(error) => {
                let is_going = is_going(&error);
                let news = told.fail(&namespace, is_going, Instant::now());
                if !is_going {
                    complain(&namespace, &error, news.then_some(recorder)).await;
                }
            }
        }
    }
    attempt
}

/// Whoever may write ConfigMaps may seal one that says something else, say it as bytes under the same name, or leave no
/// room beside it; such a one can only be replaced. One with finalizers stays until they are gone, and nobody has to
/// finish anything about it.
async fn heal(client: &Client, namespace: &str, bundle: &str) -> kube::Result<ConfigMap> {
    let written = write(client, namespace, bundle).await;
    match written {
        Err(kube::Error::Api(status)) if is_in_the_way(status.code, &status.message) => {}
        written => return written,
    }
    let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    if api.delete(TRUST, &DeleteParams::default()).await?.left().is_some() {
        let unfinished = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        match api.patch_metadata(TRUST, &PatchParams::default(), &unfinished).await {
            Err(kube::Error::Api(status)) if status.code == NOT_FOUND => {}
            patched => drop(patched?),
        }
    }
    let written = write(client, namespace, bundle).await?;
    tracing::warn!(
        namespace,
        "ConfigMap {TRUST} was wrong and could not be changed, and was replaced"
    );
    Ok(written)
}

/// Whether what stands there, and no policy of the cluster, takes no other text. What is in it beside its text may be too
/// large for etcd, which is no fault of the request by the API server's words.
fn is_in_the_way(code: u16, message: &str) -> bool {
    let says = |part: &&str| message.contains(*part);
    let is_sealed = code == INVALID && ["immutable", "binaryData", "Too long"].iter().any(says);
    is_sealed || code == TOO_LARGE || says(&"request is too large")
}

async fn write(client: &Client, namespace: &str, bundle: &str) -> kube::Result<ConfigMap> {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": TRUST, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "pilotfish"}},
        "data": {ENTRY: bundle},
    });
    let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(TRUST, &parameters, &Patch::Apply(map)).await
}

/// A namespace that is being deleted takes nothing new, which is as it should be.
fn is_going(error: &Error) -> bool {
    matches!(error, Error::Api(kube::Error::Api(status)) if status.message.contains("being terminated"))
}

/// In the log each time, and as an Event to `recorder` where it is news.
async fn complain(namespace: &str, error: &Error, recorder: Option<&Recorder>) {
    tracing::warn!(namespace, %error, "sidecars could not be told whom to trust");
    let Some(recorder) = recorder else { return };
    let regarding = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("ConfigMap".to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(TRUST.to_owned()),
        ..ObjectReference::default()
    };
    let occurrence = Occurrence {
        occasion: Occasion::Untold,
        note: format!("sidecars of this namespace cannot be told whom to trust: {error}"),
    };
    recorder.record(&regarding, &occurrence).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(namespace: &str, data: serde_json::Value) -> ConfigMap {
        serde_json::from_value(json!({"metadata": {"name": TRUST, "namespace": namespace}, "data": data})).unwrap()
    }

    fn missing(told: &Told, concerned: &[&str]) -> Vec<String> {
        told.without(concerned.iter().map(|&name| name.to_owned()).collect(), "new")
    }

    #[test]
    fn who_is_told_something_else_or_nothing_is_told_again() {
        let mut told = Told::new();
        told.hear(Event::Init);
        told.hear(Event::InitApply(map("a", json!({"ca.crt": "new"}))));
        told.hear(Event::InitApply(map("b", json!({"ca.crt": "old"}))));
        told.hear(Event::InitApply(map("c", json!({"other": "new"}))));
        assert!(!told.is_listed);
        told.hear(Event::InitDone);
        assert!(told.is_listed);
        assert_eq!(missing(&told, &["a", "b", "c", "d"]), ["b", "c", "d"]);
        assert_eq!(missing(&told, &["a"]), [""; 0]);

        told.hear(Event::Apply(map("b", json!({"ca.crt": "new"}))));
        told.hear(Event::Apply(map("a", json!({"ca.crt": "spoilt"}))));
        assert_eq!(missing(&told, &["a", "b"]), ["a"]);
        told.hear(Event::Delete(map("b", json!({"ca.crt": "new"}))));
        assert_eq!(missing(&told, &["b"]), ["b"]);
    }

    #[test]
    fn a_list_replaces_what_was_known_once_it_is_complete() {
        let mut told = Told::new();
        told.hear(Event::Apply(map("a", json!({"ca.crt": "new"}))));
        told.hear(Event::Init);
        assert_eq!(missing(&told, &["a"]), [""; 0]);
        told.hear(Event::InitDone);
        assert_eq!(missing(&told, &["a"]), ["a"]);
    }

    #[test]
    fn what_takes_no_other_text_is_told_from_who_forbids_it() {
        for (code, message) in [
            (422, "data: Forbidden: field is immutable when `immutable` is set"),
            (
                422,
                "binaryData[ca.crt]: Invalid value: duplicate of key present in data",
            ),
            (422, "[]: Too long: may not be more than 1048576 bytes"),
            (500, "etcdserver: request is too large"),
            (413, "Request entity too large: limit is 3145728"),
        ] {
            assert!(is_in_the_way(code, message), "{message}");
        }
        for (code, message) in [
            (422, "ValidatingAdmissionPolicy 'no-maps' denied request: no maps"),
            (403, "configmaps is immutable to you"),
            (500, "etcdserver: leader changed"),
        ] {
            assert!(!is_in_the_way(code, message), "{message}");
        }
    }

    #[test]
    fn a_namespace_that_cannot_be_told_is_news_once_and_no_trouble_while_it_is_deleted() {
        let (mut told, now) = (Told::new(), Instant::now());
        assert!(told.fail("a", false, now));
        assert!(!told.fail("a", false, now), "it is news once");
        assert_eq!(told.troubles(), 1);
        assert!(told.fail("a", true, now));
        assert_eq!(told.troubles(), 0);
        told.forget(|_| true);
        assert!(told.fail("a", false, now), "forgotten");
    }
}
