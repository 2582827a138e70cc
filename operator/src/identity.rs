//! Which sidecar is at the other end of a connection.
//!
//! A sidecar proves its pod by the token that Kubernetes projects into its container alone. The API server reviews the
//! token; then the live pod is read, because only it says which container may hold that token, and whose image runs in
//! it. The result is [`Verified`], which only this module makes, and from which the names in the sidecar's certificate
//! are taken. With that certificate the same identity is read again from its names ([`of_certificate`]), and what the watch
//! saw last of the pod was judged likewise ([`Trusted::judge`]).
//!
//! What cannot be stopped here: whoever may `exec` into the sidecar, or ask the API server for a token that is bound to
//! the pod, is the pod.
//!
//! Of the Kubernetes API it needs `create` of TokenReviews, and `get` of Pods, ReplicaSets and Jobs everywhere.

mod claimed;
mod image;
mod names;
mod pace;
mod pod;
mod refusals;
mod seclusion;
mod token;
mod workload;

pub use image::Trusted;
pub(crate) use image::{Injected, repository};
pub use names::of_certificate;
pub(crate) use pod::{Shown, shown, token_volumes};

use crate::metrics::{Metrics, TokenReview};
use crate::watch::{Compilations, PodUid};
use crate::world::ObjectName;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use pace::Pace;
use pilotfish_wire::scope;
use refusals::Refusals;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use token::Claims;
use workload::Owners;

/// What tokens have to be for.
pub const AUDIENCE: &str = "pilotfish.dev";
/// The API server's time for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A sidecar whose pod is known. Only this module makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pod: ObjectName,
    uid: PodUid,
    service_account: String,
    /// Kind and name of the pod's topmost controller.
    workload: String,
}

/// Why a sidecar is not taken for who it says it is, in one sentence for a person.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It does not prove anything.
    #[error("{0}")]
    Unproven(String),
    /// It proves a pod that is served nothing.
    #[error("{0}")]
    Untrusted(String),
    /// Too many others are being looked up.
    #[error("too many sidecars prove their identity at this moment")]
    Busy {
        /// When to come back.
        after: Duration,
    },
    /// Nobody could tell: it may try again.
    #[error("{0}")]
    Unknown(String),
}

/// Looks sidecars up.
pub struct Identity {
    client: Client,
    trusted: Arc<Trusted>,
    seen: Compilations,
    refusals: Refusals,
    pace: Pace,
    owners: Owners,
    metrics: Arc<Metrics>,
}

impl Identity {
    /// Takes pods as `trusted` judges them, which `seen` says of those that are watched.
    pub fn new(client: Client, trusted: Arc<Trusted>, seen: Compilations, metrics: Arc<Metrics>) -> Self {
        Self {
            seen,
            refusals: Refusals::default(),
            owners: Owners::new(client.clone()),
            client,
            trusted,
            pace: Pace::new(),
            metrics,
        }
    }

    /// Whose token this is, which came from `peer` at `now`, in seconds since the Unix epoch.
    pub async fn of_token(&self, token: &str, peer: IpAddr, now: i64) -> Result<Verified, Refused> {
        claimed::plausible(token, now)?;
        let standing = self.refusals.standing(token, self.seen.borrow().as_ref());
        if let Some(why) = standing {
            return Err(Refused::Untrusted(why));
        }
        self.pace.turn(peer).await?;
        let claims = self.review(token).await?;
        let pod = self.live_pod(&claims).await?;
        if let Err(why) = self.trusted.judge(&pod) {
            self.refusals.note(token, &claims.uid, &why);
            return Err(Refused::Untrusted(why));
        }
        let workload = self.owners.topmost(&pod, &claims.service_account).await?;
        names::certifiable(Verified {
            pod: claims.pod,
            uid: claims.uid,
            service_account: claims.service_account,
            workload,
        })
    }

    async fn review(&self, token: &str) -> Result<Claims, Refused> {
        let reviewed = token::review(&self.client, token).await;
        self.metrics.token_review(match &reviewed {
            Ok(_) => TokenReview::Accepted,
            Err(Refused::Unproven(_) | Refused::Untrusted(_)) => TokenReview::Refused,
            Err(Refused::Busy { .. } | Refused::Unknown(_)) => TokenReview::Failed,
        });
        reviewed
    }

    /// The pod that the token is bound to, as it is now: the cache may not have seen it yet.
    async fn live_pod(&self, claims: &Claims) -> Result<Pod, Refused> {
        let Claims { pod: name, uid, .. } = claims;
        let pods = Api::<Pod>::namespaced(self.client.clone(), &name.namespace);
        let pod = answer(&format!("pod {name}"), pods.get_opt(&name.name)).await?;
        let Some(pod) = pod.filter(|pod| pod.metadata.uid.as_deref() == Some(uid.as_str())) else {
            let sentence = format!("pod {name} with the uid {uid} does not exist any more");
            return Err(Refused::Untrusted(sentence));
        };
        if pod.metadata.deletion_timestamp.is_some() {
            return Err(Refused::Untrusted(format!("pod {name} is being deleted")));
        }
        Ok(pod)
    }
}

impl Verified {
    /// Its pod.
    pub fn pod(&self) -> &ObjectName {
        &self.pod
    }

    /// Its pod's uid.
    pub fn uid(&self) -> &PodUid {
        &self.uid
    }

    /// What it is told about itself, under the names of [`pilotfish_wire::scope`].
    pub fn scope(&self) -> BTreeMap<String, String> {
        [
            (scope::NAMESPACE, &self.pod.namespace),
            (scope::POD, &self.pod.name),
            (scope::SERVICE_ACCOUNT, &self.service_account),
            (scope::WORKLOAD, &self.workload),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into()
    }
}

/// The API server's answer about `what`. Having none says nothing about the sidecar.
async fn answer<T>(what: &str, call: impl Future<Output = kube::Result<T>>) -> Result<T, Refused> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(what, %error, "sidecar not looked up");
            Err(Refused::Unknown(format!("{what} could not be looked up, try again")))
        }
        Err(_) => Err(Refused::Unknown(format!(
            "{what} could not be looked up in time, try again"
        ))),
    }
}
