//! An operator whose webhooks the API server calls: the chart's own, by their address on this machine.

use anyhow::{Context, Result, ensure};
use pilotfish_tests::cluster::{Namespace, Outcome, until};
use pilotfish_tests::operator::NAMESPACE;
use pilotfish_tests::{Cluster, Operator};
use serde_json::Value;
use tokio::sync::OnceCell;

/// The cluster and the operator of this test process, with webhooks.
pub(crate) async fn shared() -> Result<(&'static Cluster, &'static Operator)> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let (cluster, operator) = Operator::shared().await?;
    INSTALLED.get_or_try_init(|| install(cluster, operator)).await?;
    Ok((cluster, operator))
}

/// Installs the chart's webhooks and waits until the API server trusts them.
pub(crate) async fn install(cluster: &Cluster, operator: &Operator) -> Result<()> {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/pilotfish");
    let template = ["template", "pilotfish", chart, "--namespace", NAMESPACE];
    let webhooks = ["--kube-version", "1.36.0", "--show-only", "templates/webhooks.yaml"];
    let rendered = cluster.helm(template.into_iter().chain(webhooks)).await?.success()?;
    let mut calls = 0;
    let mut by_address = String::new();
    let mut lines = rendered.lines().peekable();
    // No node, so no Service: the API server is sent to the process itself.
    while let Some(line) = lines.next() {
        by_address.push_str(line);
        by_address.push('\n');
        if line.trim() == "clientConfig:" {
            let service: Vec<&str> = lines.by_ref().take(5).collect();
            let path = service.iter().find_map(|line| line.trim().strip_prefix("path: "));
            let path = path.context("a webhook without a path")?;
            by_address.push_str(&format!("    url: https://{}{path}\n", operator.webhook()));
            calls += 1;
        }
    }
    ensure!(calls == 3, "the chart has {calls} webhooks");
    cluster.apply(&by_address).await?;
    until("the API server trusts the webhooks", async || {
        let bundles = bundles(cluster).await?;
        ensure!(bundles.len() == 3 && bundles.iter().all(Option::is_some), "{bundles:?}");
        Ok(())
    })
    .await
}

/// Whom each of our webhooks trusts, in base64.
pub(crate) async fn bundles(cluster: &Cluster) -> Result<Vec<Option<String>>> {
    let kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations";
    let listed = cluster.kubectl(["get", kinds, "-o", "json"]).await?.success()?;
    let listed: Value = serde_json::from_str(&listed)?;
    let configurations = listed["items"].as_array().context("a list has items")?;
    let webhooks = configurations
        .iter()
        .flat_map(|configuration| configuration["webhooks"].as_array().into_iter().flatten());
    let bundle = |webhook: &Value| webhook["clientConfig"]["caBundle"].as_str().map(str::to_owned);
    Ok(webhooks.map(bundle).collect())
}

/// Lets new pods of a namespace have sidecars.
pub(crate) async fn opt_in(cluster: &Cluster, namespace: &Namespace<'_>) -> Result<()> {
    let label = ["label", "namespace", namespace.name(), "pilotfish.dev/inject=enabled"];
    cluster.kubectl(label).await?.success()?;
    Ok(())
}

/// Creates an object and returns it as the API server stored it.
pub(crate) async fn created(namespace: &Namespace<'_>, manifest: &str) -> Result<Value> {
    let stored = create(namespace, manifest).await?.success()?;
    Ok(serde_json::from_str(&stored)?)
}

/// Asks the API server to create an object.
pub(crate) async fn create(namespace: &Namespace<'_>, manifest: &str) -> Result<Outcome> {
    namespace
        .kubectl_with(["create", "-f", "-", "-o", "json"], manifest)
        .await
}

/// A pod with these labels (YAML), which a restricted namespace takes.
pub(crate) fn pod(labels: &str) -> String {
    format!(
        r"
apiVersion: v1
kind: Pod
metadata: {{generateName: app-, labels: {labels}}}
spec:
  securityContext: {{runAsNonRoot: true, runAsUser: 1000, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
  - name: app
    image: localhost/app:test
    securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
"
    )
}

/// The names of a pod's init containers.
pub(crate) fn init_containers(pod: &Value) -> Vec<&str> {
    let listed = pod["spec"]["initContainers"].as_array().into_iter().flatten();
    listed.filter_map(|container| container["name"].as_str()).collect()
}
