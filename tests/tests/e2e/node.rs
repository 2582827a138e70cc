//! The node of the tests runs pods as any other does.

use anyhow::Result;
use base64::Engine;
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::Namespace;
use serde_json::{Value, json};

/// A server that serves its own token, the name by which the cluster knows it, and a shell beside it.
const PODS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: server
    image: localhost/python:e2e
    args: [-u, -m, http.server, "8080", --directory, /token]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
    securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: token, mountPath: /token}]
  - name: shell
    image: localhost/busybox:e2e
    command: [sleep, "3600"]
    volumeMounts: [{name: token, mountPath: /token}]
  volumes:
  - name: token
    projected:
      sources: [{serviceAccountToken: {audience: pilotfish.dev, expirationSeconds: 600, path: it}}]
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"#;

/// A namespace with both, ready.
async fn scene() -> Result<Namespace<'static>> {
    let namespace = Cluster::shared_with_node().await?.namespace("node").await?;
    namespace.apply(PODS).await?;
    let ready = ["wait", "--for=condition=Ready", "--timeout=60s", "pod/web"];
    namespace.kubectl(ready).await?.success()?;
    Ok(namespace)
}

/// What a token says about itself.
fn claims(token: &str) -> Result<Value> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?;
    Ok(serde_json::from_slice(&payload)?)
}

#[tokio::test]
async fn a_pod_becomes_ready_logs_and_holds_a_token_for_its_audience() -> Result<()> {
    let namespace = scene().await?;
    let log = namespace.kubectl(["logs", "web", "-c", "server"]).await?.success()?;
    assert!(log.starts_with("Serving HTTP on"), "{log}");

    let read = ["exec", "web", "-c", "shell", "--", "cat", "/token/it"];
    let claims = claims(&namespace.kubectl(read).await?.success()?)?;
    assert_eq!(claims["aud"], json!(["pilotfish.dev"]));
    assert_eq!(claims["kubernetes.io"]["pod"]["name"], "web");
    assert_eq!(claims["kubernetes.io"]["namespace"], namespace.name());
    Ok(())
}

#[tokio::test]
async fn a_pod_finds_a_service_by_its_name() -> Result<()> {
    let namespace = scene().await?;
    // The Service has no endpoint until kube-proxy has heard of the ready pod.
    let token = pilotfish_tests::cluster::until("the Service answers", async || {
        let ask = [
            "exec",
            "web",
            "-c",
            "shell",
            "--",
            "wget",
            "-q",
            "-O",
            "-",
            "http://front/it",
        ];
        namespace.kubectl(ask).await?.success()
    });
    assert_eq!(claims(&token.await?)?["aud"], json!(["pilotfish.dev"]));
    Ok(())
}

#[tokio::test]
async fn an_application_with_the_official_sdk_runs() -> Result<()> {
    let namespace = Cluster::shared_with_node().await?.namespace("node").await?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "app", "image": "localhost/python:e2e",
            "args": ["-c", "import anthropic, ssl; from openai import OpenAI; print(OpenAI(api_key='x').base_url)"]}]}});
    namespace.apply(&pod.to_string()).await?;
    namespace
        .kubectl([
            "wait",
            "--for=jsonpath={.status.phase}=Succeeded",
            "--timeout=60s",
            "pod/app",
        ])
        .await?
        .success()?;
    assert_eq!(
        namespace.kubectl(["logs", "app"]).await?.success()?,
        "https://api.openai.com/v1/\n"
    );
    Ok(())
}

#[tokio::test]
async fn our_programs_start_from_their_images() -> Result<()> {
    let namespace = Cluster::shared_with_node().await?.namespace("node").await?;
    for program in [
        "pilotfish",
        "pilotfish-operator",
        "pilotfish-provider",
        "pilotfish-sidecar",
    ] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": program}, "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "it", "image": format!("localhost/{program}:e2e"), "args": ["--help"]}]}});
        namespace.apply(&pod.to_string()).await?;
    }
    namespace
        .kubectl([
            "wait",
            "--for=jsonpath={.status.phase}=Succeeded",
            "--timeout=60s",
            "pod",
            "--all",
        ])
        .await?
        .success()?;
    Ok(())
}
