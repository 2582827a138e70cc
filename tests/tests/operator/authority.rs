//! The certificate authority: one for all replicas, healed, and changed without anybody's losing the operator.

use crate::scene::{Scene, chat};
use crate::wire::Wire;
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use pilotfish_tests::cluster::{Cluster, Options, until};
use pilotfish_tests::operator::NAMESPACE;
use pilotfish_tests::{Launch, Operator, Pod};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Roots last so long; each signs for two thirds of it, and what it signs lasts a twelfth.
const LIFETIME: Duration = Duration::from_secs(36);

/// The entries of the Secret that holds it.
async fn stored(cluster: &Cluster) -> Result<Vec<(String, String)>> {
    let secret = Api::<Secret>::namespaced(cluster.client().await?, NAMESPACE)
        .get("pilotfish-ca")
        .await?;
    let data = secret.data.context("the Secret holds something")?;
    let text = |(key, value): (String, k8s_openapi::ByteString)| Ok((key, String::from_utf8(value.0)?));
    data.into_iter().map(text).collect()
}

#[tokio::test]
async fn replicas_that_start_together_have_one_authority_and_heal_it() -> Result<()> {
    let cluster = Options::default().start().await?;
    cluster.install_crds().await?;
    cluster.kubectl(["create", "namespace", NAMESPACE]).await?.success()?;
    let (one, two) = tokio::join!(
        Operator::start(&cluster, "operator-0", &["--ca-lifetime", "10m"]),
        Operator::start(&cluster, "operator-1", &["--ca-lifetime", "10m"]),
    );
    let (one, two) = (one?, two?);
    let before = stored(&cluster).await?;
    assert_eq!(before.len(), 3, "one certificate, its key, and the bundle");
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let token = pod.token().await?;
    for operator in [&one, &two] {
        Wire::to(operator).await?.served(&token).await?;
    }

    let delete = ["delete", "secret", "pilotfish-ca", "--namespace", NAMESPACE];
    cluster.kubectl(delete).await?.success()?;
    let healed = until("the Secret is there again", async || stored(&cluster).await).await?;
    assert_eq!(healed, before, "the same, so nobody has to trust anything new");

    let spoil =
        r#"{"data": null, "stringData": {"ca.crt": "mine", "1.crt": "not a certificate", "1.key": "nor a key"}}"#;
    let patch = [
        "patch",
        "secret",
        "pilotfish-ca",
        "--namespace",
        NAMESPACE,
        "--patch",
        spoil,
    ];
    cluster.kubectl(patch).await?.success()?;
    until("the Secret is as it was", async || {
        ensure!(stored(&cluster).await? == before, "not yet");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn through_a_change_of_the_root_no_sidecar_loses_its_operator() -> Result<()> {
    let cluster = Options::default().start().await?;
    cluster.install_crds().await?;
    cluster.kubectl(["create", "namespace", NAMESPACE]).await?.success()?;
    let lifetime = format!("{}s", LIFETIME.as_secs());
    let operator = Operator::start(&cluster, "operator-0", &["--ca-lifetime", &lifetime]).await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;

    let first = operator.authority().await?;
    let (mut bundles, mut targets) = (BTreeSet::from([first.clone()]), ["west", "east"].into_iter().cycle());
    let deadline = Instant::now() + 2 * LIFETIME;
    loop {
        // As a kubelet does, some time after the bundle has changed.
        let bundle = operator.authority().await?;
        if bundles.insert(bundle.clone()) {
            std::fs::write(scene.sidecar.directory().join("ca.crt"), &bundle)?;
        }
        let target = targets.next().context("they go on for ever")?;
        shop.apply(&chat(target)).await?;
        scene.served_by(target).await?;
        if !bundle.contains(first.trim()) {
            break;
        }
        ensure!(Instant::now() < deadline, "the first root is still trusted");
    }
    assert!(bundles.len() >= 3, "the first root, both, and the second");
    assert!(
        bundles
            .iter()
            .any(|bundle| bundle.len() > first.len() && bundle.contains(first.trim()))
    );
    let later = Pod::create(&shop, "later", "{app: web}").await?;
    Launch::sidecar(&operator, &later).await?.start().await?;
    let metrics = operator.metrics().await?;
    let issued = metrics.sum("pilotfish_operator_certificates_issued_total", &[("outcome", "issued")]);
    assert!(issued > 4.0, "certificates are renewed: {issued}");
    let refused = metrics.sum(
        "pilotfish_operator_certificates_issued_total",
        &[("outcome", "refused")],
    );
    assert_eq!(refused, 0.0);
    Ok(())
}
