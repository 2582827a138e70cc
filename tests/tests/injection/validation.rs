//! What neither schema nor CEL can say about our own kinds.

use super::scene;
use anyhow::Result;
use pilotfish_tests::fixtures::cases;

const POLICY: &str = r#"
apiVersion: pilotfish.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: chat}
spec:
  models: [chat]
  namespaces: {selector: {}}
  rules: [{name: default, targets: [{deploymentRef: {name: a}}]}]
"#;

#[tokio::test]
async fn a_policy_that_only_the_root_namespace_may_have_is_refused_elsewhere() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let said = shop.kubectl_with(["apply", "-f", "-"], POLICY).await?.failure()?;
    let sentence = r#"admission webhook "validate.pilotfish.dev" denied the request: spec.namespaces: only policies of the root namespace "pilotfish-system" may serve other namespaces"#;
    assert!(said.contains(sentence), "{said}");
    Ok(())
}

#[tokio::test]
async fn what_is_left_to_the_webhook_is_refused_with_its_sentence() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let mut cases = cases("bad.yaml")?;
    cases.retain(|case| case.comments.get("judge").is_some_and(|judge| judge == "webhook"));
    assert!(cases.len() >= 5, "only {} cases", cases.len());
    for case in cases {
        let create = ["create", "--dry-run=server", "-f", "-"];
        let said = cluster.kubectl_with(create, &case.document).await?.failure()?;
        let sentence = format!(
            "{}: {}",
            case.comment("field")?,
            case.comment("says")?.trim_end_matches('…')
        );
        assert!(
            said.contains(&sentence),
            "should have said {sentence:?}\nbut said {said}\nto {}",
            case.document
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_is_judged_and_a_label_or_an_end_is_not() -> Result<()> {
    let (cluster, _) = scene::shared().await?;
    let shop = cluster.namespace("shop").await?;
    shop.apply(&POLICY.replace("namespaces: {selector: {}}", "")).await?;
    shop.kubectl(["label", "routingpolicy", "chat", "team=a"])
        .await?
        .success()?;
    let edit = ["patch", "routingpolicy", "chat", "--type=merge", "--patch"];
    let spoil = r#"{"spec": {"namespaces": {"selector": {}}}}"#;
    let said = shop.kubectl(edit.into_iter().chain([spoil])).await?.failure()?;
    assert!(said.contains("only policies of the root namespace"), "{said}");
    shop.kubectl(["delete", "routingpolicy", "chat"]).await?.success()?;
    Ok(())
}
