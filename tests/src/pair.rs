//! The usual scene: two deployments of one dialect, and a policy that calls the second when the first cannot serve.

use crate::{Answer, Answering, Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use anyhow::Result;
use pilotfish_provider::{Builder, Fake};

/// `default/east` before `default/west`, asked for as `chat`.
pub struct Pair {
    /// What the client speaks.
    pub dialect: Dialect,
    /// Called first.
    pub east: Fake,
    /// Called when east cannot serve.
    pub west: Fake,
    /// The program before them.
    pub pilotfish: Pilotfish,
    /// An application.
    pub client: Client,
}

impl Pair {
    /// Starts the scene; `policy` may change the policy, `deployment` each of the deployments.
    pub async fn start(
        dialect: Dialect,
        policy: impl FnOnce(Policy) -> Policy,
        deployment: impl Fn(Deployment) -> Deployment,
    ) -> Result<Self> {
        Self::of(dialect, |fake| fake, policy, deployment).await
    }

    /// The scene with nothing changed, for a client of one dialect and providers of another.
    pub async fn across(client: Dialect, provider: Dialect) -> Result<Self> {
        let deployment = |deployment: Deployment| deployment;
        Self::between(client, provider, |fake| fake, |policy| policy, deployment).await
    }

    /// The same with providers that `fake` may change, too.
    pub async fn of(
        dialect: Dialect,
        fake: impl Fn(Builder) -> Builder,
        policy: impl FnOnce(Policy) -> Policy,
        deployment: impl Fn(Deployment) -> Deployment,
    ) -> Result<Self> {
        Self::between(dialect, dialect, fake, policy, deployment).await
    }

    /// The same for a client of one dialect and providers of another.
    pub async fn between(
        client: Dialect,
        provider: Dialect,
        fake: impl Fn(Builder) -> Builder,
        policy: impl FnOnce(Policy) -> Policy,
        deployment: impl Fn(Deployment) -> Deployment,
    ) -> Result<Self> {
        let east = fake(provider.provider("east")).start().await?;
        let west = fake(provider.provider("west")).start().await?;
        let documents = [
            deployment(Deployment::of(provider, "east", &east)).to_string(),
            deployment(Deployment::of(provider, "west", &west)).to_string(),
            policy(Policy::named("chat").in_order(["east", "west"])).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        Ok(Self {
            dialect: client,
            east,
            west,
            client: Client::new(&pilotfish)?,
            pilotfish,
        })
    }

    /// The scene with nothing changed.
    pub async fn plain(dialect: Dialect) -> Result<Self> {
        Self::start(dialect, |policy| policy, |deployment| deployment).await
    }

    /// Asks for `chat`.
    pub async fn ask(&self) -> Result<Answer> {
        self.client
            .ask(self.dialect, &self.dialect.request("chat", "Hello"))
            .await
    }

    /// Asks for `chat` as a stream.
    pub async fn stream(&self) -> Result<Answering> {
        let request = self.dialect.stream_request("chat", "Hello");
        self.client.stream(self.dialect, &request).await
    }

    /// Asks for `chat`, as a stream or not, and reads the whole answer.
    pub async fn ask_for(&self, stream: bool) -> Result<Answer> {
        let request = match stream {
            false => self.dialect.request("chat", "Hello"),
            true => self.dialect.stream_request("chat", "Hello"),
        };
        self.client.ask(self.dialect, &request).await
    }

    /// How often an upstream call ended in this way: of `default/<name>`.
    pub async fn attempts(&self, name: &str, outcome: &str) -> Result<f64> {
        let deployment = format!("default/{name}");
        let labels = [("deployment", &*deployment), ("outcome", outcome)];
        Ok(self.pilotfish.metrics().await?.sum("pilotfish_attempts_total", &labels))
    }

    /// How many requests have reached east and west.
    pub fn calls(&self) -> (usize, usize) {
        (self.east.received().len(), self.west.received().len())
    }

    /// Nothing is left behind but idle connections.
    pub async fn at_rest(&self) -> Result<()> {
        self.pilotfish.at_rest(&[&self.east, &self.west]).await
    }

    /// Nothing is left behind.
    pub async fn back_to_idle(&self) -> Result<()> {
        self.pilotfish.back_to_idle(&[&self.east, &self.west]).await
    }
}
