//! A cluster with policies, as many as are asked for, over two deployments.

use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use pilotfish_crds::RoutingPolicy;
use pilotfish_provider::Fake;
use pilotfish_tests::cluster::Namespace;
use pilotfish_tests::{Deployment, Dialect, Metrics, Operator, Policy};
use std::time::Duration;
use tokio::time::Instant;

/// Requests to the API server that are made at once.
const AT_ONCE: usize = 16;
/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks: the resolution of what is measured by looking.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The policies of a namespace, and the providers behind them.
pub(crate) struct Policies {
    pub(crate) api: Api<RoutingPolicy>,
    /// They run while this is held.
    _fakes: [Fake; 2],
}

impl Policies {
    /// `count` policies `p0`, `p1`, …, each all to `east`.
    pub(crate) async fn apply(client: &kube::Client, namespace: &Namespace<'_>, count: usize) -> Result<Self> {
        let east = Dialect::Chat.provider("east").start().await?;
        let west = Dialect::Chat.provider("west").start().await?;
        for (name, fake) in [("east", &east), ("west", &west)] {
            namespace
                .apply(&Deployment::of(Dialect::Chat, name, fake).to_string())
                .await?;
        }
        let api = Api::<RoutingPolicy>::namespaced(client.clone(), namespace.name());
        let create = async |number: usize| -> Result<()> {
            let policy = Policy::named(&name(number))
                .weighted([("east", 1), ("west", 0)])
                .to_string();
            api.create(&PostParams::default(), &serde_yaml::from_str(&policy)?)
                .await?;
            Ok(())
        };
        stream::iter(0..count)
            .map(create)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(Self {
            api,
            _fakes: [east, west],
        })
    }

    /// Sends all of policy `number` to `target`; returns its new generation when the API server has answered.
    pub(crate) async fn turn(&self, number: usize, target: &str) -> Result<i64> {
        let weights = [
            ("east", u32::from(target == "east")),
            ("west", u32::from(target == "west")),
        ];
        let turned: serde_json::Value =
            serde_yaml::from_str(&Policy::named(&name(number)).weighted(weights).to_string())?;
        let patch = Patch::Merge(serde_json::json!({"spec": turned["spec"]}));
        let patched = self.api.patch(&name(number), &PatchParams::default(), &patch).await?;
        Ok(patched.metadata.generation.unwrap_or(0))
    }
}

/// The name of policy `number`, and the model it answers for.
pub(crate) fn name(number: usize) -> String {
    format!("p{number}")
}

/// How long it takes from `since` until `look` is true.
pub(crate) async fn until(since: Instant, what: &str, mut look: impl AsyncFnMut() -> Result<bool>) -> Result<Duration> {
    while !look().await? {
        anyhow::ensure!(since.elapsed() < PATIENCE, "it never came true that {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(since.elapsed())
}

/// How many batches were acknowledged to this operator.
pub(crate) async fn acks(operator: &Operator) -> Result<f64> {
    Ok(acks_in(&operator.metrics().await?))
}

fn acks_in(metrics: &Metrics) -> f64 {
    metrics.sum("pilotfish_operator_acks_total", &[])
}
