//! The `caBundle` of a webhook configuration that the chart installed without one.

use super::{Attempt, Bundle, FIELD_MANAGER, answered};
use crate::lease::Leadership;
use crate::telemetry::Pending;
use crate::watch::relisting::{Selection, events};
use crate::watch::sound::Sound;
use futures::StreamExt;
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, TestOperation};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use kube::api::{Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;
use std::pin::pin;
use tokio::time::Instant;

/// The name of both configurations.
const NAME: &str = "pilotfish-operator";

/// A webhook configuration.
pub(crate) trait Configuration:
    Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
    /// The names of its webhooks, and how each is called.
    fn webhooks(&self) -> Vec<(&str, &WebhookClientConfig)>;
}

impl Configuration for MutatingWebhookConfiguration {
    fn webhooks(&self) -> Vec<(&str, &WebhookClientConfig)> {
        let listed = self.webhooks.iter().flatten();
        listed
            .map(|webhook| (webhook.name.as_str(), &webhook.client_config))
            .collect()
    }
}

impl Configuration for ValidatingWebhookConfiguration {
    fn webhooks(&self) -> Vec<(&str, &WebhookClientConfig)> {
        let listed = self.webhooks.iter().flatten();
        listed
            .map(|webhook| (webhook.name.as_str(), &webhook.client_config))
            .collect()
    }
}

/// What the API server has of a configuration, as far as we know.
enum Seen<K> {
    /// Nobody told us yet.
    Nothing,
    /// There is none, so nobody is sent to our webhooks.
    Absent,
    /// This one.
    Present(K),
}

/// Keeps the bundle in the configuration of this kind for as long as it is polled. `pending` is done once it is there, or
/// there is no such configuration.
pub(crate) async fn run<K: Configuration>(
    client: Client,
    mut bundle: Bundle,
    mut leadership: Leadership,
    pending: Pending,
) {
    let all = Api::<Sound<K>>::all(client.clone());
    let api = Api::<K>::all(client);
    let mut news = pin!(events(all, Selection::named(NAME)).default_backoff());
    let (mut seen, mut pending) = (Seen::<K>::Nothing, Some(pending));
    let mut listing = None;
    loop {
        let trusted = bundle.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        let missing = missing(&seen, &trusted);
        if missing.as_ref().is_some_and(Vec::is_empty)
            && let Some(pending) = pending.take()
        {
            pending.done();
        }
        let attempt = match missing.filter(|patch| leads && !patch.is_empty()) {
            Some(patch) => heal(&api, patch, &mut seen).await,
            None => Attempt::Idle,
        };
        attempt.breathe().await;
        tokio::select! {
            Some(news) = news.next() => match news {
                Ok(event) => listing = hear(event, &mut seen, listing),
                Err(error) => tracing::warn!(kind = %K::kind(&()), %error, "watch failed and will be tried again"),
            },
            changed = bundle.changed() => if changed.is_err() { return },
            changed = leadership.changed() => if changed.is_err() { return },
            () = attempt.due() => {}
        }
    }
}

/// What is `seen` after `event`, where a list that is not complete has this so far. What it has then.
fn hear<K>(event: Event<K>, seen: &mut Seen<K>, listing: Option<K>) -> Option<K> {
    match event {
        Event::Init => return None,
        Event::InitApply(listed) => return Some(listed),
        Event::InitDone => *seen = listing.map_or(Seen::Absent, Seen::Present),
        Event::Apply(changed) => *seen = Seen::Present(changed),
        Event::Delete(_) => *seen = Seen::Absent,
    }
    None
}

/// What has to be patched; `None` while nobody can tell.
fn missing<K: Configuration>(seen: &Seen<K>, bundle: &str) -> Option<Vec<PatchOperation>> {
    match seen {
        _ if bundle.is_empty() => None,
        Seen::Nothing => None,
        Seen::Absent => Some(Vec::new()),
        Seen::Present(configuration) => Some(healing(configuration, bundle)),
    }
}

async fn heal<K: Configuration>(api: &Api<K>, patch: Vec<PatchOperation>, seen: &mut Seen<K>) -> Attempt {
    match answered(write(api, patch)).await {
        Ok(written) => {
            tracing::info!(kind = %K::kind(&()), "webhooks were told whom to trust");
            *seen = Seen::Present(written);
            Attempt::Written
        }
        Err(error) => {
            tracing::warn!(kind = %K::kind(&()), %error, "webhooks could not be told whom to trust");
            Attempt::Failed
        }
    }
}

async fn write<K: Configuration>(api: &Api<K>, patch: Vec<PatchOperation>) -> kube::Result<K> {
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Json::<()>(json_patch::Patch(patch));
    api.patch(NAME, &parameters, &patch).await
}

/// What makes every webhook of `configuration` trust `bundle`; nothing, if each does. A webhook that stands elsewhere by
/// now makes the patch fail.
fn healing(configuration: &impl Configuration, bundle: &str) -> Vec<PatchOperation> {
    let trusts = |client: &WebhookClientConfig| {
        let trusted = client.ca_bundle.as_ref();
        trusted.is_some_and(|ByteString(trusted)| trusted == bundle.as_bytes())
    };
    let listed = configuration.webhooks().into_iter().enumerate();
    listed
        .filter(|(_, (_, client))| !trusts(client))
        .flat_map(|(index, (name, _))| replacement(index, name, bundle))
        .collect()
}

fn replacement(index: usize, name: &str, bundle: &str) -> [PatchOperation; 2] {
    let pointer = |field: &[&str]| {
        let index = index.to_string();
        let path = ["webhooks", index.as_str()].into_iter().chain(field.iter().copied());
        PointerBuf::from_tokens(path)
    };
    let is_it = PatchOperation::Test(TestOperation {
        path: pointer(&["name"]),
        value: json!(name),
    });
    let trusts = PatchOperation::Add(AddOperation {
        path: pointer(&["clientConfig", "caBundle"]),
        value: json!(ByteString(bundle.as_bytes().to_vec())),
    });
    [is_it, trusts]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: &str = "-----BEGIN CERTIFICATE-----";

    /// A configuration of webhooks `a`, `b` …, that trust these.
    fn configuration(trusted: &[Option<&str>]) -> ValidatingWebhookConfiguration {
        let webhook = |(name, trusted): (char, &Option<&str>)| {
            let bundle = trusted.map(|text| ByteString(text.as_bytes().to_vec()));
            json!({
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"caBundle": bundle, "service": {"name": "a", "namespace": "b"}},
            })
        };
        let webhooks: Vec<_> = ('a'..).zip(trusted).map(webhook).collect();
        serde_json::from_value(json!({"metadata": {"name": NAME}, "webhooks": webhooks})).unwrap()
    }

    fn healed(mut configuration: ValidatingWebhookConfiguration) -> ValidatingWebhookConfiguration {
        let patch = healing(&configuration, BUNDLE);
        let mut value = serde_json::to_value(&configuration).unwrap();
        json_patch::patch(&mut value, &patch).unwrap();
        configuration = serde_json::from_value(value).unwrap();
        configuration
    }

    #[test]
    fn only_what_trusts_somebody_else_is_patched() {
        let sound = configuration(&[Some(BUNDLE), Some(BUNDLE)]);
        assert_eq!(healing(&sound, BUNDLE), []);
        for damaged in [[None, None], [Some("other"), Some(BUNDLE)], [Some(BUNDLE), None]] {
            assert_eq!(healed(configuration(&damaged)), sound, "{damaged:?}");
        }
        assert_eq!(healing(&configuration(&[Some(BUNDLE), None]), BUNDLE).len(), 2);
    }

    #[test]
    fn a_webhook_that_moved_is_not_patched_by_its_old_place() {
        let patch = healing(&configuration(&[None]), BUNDLE);
        let mut moved = serde_json::to_value(configuration(&[None])).unwrap();
        moved["webhooks"][0]["name"] = json!("other");
        assert!(json_patch::patch(&mut moved, &patch).is_err());
    }

    #[test]
    fn nothing_is_known_before_there_is_a_root_and_a_list() {
        let present = || Seen::Present(configuration(&[None]));
        assert_eq!(missing(&present(), ""), None);
        assert_eq!(missing(&Seen::<ValidatingWebhookConfiguration>::Nothing, BUNDLE), None);
        assert_eq!(
            missing(&Seen::<ValidatingWebhookConfiguration>::Absent, BUNDLE),
            Some(vec![])
        );
        assert_eq!(missing(&present(), BUNDLE).map(|patch| patch.len()), Some(2));
    }
}
