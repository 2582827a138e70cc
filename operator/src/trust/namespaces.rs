//! The ConfigMap with the bundle, in every namespace whose pods may mount it.

use super::{Attempt, Bundle, Error, FIELD_MANAGER, answered};
use crate::inject::{INJECT, TRUST};
use crate::lease::Leadership;
use crate::watch::{Compilation, Compilations};
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use tokio::time::Instant;

/// Of the ConfigMap.
const ENTRY: &str = "ca.crt";
/// The status of a change that may not be.
const INVALID: u16 = 422;
/// Namespaces that are written to at once.
const AT_ONCE: usize = 8;

/// What each namespace is told, as far as we know.
#[derive(Debug, Default)]
struct Told {
    by_namespace: BTreeMap<String, String>,
    /// A list that is not complete yet.
    listing: BTreeMap<String, String>,
    is_listed: bool,
}

/// Keeps the ConfigMaps as they are to be for as long as it is polled.
pub(crate) async fn run(
    client: Client,
    mut compilations: Compilations,
    mut bundle: Bundle,
    mut leadership: Leadership,
) {
    let named = watcher::Config::default().fields(&format!("metadata.name={TRUST}"));
    let mut news = pin!(watcher(Api::<ConfigMap>::all(client.clone()), named).default_backoff());
    let mut told = Told::default();
    loop {
        let trusted = bundle.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        let compilation = compilations.borrow_and_update().clone();
        let attempt = match compilation.filter(|_| leads && told.is_listed && !trusted.is_empty()) {
            Some(compilation) => tell(&client, &compilation, &trusted, &mut told).await,
            None => Attempt::Idle,
        };
        attempt.breathe().await;
        tokio::select! {
            Some(news) = news.next() => match news {
                Ok(event) => told.hear(event),
                Err(error) => tracing::warn!(kind = "ConfigMap", %error, "watch failed and will be tried again"),
            },
            changed = compilations.changed() => if changed.is_err() { return },
            changed = bundle.changed() => if changed.is_err() { return },
            changed = leadership.changed() => if changed.is_err() { return },
            () = attempt.due() => {}
        }
    }
}

impl Told {
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
async fn tell(client: &Client, compilation: &Compilation, bundle: &str, told: &mut Told) -> Attempt {
    let missing = told.without(concerned(compilation), bundle);
    if missing.is_empty() {
        return Attempt::Idle;
    }
    let writes = missing.into_iter().map(|namespace| async move {
        let written = answered(heal(client, &namespace, bundle)).await;
        (namespace, written)
    });
    let mut writes = futures::stream::iter(writes).buffer_unordered(AT_ONCE);
    let mut attempt = Attempt::Written;
    while let Some((namespace, written)) = writes.next().await {
        match written {
            Ok(_) => drop(told.by_namespace.insert(namespace, bundle.to_owned())),
            Err(error) => {
                attempt = Attempt::Failed;
                complain(&namespace, &error);
            }
        }
    }
    attempt
}

/// Whoever may write ConfigMaps may seal one that says something else; a sealed one can only be replaced.
async fn heal(client: &Client, namespace: &str, bundle: &str) -> kube::Result<ConfigMap> {
    match write(client, namespace, bundle).await {
        Err(kube::Error::Api(status)) if status.code == INVALID && status.message.contains("immutable") => {
            let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
            api.delete(TRUST, &DeleteParams::default()).await?;
            tracing::warn!(namespace, "ConfigMap {TRUST} was immutable and wrong, and is replaced");
            write(client, namespace, bundle).await
        }
        written => written,
    }
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
fn complain(namespace: &str, error: &Error) {
    match error {
        Error::Api(kube::Error::Api(status)) if status.message.contains("being terminated") => {
            tracing::debug!(namespace, "the namespace is being deleted");
        }
        error => tracing::warn!(namespace, %error, "sidecars could not be told whom to trust"),
    }
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
        let mut told = Told::default();
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
        let mut told = Told::default();
        told.hear(Event::Apply(map("a", json!({"ca.crt": "new"}))));
        told.hear(Event::Init);
        assert_eq!(missing(&told, &["a"]), [""; 0]);
        told.hear(Event::InitDone);
        assert_eq!(missing(&told, &["a"]), ["a"]);
    }
}
