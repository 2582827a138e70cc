//! Carries one step out, if the Secret is still as it was when the step was chosen.

use super::change::{self, Change};
use super::generate;
use super::kept::Kept;
use super::order::Order;
use super::step::Step;
use crate::events::Occurrence;
use crate::lease::Leadership;
use crate::metrics::Occasion;
use crate::watch::CREDENTIALS_LABEL;
use crate::world::ObjectName;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use pilotfish_crds::scalar::Duration as Written;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes Secrets, as long as this replica leads.
pub(super) struct Writer {
    client: Client,
    leadership: Leadership,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The Secret is not as it was seen, and will be seen as it is.
    #[error("the Secret was changed meanwhile")]
    Overtaken,
    #[error("this replica leads no longer")]
    NoLeader,
    #[error(
        "Secret {0} exists without the label {CREDENTIALS_LABEL}: \"true\", and is neither read nor overwritten; \
         label it, delete it, or choose another secretName"
    )]
    Unlabelled(ObjectName),
    #[error("Secret {0} could not be written: the API server did not answer in time")]
    Late(ObjectName),
    #[error("Secret {0} could not be written: {1}")]
    Refused(ObjectName, String),
    #[error(transparent)]
    NoRandomness(#[from] generate::NoRandomness),
}

impl Failure {
    /// What a person should know of it.
    pub(super) fn sentence(&self) -> Option<String> {
        match self {
            Self::Overtaken | Self::NoLeader => None,
            Self::Unlabelled(_) | Self::Late(_) | Self::Refused(..) | Self::NoRandomness(_) => Some(self.to_string()),
        }
    }
}

impl Writer {
    pub(super) fn new(client: Client, leadership: Leadership) -> Self {
        Self { client, leadership }
    }

    /// Does what `order` says. What is worth telling comes back.
    pub(super) async fn carry_out(&self, order: &Order<'_>) -> Result<Option<Occurrence>, Failure> {
        match order.step {
            Step::Rest(_) | Step::Stuck(_) => Ok(None),
            Step::Create => self.create(order).await,
            Step::Fill | Step::Rotate | Step::EndOverlap | Step::CorrectTimes => self.change(order).await,
        }
    }

    async fn create(&self, order: &Order<'_>) -> Result<Option<Occurrence>, Failure> {
        let (name, key) = (order.secret(), generate::key()?);
        let occurrence = created(&name, &key);
        let secret = change::secret(&name, (order.name, order.uid()), key, Timestamp::now());
        let (api, params) = (self.api(&name), PostParams::default());
        match self.ask(&name, api.create(&params, &secret)).await {
            Ok(_) => Ok(Some(occurrence)),
            Err(Failure::Overtaken) => Err(self.in_the_way(name).await),
            Err(failure) => Err(failure),
        }
    }

    /// There is a Secret that was not seen: the watch has yet to show it, or it has not our label.
    async fn in_the_way(&self, name: ObjectName) -> Failure {
        let secret = match self.ask(&name, self.api(&name).get_metadata(&name.name)).await {
            Ok(secret) => secret,
            Err(failure) => return failure,
        };
        match secret.labels().get(CREDENTIALS_LABEL).map(String::as_str) {
            Some("true") => Failure::Overtaken,
            Some(_) | None => Failure::Unlabelled(name),
        }
    }

    async fn change(&self, order: &Order<'_>) -> Result<Option<Occurrence>, Failure> {
        let (name, now) = (order.secret(), Timestamp::now());
        let api = self.api(&name);
        let secret = self.ask(&name, api.get(&name.name)).await?;
        if order.step_for(&Kept::of(&secret), now) != order.step {
            return Err(Failure::Overtaken);
        }
        let (change, occurrence) = changed(order, &secret, now)?;
        let (params, patch) = (PatchParams::default(), Patch::Merge(change.patch()));
        self.ask(&name, api.patch(&name.name, &params, &patch)).await?;
        Ok(occurrence)
    }

    fn api(&self, secret: &ObjectName) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &secret.namespace)
    }

    async fn ask<T>(&self, name: &ObjectName, request: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
        if !self.leadership.borrow().is_me(Instant::now()) {
            return Err(Failure::NoLeader);
        }
        let answer = timeout(PATIENCE, request).await;
        answer
            .map_err(|_| Failure::Late(name.clone()))?
            .map_err(|error| match error {
                // It is there already, it changed, or it is gone.
                kube::Error::Api(status) if matches!(status.code, 404 | 409) => Failure::Overtaken,
                kube::Error::Api(status) => Failure::Refused(name.clone(), status.message),
                error => Failure::Refused(name.clone(), error.to_string()),
            })
    }
}

fn changed(order: &Order<'_>, secret: &Secret, now: Timestamp) -> Result<(Change, Option<Occurrence>), Failure> {
    let change = Change::of(secret);
    if matches!(order.step, Step::EndOverlap) {
        return Ok((change.drop_previous(), None));
    }
    if matches!(order.step, Step::CorrectTimes) {
        return Ok((change.correct_times(&Kept::of(secret), now), None));
    }
    let key = generate::key()?;
    let change = change.fill(&key, now);
    let rotation = order
        .spec
        .rotation
        .as_ref()
        .filter(|_| matches!(order.step, Step::Rotate));
    Ok(match rotation {
        Some(rotation) => {
            let occurrence = rotated(&order.secret(), &key, &rotation.overlap);
            (change.keep_previous(secret, &rotation.overlap, now), Some(occurrence))
        }
        None => (change, Some(created(&order.secret(), &key))),
    })
}

fn created(secret: &ObjectName, key: &str) -> Occurrence {
    let start = generate::recognisable(key).unwrap_or_default();
    Occurrence {
        occasion: Occasion::KeyCreated,
        note: format!("Secret {secret} has a new key, {start}…"),
    }
}

fn rotated(secret: &ObjectName, key: &str, overlap: &Written) -> Occurrence {
    let start = generate::recognisable(key).unwrap_or_default();
    Occurrence {
        occasion: Occasion::KeyRotated,
        note: format!("Secret {secret} has a new key, {start}…; the one before it is taken for another {overlap}"),
    }
}
