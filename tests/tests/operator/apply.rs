//! What is applied is obeyed, and what is taken away is gone.

use crate::scene::{Scene, chat, field};
use anyhow::Result;
use pilotfish_tests::{Operator, Pod};

#[tokio::test]
async fn an_edit_is_obeyed_by_the_next_requests() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;

    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    shop.kubectl(["delete", "routingpolicy", "chat"]).await?.success()?;
    let answer = scene.answered(|answer| answer.status == 404).await?;
    assert!(answer.text().contains("chat"), "{}", answer.text());
    Ok(())
}

#[tokio::test]
async fn what_an_edit_broke_serves_on_and_what_was_deleted_drops_out() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;

    shop.apply(&chat("nowhere")).await?;
    field(
        &shop,
        "rp/chat",
        r#"{.status.conditions[?(@.type=="Programmed")].reason}"#,
        "Held",
    )
    .await?;
    scene.served_by("east").await?;

    shop.kubectl(["delete", "modeldeployment", "east"]).await?.success()?;
    let answer = scene.answered(|answer| answer.status == 503).await?;
    assert!(answer.text().contains("east"), "{}", answer.text());
    Ok(())
}

/// Gone for whoever deleted it; who nailed it down has no say in what serves.
#[tokio::test]
async fn what_is_deleted_drops_out_although_a_finalizer_keeps_it() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(operator, &shop, &pod).await?;
    scene.served_by("east").await?;
    let nailed = r#"{"metadata": {"finalizers": ["keep.example/it"]}}"#;
    for (object, status) in [("modeldeployment/east", 503), ("routingpolicy/chat", 404)] {
        shop.kubectl(["patch", object, "--type=merge", "--patch", nailed])
            .await?
            .success()?;
        shop.kubectl(["delete", object, "--wait=false"]).await?.success()?;
        scene.answered(|answer| answer.status == status).await?;
        let let_go = r#"{"metadata": {"finalizers": null}}"#;
        shop.kubectl(["patch", object, "--type=merge", "--patch", let_go])
            .await?
            .success()?;
    }
    Ok(())
}
