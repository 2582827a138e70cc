//! The operator, the API server and etcd go away and come back; nobody who asks a sidecar notices.

use crate::scene::{Scene, chat, field, own};
use anyhow::{Context, Result};
use pilotfish_tests::cluster::until;
use pilotfish_tests::operator::NAMESPACE;
use pilotfish_tests::{Client, Operator, Pod};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Requests that go on until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    asking: tokio::task::JoinHandle<Result<()>>,
}

impl Load {
    /// One request after the other; the first that is not answered with 200 ends it.
    fn begin(client: &Client) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count, client) = (Arc::clone(&stop), Arc::clone(&asked), client.clone());
        #[expect(clippy::disallowed_methods, reason = "the test joins it")]
        let asking = tokio::spawn(async move {
            let body = pilotfish_tests::Dialect::Chat.request("chat", "Hello");
            while !stopped.load(Ordering::Relaxed) {
                let answer = client.ask(pilotfish_tests::Dialect::Chat, &body).await?;
                anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        Self { stop, asked, asking }
    }

    /// How many were answered, once there are so many.
    async fn until(&self, count: u64) -> Result<()> {
        until("so many requests were answered", async || {
            let asked = self.asked.load(Ordering::Relaxed);
            anyhow::ensure!(asked >= count || self.asking.is_finished(), "{asked} so far");
            Ok(())
        })
        .await
    }

    async fn end(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.asking.await.context("the load panicked")??;
        Ok(self.asked.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn without_an_operator_all_goes_on_and_a_new_one_sends_nothing_again() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;
    let at = operator.sidecars().to_string();

    let load = Load::begin(&scene.client);
    load.until(2_000).await?;
    drop(operator);
    load.until(6_000).await?;
    let operator = Operator::start(&cluster, "operator-1", &["--listen", &at]).await?;
    until("the sidecar is connected again", async || {
        let connected = operator.metrics().await?.sum("pilotfish_operator_acks_total", &[]);
        anyhow::ensure!(connected >= 1.0, "not yet");
        Ok(())
    })
    .await?;
    load.until(10_000).await?;
    assert!(load.end().await? >= 10_000);

    let metrics = operator.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_operator_resources_sent_total", &[]), 0.0);
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    Ok(())
}

#[tokio::test]
async fn what_an_edit_broke_stays_in_force_for_an_operator_that_starts_afterwards() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;
    shop.apply(&chat("nowhere")).await?;
    field(
        &shop,
        "rp/chat",
        r#"{.status.conditions[?(@.type=="Programmed")].reason}"#,
        "Held",
    )
    .await?;
    drop(operator);

    let operator = Operator::start(&cluster, "operator-1", &[]).await?;
    let later = Pod::create(&shop, "later", "{app: web}").await?;
    let sidecar = pilotfish_tests::Launch::sidecar(&operator, &later)
        .await?
        .start()
        .await?;
    let client = Client::new(&sidecar)?;
    let body = pilotfish_tests::Dialect::Chat.request("chat", "Hello");
    let answer = client.ask(pilotfish_tests::Dialect::Chat, &body).await?;
    assert_eq!(
        answer.header("x-pilotfish-deployment"),
        Some(format!("{}/east", shop.name()).as_str())
    );
    drop(scene);
    Ok(())
}

#[tokio::test]
async fn when_the_api_server_and_etcd_come_back_nothing_has_shrunk() -> Result<()> {
    let (cluster, operator) = own().await?;
    let shop = cluster.namespace("shop").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let scene = Scene::start(&operator, &shop, &pod).await?;
    let sent = operator.metrics().await?.sum("pilotfish_operator_batches_total", &[]);

    let load = Load::begin(&scene.client);
    cluster.kill_apiserver()?;
    cluster.kill_etcd()?;
    load.until(500).await?;
    cluster.start_etcd().await?;
    cluster.start_apiserver().await?;
    until("every watch has failed and listed again", async || {
        let metrics = operator.metrics().await?;
        let failures = metrics.by("pilotfish_operator_watch_failures_total", "kind");
        anyhow::ensure!(failures.values().all(|failures| *failures >= 1.0), "{failures:?}");
        Ok(())
    })
    .await?;
    load.end().await?;

    assert_eq!(
        operator.metrics().await?.sum("pilotfish_operator_batches_total", &[]),
        sent
    );
    shop.apply(&chat("west")).await?;
    scene.served_by("west").await?;
    // The Lease was out of reach for longer than it leads.
    field(&shop, "routingpolicy/chat", "{.status.observedGeneration}", "2").await?;
    Ok(())
}

#[tokio::test]
async fn the_installations_key_is_put_back_as_it_was() -> Result<()> {
    let (cluster, operator) = own().await?;
    let secret = ["--namespace", NAMESPACE, "secret", "pilotfish-installation"];
    let key = async || {
        let get = [&["get"], &secret[..], &["-o", "jsonpath={.data.key}"]].concat();
        cluster.kubectl(get).await?.success()
    };
    let before = key().await?;
    cluster.kubectl([&["delete"], &secret[..]].concat()).await?.success()?;
    operator.logged("was deleted and is put back").await?;
    assert_eq!(key().await?, before);
    Ok(())
}
