//! Whom the API server and sidecars trust stays as the operator says.

use super::scene::{self, bundles, created, opt_in, pod};
use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pilotfish_tests::cluster::{Namespace, until};

/// What the sidecars of a namespace trust.
async fn trusted(namespace: &Namespace<'_>) -> Result<String> {
    let get = ["get", "configmap", "pilotfish-ca", "-o", r"jsonpath={.data.ca\.crt}"];
    namespace.kubectl(get).await?.success()
}

async fn is_told(namespace: &Namespace<'_>, authority: &str) -> Result<()> {
    until("the namespace is told whom to trust", async || {
        let found = trusted(namespace).await?;
        ensure!(found == authority, "it says {found:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_damaged_configuration_of_webhooks_is_healed() -> Result<()> {
    let (cluster, operator) = scene::shared().await?;
    let authority = STANDARD.encode(operator.authority().await?);
    for (kind, index) in [
        ("mutatingwebhookconfiguration", 0),
        ("mutatingwebhookconfiguration", 1),
        ("validatingwebhookconfiguration", 0),
    ] {
        let path = format!("/webhooks/{index}/clientConfig/caBundle");
        let removal = format!(r#"[{{"op": "remove", "path": "{path}"}}]"#);
        let damage = ["patch", kind, "pilotfish-operator", "--type=json", "--patch", &removal];
        cluster.kubectl(damage).await?.success()?;
        until("the API server trusts all webhooks again", async || {
            let found = bundles(cluster).await?;
            ensure!(
                found.iter().all(|bundle| bundle.as_deref() == Some(&authority)),
                "{found:?}"
            );
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_namespace_that_opted_in_is_told_whom_to_trust_and_told_again() -> Result<()> {
    let (cluster, operator) = scene::shared().await?;
    let authority = operator.authority().await?;
    let shop = cluster.namespace("shop").await?;
    opt_in(cluster, &shop).await?;
    is_told(&shop, &authority).await?;

    shop.kubectl(["delete", "configmap", "pilotfish-ca"]).await?.success()?;
    is_told(&shop, &authority).await?;

    let nobody = r#"{"data": {"ca.crt": "nobody"}}"#;
    let damage = ["patch", "configmap", "pilotfish-ca", "--type=merge", "--patch", nobody];
    shop.kubectl(damage).await?.success()?;
    is_told(&shop, &authority).await?;
    Ok(())
}

#[tokio::test]
async fn a_namespace_where_one_pod_opted_in_is_told_too() -> Result<()> {
    let (cluster, operator) = scene::shared().await?;
    let plain = cluster.namespace("plain").await?;
    created(&plain, &pod(r#"{pilotfish.dev/inject: "true"}"#)).await?;
    is_told(&plain, &operator.authority().await?).await?;

    let other = cluster.namespace("plain").await?;
    created(&other, &pod("{}")).await?;
    let said = trusted(&other)
        .await
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(said.contains("NotFound"), "{said}");
    Ok(())
}

/// What somebody made who wants sidecars to trust somebody else, and to stay.
const LASTING: [&str; 2] = [
    r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: pilotfish-ca, finalizers: [evil.example/keep]}
immutable: true
data: {ca.crt: nobody}
"#,
    r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: pilotfish-ca}
binaryData: {ca.crt: bm9ib2R5}
"#,
];

#[tokio::test]
async fn what_somebody_sealed_and_nailed_down_is_replaced() -> Result<()> {
    let (cluster, operator) = scene::shared().await?;
    for lasting in LASTING {
        let shop = cluster.namespace("shop").await?;
        shop.apply(lasting).await?;
        opt_in(cluster, &shop).await?;
        is_told(&shop, &operator.authority().await?).await?;
        let line = format!("namespace=\"{}\"", shop.name());
        let first = operator.logged(&line).await?;
        assert!(first.contains("was replaced"), "{first}");
    }
    Ok(())
}

#[tokio::test]
async fn a_namespace_that_cannot_be_told_is_counted_and_has_an_event() -> Result<()> {
    let (cluster, operator) = scene::shared().await?;
    let full = cluster.namespace("full").await?;
    let quota = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {count/configmaps: 0}}}";
    full.apply(quota).await?;
    until("the quota counts", async || {
        let get = ["get", "resourcequota", "none", "-o", "jsonpath={.status.hard}"];
        let hard = full.kubectl(get).await?.success()?;
        ensure!(!hard.is_empty(), "it has no status");
        Ok(())
    })
    .await?;
    opt_in(cluster, &full).await?;
    let untold = async || {
        Ok::<_, anyhow::Error>(
            operator
                .metrics()
                .await?
                .sum("pilotfish_operator_namespaces_untold", &[]),
        )
    };
    until("it is counted and told", async || {
        ensure!(untold().await? == 1.0, "it is not counted");
        let get = [
            "get",
            "events",
            "--field-selector=reason=Untold",
            "-o",
            "jsonpath={.items[*].message}",
        ];
        let said = full.kubectl(get).await?.success()?;
        ensure!(said.contains("exceeded quota"), "it is not told: {said:?}");
        Ok(())
    })
    .await?;
    full.kubectl(["delete", "resourcequota", "none"]).await?.success()?;
    is_told(&full, &operator.authority().await?).await?;
    until("it is counted no more", async || {
        ensure!(untold().await? == 0.0, "it still is");
        Ok(())
    })
    .await
}
