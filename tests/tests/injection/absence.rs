//! Nobody answers the API server.

use super::scene::{self, create, created, init_containers, opt_in, pod};
use anyhow::Result;
use pilotfish_tests::Operator;

#[tokio::test]
async fn without_an_operator_pods_that_opted_in_wait_and_everything_else_goes_on() -> Result<()> {
    let (cluster, operator) = Operator::with_cluster().await?;
    scene::install(&cluster, &operator).await?;
    let (shop, plain) = (cluster.namespace("shop").await?, cluster.namespace("plain").await?);
    opt_in(&cluster, &shop).await?;
    assert_eq!(init_containers(&created(&shop, &pod("{}")).await?), ["pilotfish"]);
    operator.terminate().await?;

    let opted_in = r#"{pilotfish.dev/inject: "true"}"#;
    for (namespace, labels) in [(&shop, "{}"), (&shop, opted_in), (&plain, opted_in)] {
        let said = create(namespace, &pod(labels)).await?.failure()?;
        assert!(said.contains("failed calling webhook"), "{said}");
    }
    for (namespace, labels) in [(&plain, "{}"), (&shop, r#"{pilotfish.dev/inject: "false"}"#)] {
        assert_eq!(init_containers(&created(namespace, &pod(labels)).await?), [""; 0]);
    }
    // The schema and its rules still hold; what only the webhook can say is said by a condition later.
    let key = "{apiVersion: pilotfish.dev/v1alpha1, kind: VirtualKey, metadata: {name: a}, spec: {secretName: a}}";
    shop.apply(key).await?;
    Ok(())
}
