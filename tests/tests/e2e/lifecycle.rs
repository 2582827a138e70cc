//! Installed, used, upgraded, away for a while, and gone: the operator as helm and the API server see it.

use crate::installed::{IMAGES, SYSTEM, becomes, chart, install, providers, shop};
use anyhow::{Context, Result, ensure};
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::{Access, Options, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Who the operator is to the API server.
const ACCOUNT: &str = "system:serviceaccount:pilotfish-system:pilotfish-operator";
/// Says whom to trust, and cannot be changed.
const SEALED: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: pilotfish-ca}
immutable: true
data: {ca.crt: somebody else's}
";

fn sleeper(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "app", "image": "localhost/busybox:e2e", "command": ["sleep", "3600"]}]}}}})
}

async fn scale(cluster: &Cluster, replicas: &str) -> Result<()> {
    let replicas = format!("--replicas={replicas}");
    let scale = [
        "scale",
        "deployment/pilotfish-operator",
        "--namespace",
        SYSTEM,
        &replicas,
    ];
    cluster.kubectl(scale).await?.success()?;
    let settled = [
        "rollout",
        "status",
        "deployment/pilotfish-operator",
        "--namespace",
        SYSTEM,
        "--timeout=90s",
    ];
    cluster.kubectl(settled).await?.success().map(drop)
}

#[tokio::test]
async fn an_operator_is_upgraded_goes_away_comes_back_and_leaves_nothing_behind() -> Result<()> {
    let cluster: &'static Cluster = Box::leak(Box::new(Options::default().with_node().audited().start().await?));
    providers(cluster).await?;
    install(cluster).await?;
    let shop = shop(cluster).await?;
    shop.apply(&sleeper("app").to_string()).await?;
    let programmed = r#"{"desired":1,"programmed":1,"refused":0,"unserved":0}"#;
    becomes(&shop, "rp/chat", "{.status.sidecars}", programmed).await?;

    // An upgrade, to another image of the same repository: the pod that runs stays connected.
    let pilotfish = chart("pilotfish");
    let upgrade = ["upgrade", "pilotfish", &pilotfish, "--namespace", SYSTEM, "--wait"];
    let newer = [
        "--set",
        "sidecar.image=localhost/pilotfish-sidecar:newer",
        "--set",
        "operator.log=debug",
    ];
    let values = [IMAGES[0], IMAGES[1], newer[0], newer[1], newer[2], newer[3]];
    cluster.helm(upgrade.into_iter().chain(values)).await?.success()?;
    shop.kubectl(["annotate", "rp/chat", "touched=yes"]).await?.success()?;
    let slower = r#"{"spec": {"timeouts": {"total": "9m"}}}"#;
    shop.kubectl(["patch", "rp/chat", "--type=merge", "-p", slower])
        .await?
        .success()?;
    becomes(&shop, "rp/chat", "{.status.observedGeneration}", "2").await?;
    becomes(&shop, "rp/chat", "{.status.sidecars}", programmed).await?;

    // Back to an image that the node has.
    cluster.helm(upgrade.into_iter().chain(IMAGES)).await?.success()?;

    // What else it is allowed to do, done once: keys made and healed, edits held, a workload below a Job.
    shop.apply(
        "{apiVersion: pilotfish.dev/v1alpha1, kind: VirtualKey, metadata: {name: team}, spec: {secretName: team}}",
    )
    .await?;
    becomes(
        &shop,
        "vk/team",
        r#"{.status.conditions[?(@.type=="Programmed")].status}"#,
        "True",
    )
    .await?;
    shop.kubectl([
        "patch",
        "secret/team",
        "--type=merge",
        "-p",
        r#"{"data": {"api-key": ""}}"#,
    ])
    .await?
    .success()?;
    until("the key is made anew", async || {
        let key = shop
            .kubectl(["get", "secret/team", "-o", "jsonpath={.data.api-key}"])
            .await?
            .success()?;
        ensure!(!key.is_empty(), "it is empty");
        Ok(())
    })
    .await?;
    let nowhere = r#"{"spec": {"rules": [{"name": "default", "targets": [{"deploymentRef": {"name": "nowhere"}}]}]}}"#;
    shop.kubectl(["patch", "rp/chat", "--type=merge", "-p", nowhere])
        .await?
        .success()?;
    becomes(
        &shop,
        "rp/chat",
        r#"{.status.conditions[?(@.type=="Programmed")].reason}"#,
        "Held",
    )
    .await?;
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {
        "template": {"spec": {"restartPolicy": "Never", "containers": [
            {"name": "app", "image": "localhost/busybox:e2e", "command": ["sleep", "5"]}]}}}});
    shop.apply(&job.to_string()).await?;
    becomes(&shop, "job/once", "{.status.succeeded}", "1").await?;
    let damaged = [
        "patch",
        "secret/pilotfish-ca",
        "--namespace",
        SYSTEM,
        "--type=merge",
        "-p",
        r#"{"data": {"ca.crt": ""}}"#,
    ];
    cluster.kubectl(damaged).await?.success()?;
    until("the authority's Secret is healed", async || {
        let read = [
            "get",
            "secret/pilotfish-ca",
            "--namespace",
            SYSTEM,
            "-o",
            r"jsonpath={.data.ca\.crt}",
        ];
        ensure!(!cluster.kubectl(read).await?.success()?.is_empty(), "not yet");
        Ok(())
    })
    .await?;

    // Away: pods that asked for a sidecar wait, others do not, and what runs goes on.
    scale(cluster, "0").await?;
    let ended = [
        "wait",
        "--for=delete",
        "pod",
        "--all",
        "--namespace",
        SYSTEM,
        "--timeout=60s",
    ];
    cluster.kubectl(ended).await?.success()?;
    let aside = cluster.namespace("aside").await?;
    aside.apply(&sleeper("plain").to_string()).await?;
    becomes(&aside, "deployment/plain", "{.status.readyReplicas}", "1").await?;
    shop.apply(&sleeper("late").to_string()).await?;
    let failing = r#"{.status.conditions[?(@.type=="ReplicaFailure")].status}"#;
    becomes(&shop, "deployment/late", failing, "True").await?;
    let request = r#"{"model":"chat","messages":[{"role":"user","content":"Hi"}]}"#;
    let ask = format!(
        "wget -qO- --header 'content-type: application/json' --post-data '{request}' $OPENAI_BASE_URL/chat/completions"
    );
    let asked = shop
        .kubectl(["exec", "deployment/app", "-c", "app", "--", "sh", "-c", &ask])
        .await?
        .success()?;
    ensure!(asked.contains("chat.completion"), "{asked}");
    scale(cluster, "2").await?;
    becomes(&shop, "deployment/late", "{.status.readyReplicas}", "1").await?;

    let sealed = cluster.namespace("sealed").await?;
    sealed.apply(SEALED).await?;
    let label = ["label", "namespace", sealed.name(), "pilotfish.dev/inject=enabled"];
    cluster.kubectl(label).await?.success()?;
    becomes(&sealed, "configmap/pilotfish-ca", "{.immutable}", "").await?;

    let rules = rules(cluster).await?;
    check_access(&cluster.audit()?, &rules)?;

    // Gone.
    cluster
        .helm(["uninstall", "pilotfish", "--namespace", SYSTEM, "--wait"])
        .await?
        .success()?;
    let kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations,clusterroles,clusterrolebindings";
    let left = cluster.kubectl(["get", kinds, "-o", "name"]).await?.success()?;
    ensure!(!left.contains("pilotfish"), "{left}");
    shop.apply(&sleeper("after").to_string()).await?;
    becomes(&shop, "deployment/after", "{.status.readyReplicas}", "1").await?;
    Ok(())
}

/// What the operator's roles allow: group, resource, verb.
async fn rules(cluster: &Cluster) -> Result<BTreeSet<[String; 3]>> {
    let mut all = BTreeSet::new();
    for role in ["clusterrole/pilotfish-operator", "role/pilotfish-operator"] {
        let read = cluster
            .kubectl(["get", role, "--namespace", SYSTEM, "-o", "json"])
            .await?
            .success()?;
        let read: Value = serde_json::from_str(&read)?;
        let texts = |rule: &Value, field: &str| -> Vec<String> {
            let list = rule[field].as_array().into_iter().flatten();
            list.filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        for rule in read["rules"].as_array().context("rules")? {
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    for verb in texts(rule, "verbs") {
                        all.insert([group.clone(), resource.clone(), verb]);
                    }
                }
            }
        }
    }
    Ok(all)
}

/// Nothing was refused, and each rule was needed.
fn check_access(audit: &[Access], rules: &BTreeSet<[String; 3]>) -> Result<()> {
    let own: Vec<&Access> = audit.iter().filter(|access| access.user == ACCOUNT).collect();
    let refused: Vec<_> = own.iter().filter(|access| !access.allowed).collect();
    ensure!(refused.is_empty(), "refused: {refused:?}");
    let used = own
        .iter()
        .map(|access| [access.group.clone(), access.resource.clone(), access.verb.clone()]);
    let used: BTreeSet<_> = used.collect();
    let unseen = |rule: &[String; 3]| match [rule[0].as_str(), &rule[1], &rule[2]] {
        // Needed only where an object cannot be read.
        ["pilotfish.dev", _, "get"] => true,
        // An apply that creates is recorded as the patch it is.
        ["", "configmaps", "create"] => used.contains(&["".into(), "configmaps".into(), "patch".into()]),
        _ => false,
    };
    let unused: Vec<_> = rules
        .iter()
        .filter(|rule| !used.contains(*rule) && !unseen(rule))
        .collect();
    ensure!(unused.is_empty(), "allowed and never used: {unused:?}");
    Ok(())
}
