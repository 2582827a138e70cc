//! Who gets a sidecar, and who does not.

use super::scene::{self, create, created, init_containers, opt_in, pod};
use anyhow::{Result, ensure};
use pilotfish_tests::cluster::until;
use pilotfish_tests::operator::{NAMESPACE, SIDECAR_IMAGE};
use serde_json::Value;

#[tokio::test]
async fn every_new_pod_of_a_namespace_that_opted_in_has_a_sidecar() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    opt_in(cluster, &shop).await?;
    shop.kubectl(["create", "deployment", "web", "--image=localhost/app:test"])
        .await?
        .success()?;
    let pod = until("the Deployment has its pod", async || {
        let pods = shop.kubectl(["get", "pods", "-l", "app=web", "-o", "json"]).await?;
        let pods: Value = serde_json::from_str(&pods.success()?)?;
        ensure!(pods["items"].as_array().is_some_and(|items| items.len() == 1), "{pods}");
        Ok(pods["items"][0].clone())
    })
    .await?;
    assert_eq!(init_containers(&pod), ["pilotfish"]);
    let sidecar = &pod["spec"]["initContainers"][0];
    assert_eq!(
        (&sidecar["image"], &sidecar["restartPolicy"]),
        (&SIDECAR_IMAGE.into(), &"Always".into())
    );
    assert_eq!(pod["metadata"]["labels"]["pilotfish.dev/sidecar"], "true");
    let environment = pod["spec"]["containers"][0]["env"].to_string();
    assert!(
        environment.contains(r#"{"name":"OPENAI_BASE_URL","value":"http://127.0.0.1:4000/v1"}"#),
        "{environment}"
    );
    Ok(())
}

#[tokio::test]
async fn a_pod_opts_in_and_out_for_itself() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let (plain, opted_in) = (cluster.namespace("plain").await?, cluster.namespace("shop").await?);
    opt_in(cluster, &opted_in).await?;
    for (namespace, labels, expected) in [
        (&plain, "{}", &[] as &[&str]),
        (&plain, r#"{pilotfish.dev/inject: "true"}"#, &["pilotfish"]),
        (&plain, r#"{pilotfish.dev/inject: "false"}"#, &[]),
        (&opted_in, "{}", &["pilotfish"]),
        (&opted_in, r#"{pilotfish.dev/inject: "true"}"#, &["pilotfish"]),
        (&opted_in, r#"{pilotfish.dev/inject: "false"}"#, &[]),
    ] {
        let stored = created(namespace, &pod(labels)).await?;
        assert_eq!(init_containers(&stored), expected, "{labels} in {}", namespace.name());
    }
    Ok(())
}

#[tokio::test]
async fn a_restricted_namespace_takes_a_pod_with_a_sidecar() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let enforce = "pod-security.kubernetes.io/enforce=restricted";
    cluster
        .kubectl(["label", "namespace", shop.name(), enforce])
        .await?
        .success()?;
    opt_in(cluster, &shop).await?;
    let stored = created(&shop, &pod("{}")).await?;
    assert_eq!(init_containers(&stored), ["pilotfish"]);
    Ok(())
}

#[tokio::test]
async fn a_pod_that_asks_as_a_whole_for_what_its_containers_need_is_taken() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    opt_in(cluster, &shop).await?;
    let figures = serde_json::json!({"requests": {"memory": "64Mi"}, "limits": {"memory": "96Mi"}});
    let manifest = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": {
        "resources": figures, "containers": [{"name": "app", "image": "localhost/app:test", "resources": figures}]}});
    let stored = created(&shop, &manifest.to_string()).await?;
    assert_eq!(init_containers(&stored), ["pilotfish"]);
    let sidecar = &stored["spec"]["initContainers"][0]["resources"];
    assert!(sidecar.pointer("/requests/memory").is_none(), "{sidecar}");
    Ok(())
}

#[tokio::test]
async fn the_systems_own_pods_and_the_operators_stay_as_they_are() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    for namespace in ["kube-system", NAMESPACE] {
        let labels = [
            "label",
            "namespace",
            namespace,
            "pilotfish.dev/inject=enabled",
            "--overwrite",
        ];
        cluster.kubectl(labels).await?.success()?;
        let manifest = pod(r#"{pilotfish.dev/inject: "true"}"#);
        let create = [
            "--namespace",
            namespace,
            "create",
            "--dry-run=server",
            "-f",
            "-",
            "-o",
            "json",
        ];
        let stored = cluster.kubectl_with(create, &manifest).await?.success()?;
        let stored: Value = serde_json::from_str(&stored)?;
        assert_eq!(init_containers(&stored), [""; 0], "{namespace}");
        let unlabel = ["label", "namespace", namespace, "pilotfish.dev/inject-"];
        cluster.kubectl(unlabel).await?.success()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_pod_that_nobody_can_mean_is_refused_with_the_sentence() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let said = create(&shop, &pod("{pilotfish.dev/inject: enabled}"))
        .await?
        .failure()?;
    let sentence = r#"admission webhook "pod.inject.pilotfish.dev" denied the request: label pilotfish.dev/inject is "enabled"; it may be "true" or "false""#;
    assert!(said.contains(sentence), "{said}");
    Ok(())
}

/// A sidecar has no CPU limit of its own: what it would be throttled for, every request would wait for.
#[tokio::test]
async fn a_quota_on_cpu_limits_is_met_by_the_annotation_or_by_a_default_of_the_namespace() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    opt_in(cluster, &shop).await?;
    shop.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: cpu}, spec: {hard: {limits.cpu: 4}}}")
        .await?;
    until("the quota counts", async || {
        let hard = ["get", "resourcequota", "cpu", "-o", "jsonpath={.status.hard}"];
        let hard = shop.kubectl(hard).await?.success()?;
        ensure!(!hard.is_empty(), "not yet");
        Ok(())
    })
    .await?;
    let limited = |pod: String| {
        pod.replace(
            "securityContext: {allow",
            "resources: {limits: {cpu: 1}}\n    securityContext: {allow",
        )
    };
    let said = create(&shop, &limited(pod("{}"))).await?.failure()?;
    assert!(said.contains("must specify limits.cpu for: pilotfish"), "{said}");

    let annotated = limited(pod("{}, annotations: {pilotfish.dev/cpu-limit: 500m}"));
    let limit = |pod: &Value| pod["spec"]["initContainers"][0]["resources"]["limits"]["cpu"].clone();
    assert_eq!(limit(&created(&shop, &annotated).await?), "500m");
    shop.apply("{apiVersion: v1, kind: LimitRange, metadata: {name: cpu}, spec: {limits: [{type: Container, default: {cpu: 200m}}]}}")
        .await?;
    assert_eq!(limit(&created(&shop, &limited(pod("{}"))).await?), "200m");
    Ok(())
}

#[tokio::test]
async fn a_pod_that_was_injected_before_is_taken_as_it_is() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    opt_in(cluster, &shop).await?;
    let mut first = created(&shop, &pod("{}")).await?;
    first["metadata"]["name"] = "copy".into();
    for ours in ["uid", "resourceVersion", "creationTimestamp"] {
        first["metadata"][ours] = Value::Null;
    }
    let second = created(&shop, &first.to_string()).await?;
    assert_eq!(second["spec"], first["spec"]);
    Ok(())
}
