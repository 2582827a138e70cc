//! `kubectl get` shows what a person asks first.

use anyhow::Result;
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::Namespace;
use serde_json::json;

const DOCUMENTS: &str = r#"
{apiVersion: pilotfish.dev/v1alpha1, kind: ModelDeployment, metadata: {name: it},
 spec: {provider: Ollama, model: llama3.3, endpoint: {url: "http://ollama:11434/v1"}}}
---
{apiVersion: pilotfish.dev/v1alpha1, kind: RoutingPolicy, metadata: {name: it},
 spec: {models: [chat], rules: [{name: default, targets: [{deploymentRef: {name: it}}]}]}}
---
{apiVersion: pilotfish.dev/v1alpha1, kind: VirtualKey, metadata: {name: it},
 spec: {secretName: it, disabled: false, expiresAt: "2030-01-02T03:04:05Z"}}
"#;

/// The words of the table's two lines, without the age that ends them.
async fn table(namespace: &Namespace<'_>, kind: &str) -> Result<[Vec<String>; 2]> {
    let text = namespace.kubectl(["get", kind]).await?.success()?;
    let words = |line: &str| {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.pop();
        words
    };
    let lines: Vec<_> = text.lines().map(words).collect();
    Ok(lines.try_into().unwrap_or_else(|_| panic!("not two lines: {text}")))
}

#[tokio::test]
async fn the_columns_are_what_a_person_asks_first() -> Result<()> {
    let namespace = Cluster::shared().await?.namespace("columns").await?;
    namespace.apply(DOCUMENTS).await?;
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status, "reason": "Because", "message": "so", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let conditions = [
        condition("Accepted", "True"),
        condition("ResolvedRefs", "False"),
        condition("Programmed", "True"),
    ];
    let sidecars = json!({"desired": 4, "programmed": 3, "refused": 1});
    let cases = [
        (
            "modeldeployments",
            json!({}),
            "NAME PROVIDER MODEL ACCEPTED RESOLVED PROGRAMMED SIDECARS",
            "it Ollama llama3.3 True False True 3",
        ),
        (
            "routingpolicies",
            json!({}),
            "NAME MODELS ACCEPTED RESOLVED PROGRAMMED SIDECARS",
            r#"it ["chat"] True False True 3"#,
        ),
        (
            "virtualkeys",
            json!({"prefix": "pf-abc"}),
            "NAME PREFIX DISABLED EXPIRES ACCEPTED RESOLVED PROGRAMMED SIDECARS",
            "it pf-abc false 2030-01-02T03:04:05Z True False True 3",
        ),
    ];
    for (kind, mut status, header, row) in cases {
        status["conditions"] = json!(conditions);
        status["sidecars"] = sidecars.clone();
        let patch = json!({"status": status}).to_string();
        namespace
            .kubectl([
                "patch",
                kind,
                "it",
                "--subresource=status",
                "--type=merge",
                "--patch",
                &patch,
            ])
            .await?
            .success()?;
        let [head, line] = table(&namespace, kind).await?;
        assert_eq!((head.join(" ").as_str(), line.join(" ").as_str()), (header, row));
    }
    Ok(())
}

#[tokio::test]
async fn one_word_names_all_our_kinds() -> Result<()> {
    let namespace = Cluster::shared().await?.namespace("columns").await?;
    namespace.apply(DOCUMENTS).await?;
    let names = namespace.kubectl(["get", "pilotfish", "-o", "name"]).await?.success()?;
    let mut names: Vec<&str> = names.lines().collect();
    names.sort_unstable();
    let expected = [
        "modeldeployment.pilotfish.dev/it",
        "routingpolicy.pilotfish.dev/it",
        "virtualkey.pilotfish.dev/it",
    ];
    assert_eq!(names, expected);
    Ok(())
}
