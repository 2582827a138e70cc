//! Who is served what: real tokens of a real API server, used as they should be and as they should not.

use crate::wire::Wire;
use anyhow::{Context, Result};
use pilotfish_tests::cluster::{Namespace, until};
use pilotfish_tests::operator::{SIDECAR_IMAGE, manifest};
use pilotfish_tests::{Operator, Pod};
use pilotfish_wire::{Kind, scope};
use serde_json::{Value, json};

/// A deployment with a Secret, a policy and a VirtualKey, all of this name.
fn objects(name: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Secret
metadata: {{name: {name}, labels: {{pilotfish.dev/credentials: "true"}}}}
stringData: {{api-key: sk-of-{name}}}
---
apiVersion: pilotfish.dev/v1alpha1
kind: ModelDeployment
metadata: {{name: {name}}}
spec: {{provider: OpenAI, model: m, credentials: {{secretKeyRef: {{name: {name}, key: api-key}}}}}}
---
apiVersion: pilotfish.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: {name}}}
spec: {{models: [{name}], rules: [{{name: only, targets: [{{deploymentRef: {{name: {name}}}}}]}}]}}
---
apiVersion: pilotfish.dev/v1alpha1
kind: VirtualKey
metadata: {{name: {name}}}
spec: {{secretName: {name}-caller}}
"#
    )
}

#[tokio::test]
async fn a_token_of_one_namespace_is_served_nothing_of_another_s() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let (shop, bank) = (cluster.namespace("shop").await?, cluster.namespace("bank").await?);
    shop.apply(&objects("till")).await?;
    bank.apply(&objects("vault")).await?;
    let thief = Pod::create(&shop, "thief", "{app: thief}").await?;
    let wire = Wire::to(operator).await?;
    let token = thief.token().await?;
    let kinds = [
        Kind::Credential,
        Kind::Deployment,
        Kind::Key,
        Kind::Policy,
        Kind::Routes,
    ];
    let served = until("the pod is served all that is its own", async || {
        let served = wire.served(&token).await?;
        let has: Vec<Kind> = served.resources.iter().map(|resource| resource.kind).collect();
        anyhow::ensure!(has == kinds, "{has:?}");
        Ok(served)
    })
    .await?;
    for resource in &served.resources {
        let own = resource.kind == Kind::Routes || resource.name.starts_with(&format!("{}/till", shop.name()));
        assert!(own, "{resource:?}");
        assert!(!resource.body.get().contains("vault"), "{}", resource.body);
    }
    assert_eq!(served.hello.scope[scope::NAMESPACE], shop.name());
    assert_eq!(served.hello.scope[scope::POD], "thief");
    assert_eq!(served.hello.scope[scope::WORKLOAD], "ServiceAccount/default");
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_a_live_pod_s_for_us_is_refused_with_a_sentence() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let gone = Pod::create(&shop, "gone", "{app: gone}").await?;
    let wire = Wire::to(operator).await?;
    let good = pod.token().await?;
    wire.served(&good).await?;

    let bound = [
        "--bound-object-kind=Pod",
        "--bound-object-name=web",
        "--bound-object-uid",
    ];
    let bound = bound.into_iter().chain([pod.uid()]);
    let others = pod.token_with(["--audience=vault"].into_iter().chain(bound)).await?;
    let unbound = pod.token_with(["--audience=pilotfish.dev"]).await?;
    let expired = cluster.resigned(&good, |claims| {
        for (claim, time) in [("iat", 1_700_000_000), ("nbf", 1_700_000_000), ("exp", 1_700_000_600)] {
            claims[claim] = json!(time);
        }
    })?;
    let deleted = gone.token().await?;
    gone.delete().await?;

    let (head, _) = good.rsplit_once('.').context("a token has a signature")?;
    for (what, token, status, sentence) in [
        ("of another audience", others, 401, "audience"),
        ("bound to no pod", unbound, 401, "the token is bound to no pod"),
        ("expired", expired, 401, "expired"),
        (
            "of a deleted pod",
            deleted,
            401,
            "the API server does not accept the token",
        ),
        (
            "forged",
            format!("{head}.AAAA"),
            401,
            "the API server does not accept the token",
        ),
        (
            "no token at all",
            "hello".to_owned(),
            401,
            "the token is none that Kubernetes makes",
        ),
    ] {
        let refused = wire.refused(&token).await.context(what)?;
        assert!(
            refused.0 == status && refused.1.contains(sentence),
            "{what}: {refused:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_pod_that_shares_its_token_or_runs_an_image_of_its_own_is_served_nothing() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let wire = Wire::to(operator).await?;
    let usual = |name: &str| manifest(name, "{app: web}");
    let app = "{name: app, image: localhost/app:test}";
    let sharing = "{name: app, image: localhost/app:test, volumeMounts: [{name: pilotfish-token, mountPath: /t}]}";
    for (name, manifest, sentence) in [
        (
            "shared",
            usual("shared").replace(app, sharing),
            "container app of pod NS/shared mounts a token for pilotfish.dev, which only pilotfish may",
        ),
        (
            "foreign",
            usual("foreign").replace(SIDECAR_IMAGE, "localhost/other:test"),
            "container pilotfish of pod NS/foreign runs localhost/other:test, which is of no trusted repository \
             (localhost/pilotfish-sidecar)",
        ),
        (
            "plain",
            usual("plain").replace("pilotfish.dev/sidecar: \"true\"", "app: web2"),
            "pod NS/plain lacks the label pilotfish.dev/sidecar: \"true\"",
        ),
    ] {
        let pod = Pod::create_from(&shop, name, &manifest).await?;
        let refused = wire.refused(&pod.token().await?).await?;
        assert_eq!(refused, (403, sentence.replace("NS", shop.name())));
    }
    Ok(())
}

#[tokio::test]
async fn any_tag_of_a_trusted_repository_is_served_and_another_one_when_it_is_trusted() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let newer = manifest("newer", "{app: web}").replace(SIDECAR_IMAGE, "localhost/pilotfish-sidecar@sha256:0123");
    let newer = Pod::create_from(&shop, "newer", &newer).await?;
    Wire::to(operator).await?.served(&newer.token().await?).await?;

    let mirrored = manifest("mirrored", "{app: web}").replace(SIDECAR_IMAGE, "mirror.example:5000/sidecar:2");
    let mirrored = Pod::create_from(&shop, "mirrored", &mirrored).await?;
    let token = mirrored.token().await?;
    Wire::to(operator).await?.refused(&token).await?;
    let trusting = ["--trusted-image", "mirror.example:5000/sidecar:1"];
    let replica = Operator::start(cluster, "operator-trusting", &trusting).await?;
    Wire::to(&replica).await?.served(&token).await?;
    Ok(())
}

#[tokio::test]
async fn a_workload_is_the_topmost_controller() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let wire = Wire::to(operator).await?;
    for (api_version, kind, app) in [
        ("apps/v1", "Deployment", "assistant"),
        ("apps/v1", "ReplicaSet", "alone"),
        ("batch/v1", "CronJob", "report"),
    ] {
        let spec = match kind {
            "CronJob" => {
                json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template(app, "Never")}}})
            }
            _ => json!({"selector": {"matchLabels": {"app": app}}, "template": template(app, "Always")}),
        };
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": app}, "spec": spec});
        shop.apply(&object.to_string()).await?;
        if kind == "CronJob" {
            let now = ["create", "job", "report-now", "--from=cronjob/report"];
            shop.kubectl(now).await?.success()?;
        }
        let token = token_of_a_pod(&shop, app).await?;
        let served = wire.served(&token).await?;
        assert_eq!(served.hello.scope[scope::WORKLOAD], format!("{kind}/{app}"));
    }
    Ok(())
}

/// Of pods with a sidecar and the label `app`.
fn template(app: &str, restart_policy: &str) -> Value {
    let token = json!({"audience": "pilotfish.dev", "expirationSeconds": 3600, "path": "token"});
    json!({
        "metadata": {"labels": {"app": app, "pilotfish.dev/sidecar": "true"}},
        "spec": {
            "restartPolicy": restart_policy,
            "containers": [{"name": "app", "image": "localhost/app:test"}],
            "initContainers": [{
                "name": "pilotfish",
                "image": SIDECAR_IMAGE,
                "restartPolicy": "Always",
                "volumeMounts": [{"name": "token", "mountPath": "/token"}],
            }],
            "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": token}]}}],
        },
    })
}

/// The token of the one pod of `app`, once there is one.
async fn token_of_a_pod(namespace: &Namespace<'_>, app: &str) -> Result<String> {
    let selector = format!("--selector=app={app}");
    let path = "jsonpath={.items[0].metadata.name} {.items[0].metadata.uid}";
    let pod = until("the controller has made its pod", async || {
        let found = namespace
            .kubectl(["get", "pods", &selector, "-o", path])
            .await?
            .success()?;
        anyhow::ensure!(found.trim().contains(' '), "there is none");
        Ok(found)
    })
    .await?;
    let (name, uid) = pod.split_once(' ').context("a name and a uid")?;
    let flags = [
        "create",
        "token",
        "default",
        "--audience=pilotfish.dev",
        "--bound-object-kind=Pod",
    ];
    let bound = ["--bound-object-name", name, "--bound-object-uid", uid];
    let token = namespace.kubectl(flags.into_iter().chain(bound)).await?.success()?;
    Ok(token.trim().to_owned())
}
