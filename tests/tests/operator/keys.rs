//! VirtualKeys get their keys, and new ones from time to time; nobody else's Secret is written to.

use crate::statuses::Statuses;
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use pilotfish_tests::cluster::{Namespace, until};
use pilotfish_tests::{Cluster, Operator};
use serde_json::{Value, json};

const RESOLVED: &str = "ResolvedRefs=True ResolvedRefs";
const KEY: &str = "sk-pf-made-by-hand-made-by-hand";

/// A VirtualKey of this name, whose Secret is `keys`.
pub(crate) fn key(name: &str, more: &str) -> String {
    format!(
        "{{apiVersion: pilotfish.dev/v1alpha1, kind: VirtualKey, metadata: {{name: {name}}}, \
         spec: {{secretName: keys{more}}}}}"
    )
}

/// The time in so many seconds, to the second, as Kubernetes writes it.
fn in_seconds(seconds: i64) -> Result<String> {
    let now = jiff::Timestamp::now().as_second();
    Ok(jiff::Timestamp::from_second(now + seconds)?.to_string())
}

/// The Secret `keys` of a namespace.
pub(crate) struct Keys {
    api: Api<Secret>,
    pub(crate) statuses: Statuses,
}

impl Keys {
    pub(crate) async fn of(cluster: &Cluster, namespace: &Namespace<'_>) -> Result<Self> {
        Ok(Self {
            api: Api::namespaced(cluster.client().await?, namespace.name()),
            statuses: Statuses::of(cluster, namespace).await?,
        })
    }

    /// An entry, if it is there.
    pub(crate) async fn entry(&self, name: &str) -> Result<Option<String>> {
        let secret = self.api.get("keys").await?;
        let value = secret.data.and_then(|mut data| data.remove(name));
        Ok(value.map(|value| String::from_utf8(value.0)).transpose()?)
    }

    /// The key that the Secret holds once it is another one than `before`.
    pub(crate) async fn other_than(&self, before: &str) -> Result<String> {
        until("there is a new key", async || {
            let key = self.entry("api-key").await?.context("there is none")?;
            ensure!(key != before, "it is the same");
            Ok(key)
        })
        .await
    }

    pub(crate) async fn patch(&self, patch: &Value) -> Result<()> {
        self.api
            .patch("keys", &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    /// Waits until the VirtualKey `team-a` shows the start of `key`.
    async fn shown(&self, key: &str) -> Result<()> {
        let prefix = key.get(..12).context("a key is longer")?;
        self.statuses
            .shows("VirtualKey/team-a", "/prefix", &json!(prefix))
            .await
    }
}

#[tokio::test]
async fn a_key_is_made_once_and_goes_with_its_virtual_key() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let keys = Keys::of(cluster, &shop).await?;
    shop.apply(&key("team-a", "")).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    let made = keys.entry("api-key").await?.context("there is a key")?;
    assert!(made.starts_with("sk-pf-") && made.len() == 46);
    keys.shown(&made).await?;

    // What has nothing to do with the key leaves it alone.
    shop.apply(&key("team-a", ", models: [chat], disabled: true")).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    assert_eq!(keys.entry("api-key").await?, Some(made));

    shop.kubectl(["delete", "virtualkey", "team-a"]).await?.success()?;
    until("the Secret is gone", async || {
        ensure!(keys.api.get_opt("keys").await?.is_none(), "it is there");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_is_replaced_when_it_is_old_and_the_one_before_it_goes_in_its_time() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let keys = Keys::of(cluster, &shop).await?;
    shop.apply(&key("team-a", ", rotation: {every: 1h, overlap: 10m}"))
        .await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    let first = keys.entry("api-key").await?.context("there is a key")?;

    // Time is an annotation, so the test need not wait for it.
    let long_ago = "2026-01-01T00:00:00Z";
    keys.patch(&json!({"metadata": {"annotations": {"pilotfish.dev/key-made-at": long_ago}}}))
        .await?;
    let second = keys.other_than(&first).await?;
    assert_eq!(keys.entry("previous-api-key").await?.as_ref(), Some(&first));
    keys.shown(&second).await?;
    let events = [
        "get",
        "events",
        "--field-selector=reason=KeyRotated",
        "-o",
        "jsonpath={.items[*].message}",
    ];
    let told = until("the rotation is told", async || {
        let told = shop.kubectl(events).await?.success()?;
        ensure!(!told.is_empty(), "not yet");
        Ok(told)
    });
    let start = second.get(..12).context("a key is longer")?;
    let sentence = format!(
        "Secret {}/keys has a new key, {start}…; the one before it is taken for another 10m",
        shop.name()
    );
    assert_eq!(told.await?, sentence);

    keys.patch(&json!({"metadata": {"annotations": {"pilotfish.dev/previous-key-until": long_ago}}}))
        .await?;
    until("the first key is gone", async || {
        ensure!(keys.entry("previous-api-key").await?.is_none(), "it is there");
        Ok(())
    })
    .await?;
    assert_eq!(keys.entry("api-key").await?, Some(second));
    Ok(())
}

#[tokio::test]
async fn a_removed_key_is_made_anew_and_a_text_that_is_none_is_left() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let keys = Keys::of(cluster, &shop).await?;
    shop.apply(&key("team-a", "")).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    let first = keys.entry("api-key").await?.context("there is a key")?;
    keys.patch(&json!({"data": {"api-key": null}})).await?;
    let second = keys.other_than(&first).await?;
    keys.patch(&json!({"stringData": {"api-key": "  "}})).await?;
    let third = until("the blank is filled", async || {
        let key = keys.entry("api-key").await?.context("there is none")?;
        ensure!(key.starts_with("sk-pf-"), "it is {key:?}");
        Ok(key)
    })
    .await?;
    assert_ne!(second, third);

    keys.patch(&json!({"stringData": {"api-key": "hello"}})).await?;
    let sentence = "ResolvedRefs=False InvalidSecret: key api-key of Secret {ns}/keys must start with sk-pf- and have at \
                    least 22 characters and no space";
    keys.statuses.told("VirtualKey/team-a", &[sentence]).await?;
    assert_eq!(keys.entry("api-key").await?.as_deref(), Some("hello"));
    keys.patch(&json!({"stringData": {"api-key": KEY}})).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    keys.shown("sk-pf-made-b").await
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_used_if_it_is_labelled_and_never_written() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let keys = Keys::of(cluster, &shop).await?;
    let entry = format!("--from-literal=api-key={KEY}");
    shop.kubectl(["create", "secret", "generic", "keys", &entry])
        .await?
        .success()?;
    shop.apply(&key("team-a", ", rotation: {every: 1m, overlap: 1s}"))
        .await?;
    let unlabelled = "ResolvedRefs=False InvalidSecret: Secret {ns}/keys exists without the label \
                      pilotfish.dev/credentials: \"true\", and is neither read nor overwritten; label it, delete it, or \
                      choose another secretName";
    keys.statuses.told("VirtualKey/team-a", &[unlabelled]).await?;

    let labels = json!({"metadata": {
        "labels": {"pilotfish.dev/credentials": "true"},
        "annotations": {"pilotfish.dev/key-made-at": "2026-01-01T00:00:00Z"},
    }});
    keys.patch(&labels).await?;
    let not_owned = "ResolvedRefs=False SecretNotOwned: Secret {ns}/keys was not made by this VirtualKey, so its key is \
                     not rotated";
    let in_force = "Programmed=True NoSidecars: no pod with a sidecar is concerned";
    keys.statuses.told("VirtualKey/team-a", &[not_owned, in_force]).await?;
    keys.shown("sk-pf-made-b").await?;
    shop.apply(&key("team-a", "")).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;

    // Who had a key first keeps it. Of one second, the lesser name is the first.
    shop.apply(&key("team-b", "")).await?;
    let in_use =
        "ResolvedRefs=False KeyInUse: key api-key of Secret {ns}/keys is already that of VirtualKey {ns}/team-a";
    keys.statuses.told("VirtualKey/team-b", &[in_use]).await?;
    assert_eq!(keys.entry("api-key").await?.as_deref(), Some(KEY));
    Ok(())
}

#[tokio::test]
async fn a_label_that_is_taken_off_takes_the_key_along_and_brings_it_back() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let keys = Keys::of(cluster, &shop).await?;
    shop.apply(&key("team-a", "")).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    let made = keys.entry("api-key").await?;
    let label = |value: Value| json!({"metadata": {"labels": {"pilotfish.dev/credentials": value}}});
    keys.patch(&label(Value::Null)).await?;
    let unlabelled = "Programmed=False NotInForce: Secret {ns}/keys exists without the label \
                      pilotfish.dev/credentials: \"true\", and is neither read nor overwritten; label it, delete it, or \
                      choose another secretName";
    keys.statuses.told("VirtualKey/team-a", &[unlabelled]).await?;
    keys.statuses
        .shows("VirtualKey/team-a", "/prefix", &Value::Null)
        .await?;
    keys.patch(&label(json!("true"))).await?;
    keys.statuses.told("VirtualKey/team-a", &[RESOLVED]).await?;
    assert_eq!(keys.entry("api-key").await?, made);
    Ok(())
}

#[tokio::test]
async fn a_key_says_that_it_has_expired_and_when_it_does() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let keys = Keys::of(cluster, &shop).await?;
    let expired = |at: &str| format!("Programmed=False Expired: expired since {at}; opens nothing");
    let past = "2026-01-01T00:00:00Z";
    shop.apply(&key("team-a", &format!(", expiresAt: {past:?}"))).await?;
    keys.statuses
        .told("VirtualKey/team-a", &[RESOLVED, &expired(past)])
        .await?;
    shop.apply(&key("team-a", ", expiresAt: \"2099-01-01T00:00:00Z\""))
        .await?;
    let in_force = "Programmed=True NoSidecars: no pod with a sidecar is concerned";
    keys.statuses.told("VirtualKey/team-a", &[in_force]).await?;

    // Nobody changes anything when its time comes.
    let soon = in_seconds(3)?;
    shop.apply(&key("team-a", &format!(", expiresAt: {soon:?}"))).await?;
    keys.statuses.told("VirtualKey/team-a", &[&expired(&soon)]).await?;
    let events = [
        "get",
        "events",
        "--field-selector=reason=Expired",
        "-o",
        "jsonpath={.items[*].message}",
    ];
    until("the end is told", async || {
        let told = shop.kubectl(events).await?.success()?;
        ensure!(told.contains(&soon), "it is told {told:?}");
        Ok(())
    })
    .await
}
