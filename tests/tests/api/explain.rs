//! `kubectl explain` is the reference of our kinds.

use anyhow::Result;
use pilotfish_tests::Cluster;

/// What kubectl says about a field, its line breaks aside.
async fn explained(path: &str) -> Result<String> {
    let cluster = Cluster::shared().await?;
    // The API server publishes a new kind's schema a moment after it serves the kind.
    let said = pilotfish_tests::cluster::until("kubectl can explain it", async || {
        cluster.kubectl(["explain", path]).await?.success()
    });
    Ok(said.await?.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn kinds_and_fields_are_explained_in_our_words() -> Result<()> {
    let cases = [
        (
            "modeldeployment",
            "GROUP: pilotfish.dev KIND: ModelDeployment VERSION: v1alpha1 DESCRIPTION: One upstream model",
        ),
        (
            "rp",
            "Which deployments answer for the model names that applications ask for, in what shares",
        ),
        ("rp.spec", "rules <[]Object> -required-"),
        (
            "rp.spec.rules",
            "The first rule that matches decides, and the last one matches everything.",
        ),
        ("rp.spec.rules.targets", "deploymentRef <Object> -required-"),
        ("vk.spec.secretName", "FIELD: secretName <string>"),
        ("mdep.spec.endpoint.url", "FIELD: url <string>"),
    ];
    for (path, words) in cases {
        let said = explained(path).await?;
        assert!(
            said.contains(words),
            "explain {path} does not say {words:?}, but: {said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn no_field_is_without_a_description() -> Result<()> {
    for kind in ["modeldeployments", "routingpolicies", "virtualkeys"] {
        let cluster = Cluster::shared().await?;
        explained(kind).await?;
        let fields = cluster
            .kubectl(["explain", "--recursive", &format!("{kind}.spec")])
            .await?
            .success()?;
        assert!(fields.lines().count() > 5, "{fields}");
        let said = explained(&format!("{kind}.spec")).await?;
        assert!(!said.contains("<no description>"), "{said}");
    }
    Ok(())
}
