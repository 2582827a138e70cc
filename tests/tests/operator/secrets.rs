//! Of Secrets with our label no more is held than credentials take, and what is left out is named.

use crate::scene::own;
use crate::statuses::Statuses;
use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use pilotfish_tests::{Deployment, Dialect, Operator};
use serde_json::json;

/// Close to as much as the API server takes.
const LARGE: usize = 900 * 1024;
/// So many of them were a hundred megabytes once.
const MANY: usize = 32;

fn deployment(name: &str) -> String {
    Deployment::at(Dialect::Chat, name, "http://127.0.0.1:9/v1").to_string()
}

fn labelled(name: &str, data: &serde_json::Value) -> Result<Secret> {
    let metadata = json!({"name": name, "labels": {"pilotfish.dev/credentials": "true"}});
    Ok(serde_json::from_value(
        json!({"metadata": metadata, "stringData": data}),
    )?)
}

#[tokio::test]
async fn an_entry_that_is_no_credential_is_named_by_the_condition() -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let statuses = Statuses::of(cluster, &shop).await?;
    let resolved = "ResolvedRefs=True ResolvedRefs";
    let unresolved = |what: &str| format!("ResolvedRefs=False InvalidSecret: {what}");
    let said = async |expected: &str| statuses.told("ModelDeployment/east", &[expected]).await;
    let patched = async |patch: serde_json::Value| {
        let patch = patch.to_string();
        let outcome = shop.kubectl(["patch", "secret", "east", "-p", &patch]).await?;
        outcome.success().map(drop)
    };
    shop.apply(&deployment("east")).await?;
    said(resolved).await?;

    patched(json!({"stringData": {"api-key": "k".repeat(20_000)}})).await?;
    said(&unresolved(
        "key api-key of Secret {ns}/east is too long: at most 16384 bytes are read",
    ))
    .await?;
    patched(json!({"data": {"api-key": "//4="}})).await?;
    said(&unresolved("key api-key of Secret {ns}/east is not text")).await?;
    // What else is in a Secret is in nobody's way.
    patched(json!({"stringData": {"api-key": "sk-1", "keystore": "k".repeat(100_000)}, "data": {"blob": "//4="}}))
        .await?;
    said(resolved).await
}

/// Who manages an object's fields is written by whoever may patch it: a time that Go can read, or a nesting that no parser
/// follows.
#[tokio::test]
async fn an_object_that_cannot_be_read_blinds_nobody_and_puts_no_key_into_the_log() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let evil = cluster.namespace("evil").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    evil.apply(&deployment("west")).await?;
    let api = Api::<Secret>::namespaced(cluster.client().await?, evil.name());
    api.create(
        &PostParams::default(),
        &labelled("deep", &json!({"api-key": "sk-evil"}))?,
    )
    .await?;
    let deep = format!("{}{{}}{}", r#"{"f:a":"#.repeat(200), "}".repeat(200));
    for (kind, name, time, fields) in [
        ("modeldeployment", "west", "9999-12-31T23:59:59Z", r#"{"f:spec":{}}"#),
        ("secret", "deep", "2026-11-22T00:00:00Z", &deep),
    ] {
        let managed = format!(
            r#"{{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","time":"{time}","fieldsV1":{fields}}}"#
        );
        let patch = format!(r#"{{"metadata":{{"managedFields":[{managed}]}}}}"#);
        let arguments = ["patch", kind, name, "--type=merge", "--field-manager=m", "-p", &patch];
        evil.kubectl(arguments).await?.success()?;
    }
    shop.apply(&deployment("east")).await?;
    let resolved = ["ResolvedRefs=True ResolvedRefs"];
    statuses.told("ModelDeployment/east", &resolved).await?;
    let key = json!({"data": {"api-key": "//4="}}).to_string();
    shop.kubectl(["patch", "secret", "east", "-p", &key]).await?.success()?;
    let unresolved = "ResolvedRefs=False InvalidSecret: key api-key of Secret {ns}/east is not text";
    statuses.told("ModelDeployment/east", &[unresolved]).await?;
    let log = operator.log();
    assert!(!log.contains("SecretList") && !log.contains("watch failed"), "{log}");
    Ok(())
}

#[tokio::test]
async fn secrets_that_no_deployment_names_take_no_memory() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let evil = cluster.namespace("evil").await?;
    let statuses = Statuses::of(&cluster, &shop).await?;
    let resolved = ["ResolvedRefs=True ResolvedRefs"];
    shop.apply(&deployment("east")).await?;
    statuses.told("ModelDeployment/east", &resolved).await?;
    let before = operator.resident()?;

    let api = Api::<Secret>::namespaced(cluster.client().await?, evil.name());
    for number in 0..MANY {
        let entries: serde_json::Map<_, _> = (0..60)
            .map(|entry| (format!("{entry}"), "x".repeat(LARGE / 60).into()))
            .collect();
        let data = match number % 2 {
            0 => json!({"blob": "x".repeat(LARGE)}),
            _ => entries.into(),
        };
        api.create(&PostParams::default(), &labelled(&format!("blob-{number}"), &data)?)
            .await?;
    }
    // Secrets are seen in the order in which they were written.
    shop.apply(&deployment("west")).await?;
    statuses.told("ModelDeployment/west", &resolved).await?;
    let grown = operator.resident()?.saturating_sub(before);
    assert!(grown < 24 << 20, "{MANY} Secrets took {grown} bytes");

    // One that starts now lists them all.
    drop(operator);
    let operator = Operator::start(&cluster, "operator-1", &[]).await?;
    let grown = operator.resident()?.saturating_sub(before);
    assert!(grown < 96 << 20, "{MANY} Secrets took {grown} bytes at the start");
    Ok(())
}
