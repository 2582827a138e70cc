//! What `deploy/examples` shows is taken, resolved and served as it stands there.

use anyhow::{Context, Result, ensure};
use pilotfish_tests::cluster::{Namespace, until};
use pilotfish_tests::operator::{NAMESPACE, SIDECAR_IMAGE};
use pilotfish_tests::{Client, Dialect, Launch, Operator, Pod};
use serde_json::Value;
use std::path::PathBuf;

fn example(name: &str) -> Result<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy/examples")
        .join(name);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Every object of ours in `namespace`, once each of them is accepted, resolved and programmed.
async fn in_force(namespace: &Namespace<'_>, count: usize) -> Result<()> {
    until("all of the example is in force", async || {
        let listed = namespace.kubectl(["get", "pilotfish", "-o", "json"]).await?.success()?;
        let listed: Value = serde_json::from_str(&listed)?;
        let items = listed["items"].as_array().context("a list")?;
        ensure!(items.len() == count, "{} objects", items.len());
        for item in items {
            let conditions = item["status"]["conditions"].as_array().context("no conditions yet")?;
            let holds = |wanted: &str| {
                conditions
                    .iter()
                    .any(|one| one["type"] == wanted && one["status"] == "True")
            };
            let all = ["Accepted", "ResolvedRefs", "Programmed"].into_iter().all(holds);
            ensure!(all, "{}: {}", item["metadata"]["name"], item["status"]);
        }
        Ok(())
    })
    .await
}

async fn check(name: &str, count: usize) -> Result<()> {
    let (cluster, _operator) = Operator::shared().await?;
    let shop = cluster.namespace("example").await?;
    shop.apply(&example(name)?).await?;
    in_force(&shop, count).await
}

#[tokio::test]
async fn one_provider() -> Result<()> {
    check("one-provider.yaml", 2).await
}

#[tokio::test]
async fn weighted_with_failover() -> Result<()> {
    check("weighted-failover.yaml", 4).await
}

#[tokio::test]
async fn anthropic_behind_openai_clients() -> Result<()> {
    check("anthropic-behind-openai.yaml", 2).await
}

#[tokio::test]
async fn a_local_model_as_the_fallback() -> Result<()> {
    check("local-fallback.yaml", 4).await
}

#[tokio::test]
async fn keys_per_team() -> Result<()> {
    check("keys-per-team.yaml", 5).await
}

#[tokio::test]
async fn a_fleet_is_served_from_the_root_namespace_and_a_namespace_may_differ() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    cluster.apply(&example("fleet.yaml")?).await?;
    let shop = cluster.namespace("member").await?;
    let pod = Pod::create(&shop, "web", "{app: web}").await?;
    let sidecar = Launch::sidecar(operator, &pod).await?.start().await?;
    let client = Client::new(&sidecar)?;
    let offered = async || -> Result<String> {
        let models = client.send("GET", "/v1/models").await?.json()?;
        let names = models["data"].as_array().context("a list")?.iter();
        let names: Vec<&str> = names.filter_map(|model| model["id"].as_str()).collect();
        Ok(names.join(" "))
    };
    ensure!(offered().await?.is_empty(), "it is offered {}", offered().await?);
    let label = async |label: &str| {
        cluster
            .kubectl(["label", "namespace", shop.name(), label])
            .await?
            .success()
    };
    label("llm=enabled").await?;
    until("the fleet's models are offered", async || {
        let names = offered().await?;
        ensure!(names.split(' ').any(|name| name == "chat"), "{names}");
        Ok(())
    })
    .await?;
    // The provider cannot be reached from here; the error names the deployment that was tried.
    let asked = async || -> Result<String> {
        let answer = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        Ok(answer.text())
    };
    let fleet = format!("{NAMESPACE}/fleet-gpt-4o");
    ensure!(asked().await?.contains(&fleet), "{}", asked().await?);

    shop.apply(&example("one-provider.yaml")?).await?;
    let own = format!("{}/gpt-4o", shop.name());
    until("the namespace's own policy answers", async || {
        let said = asked().await?;
        ensure!(said.contains(&own) && !said.contains(&fleet), "{said}");
        Ok(())
    })
    .await?;
    label("llm-").await?;
    Ok(())
}

#[tokio::test]
async fn a_sidecar_that_was_written_by_hand() -> Result<()> {
    let (cluster, operator) = Operator::shared().await?;
    let shop = cluster.namespace("by-hand").await?;
    let manifest = example("sidecar-by-hand.yaml")?.replace("pilotfish-sidecar:0.1.0", SIDECAR_IMAGE);
    let pod = Pod::create_from(&shop, "assistant", &manifest).await?;
    let _sidecar = Launch::sidecar(operator, &pod).await?.start().await?;
    shop.apply(&example("one-provider.yaml")?).await?;
    until("the sidecar runs the policy", async || {
        let path = "jsonpath={.status.sidecars.programmed}";
        let programmed = shop.kubectl(["get", "rp/chat", "-o", path]).await?.success()?;
        ensure!(programmed == "1", "{programmed}");
        Ok(())
    })
    .await
}

#[test]
fn no_example_is_left_out() -> Result<()> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/examples");
    let this = include_str!("examples.rs");
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(this.contains(&format!("\"{name}\"")), "{name} is applied by no test");
    }
    Ok(())
}
