//! What a directory may hold, and what a change to it does and does not do.

use anyhow::{Result, ensure};
use pilotfish_provider::Fake;
use pilotfish_tests::documents::virtual_key;
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use std::fs;
use std::time::Duration;
use tokio::time::Instant;

/// What never happens within this time never happens.
const PATIENCE: Duration = Duration::from_secs(15);

fn deployment(fake: &Fake) -> String {
    Deployment::of(Dialect::Chat, "east", fake).to_string()
}

fn policy(name: &str) -> String {
    Policy::named(name).targets(["east"]).to_string()
}

async fn ask(client: &Client, model: &str) -> Result<Answer> {
    client.ask(Dialect::Chat, &Dialect::Chat.request(model, "Hello")).await
}

/// The statuses of these models, once they are as wanted.
async fn until(pilotfish: &Pilotfish, wanted: &[(&str, u16)]) -> Result<()> {
    let client = Client::new(pilotfish)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut found = Vec::new();
        for (model, _) in wanted {
            found.push((*model, ask(&client, model).await?.status));
        }
        if found == wanted {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{found:?} is not {wanted:?}:\n{}",
            pilotfish.log()
        );
    }
}

/// A document that is wrong, and what is said of it after its file's name.
const BAD: [(&str, &str); 5] = [
    (
        "kind: RoutingPolicy\n  apiVersion: x\n",
        ":2: mapping values are not allowed in this context",
    ),
    (
        "kind: RoutingPolicy\napiVersion: pilotfish.dev/v1\nmetadata: {name: bad}\n",
        ":2: apiVersion: must be pilotfish.dev/v1alpha1",
    ),
    (
        "kind: VirtualKey\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {name: bad}\nspec:\n  secretName: bad\n  \
         expiresAt: tomorrow\n",
        ":6: spec.expiresAt: must be a time such as 2027-06-30T00:00:00Z",
    ),
    (
        "kind: Secret\napiVersion: v1\nmetadata: {name: bad}\ndata:\n  api-key: sk-canary-of-a-secret\n",
        ":5: data.api-key: must be base64; plain text goes into stringData",
    ),
    (
        "kind: RoutingPolicy\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {name: bad}\nspec:\n  models: [bad]\n  \
         rules:\n  - name: default\n    targets: []\n",
        ":8: spec.rules[0].targets: must have at least 1 item",
    ),
];

#[tokio::test]
async fn a_bad_document_refuses_additions_and_deletions_alike() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let pilotfish = Launch::run(&[deployment(&east)]).start().await?;
    let file = |name: &str| pilotfish.directory().join(name);
    fs::write(file("old.yaml"), policy("old"))?;
    until(&pilotfish, &[("old", 200), ("new", 404)]).await?;

    for (number, (bad, sentence)) in BAD.into_iter().enumerate() {
        let name = format!("bad-{number}.yaml");
        // One look at the directory sees all three, or at least the bad one with each of the others.
        fs::write(file(&name), bad)?;
        fs::write(file("new.yaml"), policy("new"))?;
        fs::remove_file(file("old.yaml"))?;
        let line = pilotfish.logged(&format!("{name}{sentence}")).await?;
        assert!(
            line.contains("configuration refused, the last good one stays in force"),
            "{line}"
        );
        until(&pilotfish, &[("old", 200), ("new", 404)]).await?;
        fs::write(file("old.yaml"), policy("old"))?;
        fs::remove_file(file("new.yaml"))?;
        fs::remove_file(file(&name))?;
    }
    assert!(!pilotfish.log().contains("sk-canary"), "{}", pilotfish.log());

    fs::write(file("new.yaml"), policy("new"))?;
    fs::remove_file(file("old.yaml"))?;
    until(&pilotfish, &[("old", 404), ("new", 200)]).await?;
    pilotfish.back_to_idle(&[&east]).await
}

#[tokio::test]
async fn a_file_that_is_saved_slowly_deletes_nothing() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let pilotfish = Launch::run(&[deployment(&east)]).start().await?;
    let file = pilotfish.directory().join("chat.yaml");
    fs::write(&file, policy("chat"))?;
    until(&pilotfish, &[("chat", 200)]).await?;

    // As `slow > chat.yaml` begins.
    fs::write(&file, "")?;
    let line = pilotfish
        .logged("chat.yaml: is empty and held documents before")
        .await?;
    assert!(line.contains("the last good one stays in force"), "{line}");
    until(&pilotfish, &[("chat", 200)]).await?;
    fs::write(&file, policy("talk"))?;
    pilotfish.logged("configuration is as the files say again").await?;
    until(&pilotfish, &[("chat", 404), ("talk", 200)]).await?;
    fs::remove_file(&file)?;
    until(&pilotfish, &[("chat", 404), ("talk", 404)]).await?;
    pilotfish.back_to_idle(&[&east]).await
}

#[tokio::test]
async fn a_deployment_that_is_the_sidecar_itself_is_not_called() -> Result<()> {
    let pilotfish = Launch::run(&[""; 0]).start().await?;
    let itself = Deployment::at(Dialect::Chat, "itself", &pilotfish.url()).model("loop");
    let policy = Policy::named("loop").targets(["itself"]);
    fs::write(
        pilotfish.directory().join("loop.yaml"),
        format!("{itself}---\n{policy}"),
    )?;
    until(&pilotfish, &[("loop", 503)]).await?;
    let answer = ask(&Client::new(&pilotfish)?, "loop").await?;
    let message = answer.error(Dialect::Chat)?.message;
    assert!(
        message.contains("that is this sidecar itself") || message.contains("its last attempts failed"),
        "{message}"
    );
    // Whoever asked is the only one who did.
    let metrics = pilotfish.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_connections", &[("side", "upstream")]), 0.0);
    pilotfish.back_to_idle(&[]).await
}

#[tokio::test]
async fn json_counts_and_hidden_files_and_other_kinds_do_not() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let pilotfish = Launch::run(&[deployment(&east)]).start().await?;
    let file = |name: &str| pilotfish.directory().join(name);
    let json = r#"{"kind":"RoutingPolicy","apiVersion":"pilotfish.dev/v1alpha1","metadata":{"name":"json"},
        "spec":{"models":["json"],"rules":[{"name":"default","targets":[{"deploymentRef":{"name":"east"}}]}]}}"#;
    fs::write(file(".hidden.yaml"), "this: [is no document")?;
    fs::write(file("notes.txt"), "neither is this")?;
    fs::write(
        file("other.yml"),
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: other}\n",
    )?;
    fs::write(file("short.yml"), policy("short"))?;
    fs::write(file("policy.json"), json)?;
    until(&pilotfish, &[("json", 200), ("short", 200)]).await?;
    let line = pilotfish.logged("means nothing here").await?;
    assert!(line.contains("ConfigMap") && line.contains("other.yml:1"), "{line}");
    pilotfish.back_to_idle(&[&east]).await
}

#[tokio::test]
async fn a_key_works_until_its_document_is_gone() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    // As a cluster shows it: base64, whose last line break belongs to nobody.
    let encoded = "kind: Secret\napiVersion: v1\nmetadata: {name: east}\ndata: {api-key: c2stdXAtZWFzdAo=}\n";
    let deployment = deployment(&east);
    let (_, deployment) = deployment.split_once("---\n").unwrap_or_default();
    let policy = Policy::named("chat")
        .targets(["east"])
        .with("authentication: {require: VirtualKey}");
    let documents = [encoded.to_owned(), deployment.to_owned(), policy.to_string()];
    let pilotfish = Launch::run(&documents).start().await?;
    let key = pilotfish.directory().join("key.yaml");
    let client = Client::new(&pilotfish)?.header("authorization", "Bearer sk-pf-0123456789abcdef");
    fs::write(&key, virtual_key("team", "sk-pf-0123456789abcdef", ""))?;
    let deadline = Instant::now() + PATIENCE;
    for wanted in [200, 401] {
        loop {
            let answer = ask(&client, "chat").await?;
            if answer.status == wanted {
                break;
            }
            ensure!(
                Instant::now() < deadline,
                "{} instead of {wanted}: {}",
                answer.status,
                answer.text()
            );
        }
        if wanted == 200 {
            fs::remove_file(&key)?;
        }
    }
    pilotfish.back_to_idle(&[&east]).await
}

#[tokio::test]
async fn the_root_namespace_serves_the_namespaces_it_selects() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let of = |namespace: &str, document: String| {
        document.replace("metadata: {", &format!("metadata: {{namespace: {namespace}, "))
    };
    let namespace = |name: &str, team: &str| {
        format!("kind: Namespace\napiVersion: v1\nmetadata: {{name: {name}, labels: {{team: {team}}}}}\n")
    };
    let for_shops = "namespaces: {selector: {matchLabels: {team: shops}}}";
    let documents = [
        namespace("shop", "shops"),
        namespace("lab", "labs"),
        of("fleet", deployment(&east)),
        of(
            "fleet",
            Policy::named("everywhere")
                .targets(["east"])
                .with(for_shops)
                .to_string(),
        ),
        of(
            "fleet",
            Policy::named("theirs")
                .models(["shared"])
                .targets(["east"])
                .with(for_shops)
                .to_string(),
        ),
        of("shop", deployment(&east)),
        of(
            "shop",
            Policy::named("own").models(["shared"]).targets(["east"]).to_string(),
        ),
    ];
    for (scope, everywhere, shared) in [
        (
            ["--namespace", "shop", "--root-namespace", "fleet"],
            Some("fleet/everywhere"),
            Some("shop/own"),
        ),
        (["--namespace", "lab", "--root-namespace", "fleet"], None, None),
        (["--namespace", "fleet", "--root-namespace", "fleet"], None, None),
    ] {
        let pilotfish = Launch::run(&documents).arguments(scope).start().await?;
        let client = Client::new(&pilotfish)?;
        for (model, policy) in [("everywhere", everywhere), ("shared", shared)] {
            let answer = ask(&client, model).await?;
            let expected = if policy.is_some() { 200 } else { 404 };
            assert_eq!(
                (answer.status, answer.header("x-pilotfish-policy")),
                (expected, policy),
                "{scope:?} {model}"
            );
        }
    }
    // Only a root namespace may say so: elsewhere the document is a mistake.
    let Err(error) = Launch::run(&documents).arguments(["--namespace", "shop"]).start().await else {
        panic!("it was served")
    };
    let said = format!("{error:#}");
    assert!(said.contains("spec.namespaces: "), "{said}");
    Ok(())
}
