//! A namespace with two providers, a pod and its sidecar.

use anyhow::{Result, ensure};
use pilotfish_provider::Fake;
use pilotfish_tests::cluster::{Cluster, Namespace};
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Operator, Pilotfish, Pod, Policy};
use std::time::Duration;
use tokio::time::Instant;

/// What never happens within this time never happens.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Two providers `east` and `west`, and a sidecar in the pod `web`.
pub(crate) struct Scene<'a> {
    pub(crate) namespace: &'a Namespace<'a>,
    pub(crate) client: Client,
    /// They run while this is held.
    _held: (Fake, Fake),
    pub(crate) sidecar: Pilotfish,
}

impl<'a> Scene<'a> {
    /// With a policy that sends `chat` to `east`.
    pub(crate) async fn start(operator: &Operator, namespace: &'a Namespace<'a>, pod: &Pod<'_>) -> Result<Self> {
        let east = Dialect::Chat.provider("east").start().await?;
        let west = Dialect::Chat.provider("west").start().await?;
        namespace.apply(&deployments(&east, &west)).await?;
        namespace.apply(&chat("east")).await?;
        let sidecar = Launch::sidecar(operator, pod).await?.start().await?;
        let client = Client::new(&sidecar)?;
        let scene = Self {
            namespace,
            client,
            _held: (east, west),
            sidecar,
        };
        scene.served_by("east").await?;
        Ok(scene)
    }

    pub(crate) async fn ask(&self) -> Result<Answer> {
        self.client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await
    }

    /// Asks until `deployment` of this namespace answers.
    pub(crate) async fn served_by(&self, deployment: &str) -> Result<Answer> {
        let wanted = format!("{}/{deployment}", self.namespace.name());
        self.answered(|answer| answer.header("x-pilotfish-deployment") == Some(&wanted))
            .await
    }

    /// Asks until the answer is as `wanted`.
    pub(crate) async fn answered(&self, wanted: impl Fn(&Answer) -> bool) -> Result<Answer> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask().await?;
            if wanted(&answer) {
                return Ok(answer);
            }
            let late = Instant::now() > deadline;
            ensure!(
                !late,
                "the answer never became as expected: {} {}",
                answer.status,
                answer.text()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The deployments `east` and `west` with their Secrets.
pub(crate) fn deployments(east: &Fake, west: &Fake) -> String {
    let east = Deployment::of(Dialect::Chat, "east", east);
    let west = Deployment::of(Dialect::Chat, "west", west);
    format!("{east}---\n{west}")
}

/// The policy `chat`, with `target` alone.
pub(crate) fn chat(target: &str) -> String {
    Policy::named("chat").targets([target]).to_string()
}

/// A value of an object, as `kubectl get -o jsonpath` prints it, once it is as `wanted`.
pub(crate) async fn field(namespace: &Namespace<'_>, object: &str, path: &str, wanted: &str) -> Result<()> {
    let what = format!("{path} of {object} is {wanted:?}");
    pilotfish_tests::cluster::until(&what, async || {
        let path = format!("jsonpath={path}");
        let found = namespace.kubectl(["get", object, "-o", &path]).await?.success()?;
        ensure!(found == wanted, "it is {found:?}");
        Ok(())
    })
    .await
}

/// A cluster of the test's own, its operator, and a namespace's worth of patience.
pub(crate) async fn own() -> Result<(Cluster, Operator)> {
    Operator::with_cluster().await
}
