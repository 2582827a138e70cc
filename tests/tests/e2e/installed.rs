//! Pilotfish in a cluster with a node, installed by helm as the README says, and providers in pods of their own.

use anyhow::{Context, Result, anyhow, ensure};
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::{Namespace, Options, until};
use std::path::{Path, PathBuf};
use tokio::sync::OnceCell;

/// The values that name the images of this machine.
pub(crate) const IMAGES: [&str; 4] = [
    "--set",
    "operator.image=localhost/pilotfish-operator:e2e",
    "--set",
    "sidecar.image=localhost/pilotfish-sidecar:e2e",
];
/// The namespace of the release.
pub(crate) const SYSTEM: &str = "pilotfish-system";

/// Both shapes of provider, each behind a Service, with the keys that they take.
const PROVIDERS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: providers}
---
apiVersion: v1
kind: Pod
metadata: {name: openai, namespace: providers, labels: {shape: openai}}
spec:
  containers:
  - name: it
    image: localhost/pilotfish-provider:e2e
    args: [openai, "--listen=0.0.0.0:8000", --key=sk-canary-openai, --key=put-your-key-here, "--pace=20"]
    readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: openai, namespace: providers}
spec: {selector: {shape: openai}, ports: [{port: 8000}]}
"#;

/// A file of the workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The charts' folder as an argument.
pub(crate) fn chart(name: &str) -> String {
    workspace("charts").join(name).display().to_string()
}

/// The installation that the tests share.
pub(crate) async fn shared() -> Result<&'static Cluster> {
    static SHARED: OnceCell<Result<Cluster, String>> = OnceCell::const_new();
    let start = async || start().await.map_err(|error| format!("{error:#}"));
    let shared = SHARED.get_or_init(start).await;
    shared
        .as_ref()
        .map_err(|why| anyhow!("Pilotfish is not installed: {why}"))
}

async fn start() -> Result<Cluster> {
    let cluster = Options::default().with_node().start().await?;
    providers(&cluster).await?;
    install(&cluster).await?;
    Ok(cluster)
}

/// Both charts, as the README says.
pub(crate) async fn install(cluster: &Cluster) -> Result<()> {
    cluster
        .helm(["install", "pilotfish-crds", &chart("pilotfish-crds")])
        .await?
        .success()?;
    let pilotfish = chart("pilotfish");
    let install = [
        "install",
        "pilotfish",
        &pilotfish,
        "--namespace",
        SYSTEM,
        "--create-namespace",
        "--wait",
    ];
    let installed = cluster.helm(install.into_iter().chain(IMAGES)).await?;
    if let Err(error) = installed.success() {
        let pods = cluster.kubectl(["describe", "pods", "--namespace", SYSTEM]).await?;
        let logs = [
            "logs",
            "--namespace",
            SYSTEM,
            "deployment/pilotfish-operator",
            "--tail=40",
        ];
        let logs = cluster.kubectl(logs).await?;
        return Err(error.context(format!("{pods:?}\n{logs:?}")));
    }
    Ok(())
}

/// Starts the providers.
pub(crate) async fn providers(cluster: &Cluster) -> Result<()> {
    cluster.apply(PROVIDERS).await?;
    let ready = [
        "wait",
        "--for=condition=Ready",
        "--timeout=60s",
        "pod",
        "--all",
        "--namespace",
        "providers",
    ];
    cluster.kubectl(ready).await?.success().map(drop)
}

/// A namespace that is injected, with a policy `chat` that the OpenAI-shaped provider answers.
pub(crate) async fn shop(cluster: &'static Cluster) -> Result<Namespace<'static>> {
    let shop = cluster.namespace("shop").await?;
    let label = ["label", "namespace", shop.name(), "pilotfish.dev/inject=enabled"];
    cluster.kubectl(label).await?.success()?;
    shop.apply(POLICY).await?;
    Ok(shop)
}

const POLICY: &str = r#"
apiVersion: pilotfish.dev/v1alpha1
kind: ModelDeployment
metadata: {name: gpt-4o}
spec:
  provider: OpenAI
  model: gpt-4o
  endpoint: {url: "http://openai.providers.svc:8000/v1"}
  credentials: {secretKeyRef: {name: openai, key: api-key}}
---
apiVersion: v1
kind: Secret
metadata: {name: openai, labels: {pilotfish.dev/credentials: "true"}}
stringData: {api-key: sk-canary-openai}
---
apiVersion: pilotfish.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: chat}
spec:
  models: [chat]
  rules: [{name: default, targets: [{deploymentRef: {name: gpt-4o}}]}]
"#;

/// Waits until an object is at `path`, a jsonpath, as `wanted`.
pub(crate) async fn becomes(namespace: &Namespace<'_>, object: &str, path: &str, wanted: &str) -> Result<()> {
    let what = format!("{path} of {object} is {wanted:?}");
    let looked = until(&what, async || {
        let found = namespace
            .kubectl(["get", object, "-o", &format!("jsonpath={path}")])
            .await?
            .success()?;
        ensure!(found == wanted, "it is {found:?}");
        Ok(())
    });
    if let Err(error) = looked.await {
        let described = namespace.kubectl(["describe", object]).await?;
        return Err(error).with_context(|| format!("{described:?}"));
    }
    Ok(())
}
