//! `pilotfish run`: a directory is served, and what changes in it is obeyed, refused or held.

#![cfg(test)]

use anyhow::{Context, Result, ensure};
use pilotfish_provider::Fake;
use pilotfish_tests::documents::virtual_key;
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use std::fs;
use std::time::Duration;
use tokio::time::Instant;

/// A change is obeyed within this time.
const HOT: Duration = Duration::from_secs(1);
/// What never happens within this time never happens.
const PATIENCE: Duration = Duration::from_secs(15);

/// Two providers, and a policy in a file of its own that sends `chat` to one of them.
struct Scene {
    east: Fake,
    west: Fake,
    pilotfish: Pilotfish,
    client: Client,
}

impl Scene {
    async fn start() -> Result<Self> {
        let east = Dialect::Chat.provider("east").start().await?;
        let west = Dialect::Chat.provider("west").start().await?;
        let pilotfish = Launch::run(&deployments(&east, &west)).start().await?;
        let client = Client::new(&pilotfish)?;
        let scene = Self {
            east,
            west,
            pilotfish,
            client,
        };
        scene.write("chat.yaml", &chat("east"))?;
        scene.until("default/east").await?;
        Ok(scene)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.pilotfish.directory().join(file), text)?)
    }

    async fn ask(&self) -> Result<Answer> {
        self.client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await
    }

    /// Asks until `deployment` answers, and returns how long that took.
    async fn until(&self, deployment: &str) -> Result<Duration> {
        let start = Instant::now();
        let by_it = |answer: &Answer| answer.header("x-pilotfish-deployment") == Some(deployment);
        self.answered(by_it).await?;
        Ok(start.elapsed())
    }

    /// Asks until the answer is `wanted`.
    async fn answered(&self, wanted: impl Fn(&Answer) -> bool) -> Result<Answer> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask().await?;
            if wanted(&answer) {
                return Ok(answer);
            }
            ensure!(
                Instant::now() < deadline,
                "it never answered as wanted:\n{}",
                self.pilotfish.log()
            );
        }
    }
}

fn deployments(east: &Fake, west: &Fake) -> [String; 2] {
    let deployment = |name, fake| Deployment::of(Dialect::Chat, name, fake).to_string();
    [deployment("east", east), deployment("west", west)]
}

fn chat(target: &str) -> String {
    Policy::named("chat").targets([target]).to_string()
}

#[tokio::test]
async fn an_edit_is_obeyed_within_a_second() -> Result<()> {
    let scene = Scene::start().await?;
    let mut fastest = PATIENCE;
    // The best of a few: a machine that is busy with other tests is no reason to fail.
    for target in ["west", "east", "west", "east"] {
        scene.write("chat.yaml", &chat(target))?;
        fastest = fastest.min(scene.until(&format!("default/{target}")).await?);
    }
    assert!(fastest < HOT, "{fastest:?}");
    fs::remove_file(scene.pilotfish.directory().join("chat.yaml"))?;
    scene.answered(|answer| answer.status == 404).await?;
    scene.pilotfish.back_to_idle(&[&scene.east, &scene.west]).await
}

#[tokio::test]
async fn a_bad_document_refuses_the_whole_load_and_the_last_good_one_serves_on() -> Result<()> {
    let scene = Scene::start().await?;
    fs::remove_file(scene.pilotfish.directory().join("documents.yaml"))?;
    scene.write("chat.yaml", &chat("west").replace("models", "model"))?;
    let line = scene.pilotfish.logged("configuration refused").await?;
    assert!(
        line.contains("chat.yaml:5: spec.model: unknown field; known here: "),
        "{line}"
    );
    assert_eq!(
        scene.ask().await?.header("x-pilotfish-deployment"),
        Some("default/east")
    );

    // The deployments that are gone drop out with the next load that is whole.
    scene.write("chat.yaml", &chat("east"))?;
    let line = scene.pilotfish.logged("not in force as it is written").await?;
    assert!(
        line.contains("chat.yaml:1: RoutingPolicy default/chat: deployment default/east does not exist"),
        "{line}"
    );
    let answer = scene.answered(|answer| answer.status == 503).await?;
    assert!(
        answer.text().contains("deployment default/east does not exist"),
        "{}",
        answer.text()
    );
    Ok(())
}

#[tokio::test]
async fn an_edit_that_does_not_resolve_is_held_and_said() -> Result<()> {
    let scene = Scene::start().await?;
    scene.write("chat.yaml", &chat("typo"))?;
    let line = scene.pilotfish.logged("is held back").await?;
    assert!(
        line.contains("chat.yaml:1: RoutingPolicy default/chat is held back"),
        "{line}"
    );
    assert!(line.contains("deployment default/typo does not exist"), "{line}");
    assert_eq!(
        scene.ask().await?.header("x-pilotfish-deployment"),
        Some("default/east")
    );
    Ok(())
}

#[tokio::test]
async fn credentials_come_from_the_environment_where_no_document_has_them() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let deployment = Deployment::of(Dialect::Chat, "east", &east).to_string();
    let (_, deployment) = deployment.split_once("---\n").context("the Secret comes first")?;
    let launch = || Launch::run(&[deployment.to_owned(), chat("east")]);

    let pilotfish = launch()
        .environment("PILOTFISH_SECRET_EAST_API_KEY", "sk-up-east")
        .start()
        .await?;
    let request = Dialect::Chat.request("chat", "Hello");
    assert_eq!(Client::new(&pilotfish)?.ask(Dialect::Chat, &request).await?.status, 200);

    let pilotfish = launch().start().await?;
    let answer = Client::new(&pilotfish)?.ask(Dialect::Chat, &request).await?;
    assert_eq!(answer.status, 503);
    let sentence = "Secret default/east is in no file, and PILOTFISH_SECRET_EAST_API_KEY is not set";
    assert!(answer.text().contains(sentence), "{}", answer.text());
    Ok(())
}

#[tokio::test]
async fn the_scope_decides_which_policies_a_pod_has() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let west = Dialect::Chat.provider("west").start().await?;
    let [east, west] = deployments(&east, &west);
    let policy = |name: &str, target: &str, more: &str| {
        Policy::named(name)
            .models(["chat"])
            .targets([target])
            .with(more)
            .to_string()
    };
    let documents = [
        east,
        west,
        policy("everyone", "east", "retry: {attempts: 1}"),
        policy(
            "assistants",
            "west",
            "workloads: {selector: {matchLabels: {app: assistant}}}",
        ),
        virtual_key("key", "sk-pf-0123456789abcdef", ""),
    ];
    let request = Dialect::Chat.request("chat", "Hello");
    for (labels, deployment) in [("app=assistant", "default/west"), ("app=other", "default/east")] {
        let pilotfish = Launch::run(&documents).arguments(["--labels", labels]).start().await?;
        let answer = Client::new(&pilotfish)?.ask(Dialect::Chat, &request).await?;
        assert_eq!(answer.header("x-pilotfish-deployment"), Some(deployment));
    }
    let elsewhere = Launch::run(&documents)
        .arguments(["--namespace", "shop"])
        .start()
        .await?;
    assert_eq!(Client::new(&elsewhere)?.ask(Dialect::Chat, &request).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn what_the_sidecar_would_not_use_is_said_with_its_place() -> Result<()> {
    let scene = Scene::start().await?;
    let no_certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let deployment = format!(
        "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: north}}\nspec:\n  \
         provider: OpenAICompatible\n  model: m\n  endpoint: {{url: \"https://north/v1\", caBundle: {no_certificate:?}}}\n"
    );
    scene.write("north.yaml", &format!("{deployment}---\n{}", chat("north")))?;
    scene.write("chat.yaml", "")?;
    let line = scene.pilotfish.logged("refused by the sidecar").await?;
    assert!(
        line.contains("north.yaml:1") && line.contains("default/north"),
        "{line}"
    );
    Ok(())
}

#[tokio::test]
async fn a_directory_that_is_wrong_from_the_start_is_not_served() -> Result<()> {
    let Err(error) = Launch::run(&[chat("east").replace("RoutingPolicy", "RoutingRule")])
        .start()
        .await
    else {
        panic!("it was served")
    };
    let said = format!("{error:#}");
    assert!(
        said.contains("documents.yaml:1: kind: no kind RoutingRule in pilotfish.dev/v1alpha1"),
        "{said}"
    );
    Ok(())
}
