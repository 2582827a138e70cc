//! Who trusts our certificate authority: the API server, by the `caBundle` of our two webhook configurations, and
//! sidecars, by the ConfigMap `pilotfish-ca` of their namespace.
//!
//! Both are written by the leader whenever the bundle changes (with the next root in it long before that one signs), and
//! again whenever somebody else changed them. A replica is ready only once it has seen that the API server trusts it:
//! before that, every pod that asks for a sidecar would be refused.

mod namespaces;
mod webhooks;

use crate::certs::Authority;
use crate::events::Recorder;
use crate::lease::Leadership;
use crate::metrics::Metrics;
use crate::telemetry::Readiness;
use crate::watch::Compilations;
use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use kube::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The bundle, PEM; empty until there is a root.
type Bundle = watch::Receiver<Arc<str>>;

/// As whom fields are written.
const FIELD_MANAGER: &str = "pilotfish-operator";
/// How long the API server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a write: somebody who keeps undoing what we write must not make us write as fast as we can.
const BREATH: Duration = Duration::from_millis(200);
/// Before a failed write is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Api(#[from] kube::Error),
    #[error("the API server gave no answer within {PATIENCE:?}")]
    Silent,
}

/// What keeps the trust up while it is polled, by name.
pub(crate) fn tasks(
    client: &Client,
    authority: &Authority,
    compilations: &Compilations,
    leadership: &Leadership,
    readiness: &Readiness,
    (recorder, metrics): (&Recorder, &Arc<Metrics>),
) -> [(&'static str, BoxFuture<'static, ()>); 3] {
    let (client, bundle, lead) = (|| client.clone(), || authority.trust(), || leadership.clone());
    let pending = |kind| readiness.awaits(format!("the API server's trust in the {kind} webhooks"));
    let mutating = webhooks::run::<MutatingWebhookConfiguration>(client(), bundle(), lead(), pending("mutating"));
    let validating = webhooks::run::<ValidatingWebhookConfiguration>(client(), bundle(), lead(), pending("validating"));
    let (tell, count) = (recorder.clone(), Arc::clone(metrics));
    let namespaces = namespaces::run(client(), compilations.clone(), bundle(), lead(), tell, count);
    [
        ("trust in the mutating webhooks", mutating.boxed()),
        ("trust in the validating webhooks", validating.boxed()),
        ("trust of the sidecars", namespaces.boxed()),
    ]
}

/// The answer to one request.
async fn answered<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    let answer = tokio::time::timeout(PATIENCE, request).await;
    answer.map_or(Err(Error::Silent), |answer| Ok(answer?))
}

/// What came of an attempt, and so when the next one is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// There was nothing to do; something has to change first.
    Idle,
    /// It was written.
    Written,
    /// It was not, or not all of it.
    Failed,
}

impl Attempt {
    /// Over when it is time for the next one without any news.
    async fn due(self) {
        match self {
            Self::Failed => tokio::time::sleep(PAUSE).await,
            Self::Idle | Self::Written => std::future::pending().await,
        }
    }

    /// Waits for as long as nobody may hurry us.
    async fn breathe(self) {
        if self == Self::Written {
            tokio::time::sleep(BREATH).await;
        }
    }
}
