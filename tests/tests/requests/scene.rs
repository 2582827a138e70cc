//! One deployment of one provider, alone behind a policy.

use anyhow::{Context, Result};
use pilotfish_provider::Fake;
use pilotfish_tests::{Client, Dialect, Launch, Pilotfish, Policy};
use serde_json::Value;

pub(crate) struct Scene {
    pub(crate) pilotfish: Pilotfish,
    pub(crate) client: Client,
    pub(crate) fake: Fake,
}

impl Scene {
    /// `chat`, served by `fake`. `spec` is the deployment's, as the fields of a YAML mapping in one line, with `URL` where
    /// the fake is; `key` is what the fake wants, if it wants any.
    pub(crate) async fn start(fake: Fake, spec: &str, key: Option<&str>) -> Result<Self> {
        Self::serving("chat", fake, spec, key).await
    }

    /// The same under another name than `chat`.
    pub(crate) async fn serving(model: &str, fake: Fake, spec: &str, key: Option<&str>) -> Result<Self> {
        let spec = spec.replace("URL", &fake.url());
        let credentials = match key {
            Some(_) => ", credentials: {secretKeyRef: {name: upstream, key: key}}",
            None => "",
        };
        let deployment = format!(
            "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: east}}\n\
             spec: {{{spec}{credentials}}}\n"
        );
        let secret = key.map(|key| {
            format!("kind: Secret\napiVersion: v1\nmetadata: {{name: upstream}}\nstringData: {{key: {key}}}\n")
        });
        let policy = Policy::named(model).targets(["east"]).to_string();
        let documents: Vec<_> = secret.into_iter().chain([deployment, policy]).collect();
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            fake,
        })
    }

    /// That the provider accepted all that it was sent, and nothing is under way.
    pub(crate) async fn end(self) -> Result<()> {
        assert!(self.fake.violations().is_empty(), "{:?}", self.fake.violations());
        self.pilotfish.at_rest(&[&self.fake]).await
    }

    /// The answer to `body`, which is one.
    pub(crate) async fn ask(&self, path: &str, body: Value) -> Result<Value> {
        let answer = self.client.post(path, body.to_string()).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The text of a stream, and what its last event is.
    pub(crate) async fn streamed(&self, dialect: Dialect) -> Result<(String, String)> {
        let request = dialect.stream_request("chat", "Hello dear friend");
        let mut answer = self.client.stream(dialect, &request).await?;
        assert_eq!(answer.status, 200);
        let events = answer.events.rest().await?;
        let deltas = events.iter().filter_map(|event| event.json().ok());
        let text = deltas
            .filter_map(|data| dialect.delta(&data).map(str::to_owned))
            .collect();
        let last = events.last().context("there are events")?;
        Ok((text, last.name.clone().unwrap_or_else(|| last.data.clone())))
    }

    /// The paths at which the provider was asked.
    pub(crate) fn targets(&self) -> Vec<String> {
        let received = self.fake.received();
        received.iter().map(|request| request.target.clone()).collect()
    }
}
