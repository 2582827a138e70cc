//! One status, written: a merge patch of the status subresource, based on one version of the object.

use super::Id;
use super::occurrences::occurrences;
use super::published::Status;
use crate::events::Recorder;
use crate::metrics::{Metrics, Subject, Written};
use crate::world::ObjectName;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use pilotfish_crds::deployment::ModelDeploymentStatus;
use pilotfish_crds::key::VirtualKeyStatus;
use pilotfish_crds::policy::RoutingPolicyStatus;
use pilotfish_crds::{ModelDeployment, RoutingPolicy, VirtualKey};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Why a write is no error of ours: the object has changed, and its new version will be seen.
const CONFLICT: u16 = 409;
/// The same: it is gone.
const NOT_FOUND: u16 = 404;

/// A status to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) id: Id,
    pub(super) uid: String,
    /// The version in which the object is seen.
    pub(super) seen: String,
    /// The version in which it has the status `previous`.
    pub(super) base: String,
    /// What is written; `None`: nobody can see it, and it is to be read first.
    pub(super) previous: Option<Status>,
    pub(super) next: Status,
}

/// What came of a draft.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) id: Id,
    /// The version in which the object was seen.
    pub(super) seen: String,
    /// The version that the object has now, with its status; `None`: it was not written, and cannot be for now.
    pub(super) written: Option<(String, Status)>,
    /// It was only read: now it is known whether it is to be written.
    pub(super) was_read: bool,
}

/// Writes statuses.
#[derive(Clone)]
pub(super) struct Writer {
    client: Client,
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

impl Writer {
    pub(super) fn new(client: Client, recorder: Recorder, metrics: Arc<Metrics>) -> Self {
        Self {
            client,
            recorder,
            metrics,
        }
    }

    /// Writes `draft`, or reads what is written where that is unknown.
    pub(super) async fn carry_out(self, draft: Draft) -> Outcome {
        let written = match &draft.previous {
            Some(previous) => self.write(&draft, previous).await,
            None => self.read(&draft).await,
        };
        let was_read = draft.previous.is_none();
        let Draft { id, seen, .. } = draft;
        Outcome {
            id,
            seen,
            written,
            was_read,
        }
    }

    async fn write(&self, draft: &Draft, previous: &Status) -> Option<(String, Status)> {
        let (subject, name) = &draft.id;
        let (api, params) = (self.api(*subject, name), PatchParams::default());
        let patch = Patch::Merge(draft.next.patch(*subject, &draft.base));
        let answer = timeout(PATIENCE, api.patch_status(&name.name, &params, &patch)).await;
        let (outcome, object) = judged(&draft.id, answer);
        self.metrics.status_write(*subject, outcome);
        let version = object?.resource_version()?;
        let regarding = regarding(draft, &version);
        for occurrence in occurrences(&previous.conditions, &draft.next.conditions) {
            self.recorder.record(&regarding, &occurrence).await;
        }
        Some((version, draft.next.clone()))
    }

    /// A patch of nothing changes nothing, and its answer is the object: no right is needed besides that to write.
    async fn read(&self, draft: &Draft) -> Option<(String, Status)> {
        let (subject, name) = &draft.id;
        let (api, params) = (self.api(*subject, name), PatchParams::default());
        let nothing = Patch::Merge(serde_json::json!({}));
        let answer = timeout(PATIENCE, api.patch_status(&name.name, &params, &nothing)).await;
        let object = judged(&draft.id, answer).1?;
        Some((object.resource_version()?, status_of(*subject, &object)))
    }

    /// Without the types of our kinds: the object may be one that cannot be read.
    fn api(&self, subject: Subject, name: &ObjectName) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &name.namespace, &api_resource(subject))
    }
}

fn judged<E: std::error::Error>(
    (subject, name): &Id,
    answer: Result<kube::Result<DynamicObject>, E>,
) -> (Written, Option<DynamicObject>) {
    let error = match answer {
        Ok(Ok(object)) => return (Written::Ok, Some(object)),
        Ok(Err(kube::Error::Api(status))) if status.code == CONFLICT => return (Written::Conflict, None),
        Ok(Err(kube::Error::Api(status))) if status.code == NOT_FOUND => return (Written::Gone, None),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    let kind = subject.label();
    tracing::warn!(kind, object = %name, error, "a status could not be written and will be tried again");
    (Written::Failed, None)
}

/// What is written, as far as it can be read.
fn status_of(subject: Subject, object: &DynamicObject) -> Status {
    let status = object.data.get("status").cloned().unwrap_or_default();
    fn read<S: DeserializeOwned + Into<Status>>(status: serde_json::Value) -> Status {
        serde_json::from_value::<S>(status).map(Into::into).unwrap_or_default()
    }
    match subject {
        Subject::ModelDeployment => read::<ModelDeploymentStatus>(status),
        Subject::RoutingPolicy => read::<RoutingPolicyStatus>(status),
        Subject::VirtualKey => read::<VirtualKeyStatus>(status),
    }
}

fn api_resource(subject: Subject) -> ApiResource {
    match subject {
        Subject::ModelDeployment => ApiResource::erase::<ModelDeployment>(&()),
        Subject::RoutingPolicy => ApiResource::erase::<RoutingPolicy>(&()),
        Subject::VirtualKey => ApiResource::erase::<VirtualKey>(&()),
    }
}

fn regarding(draft: &Draft, version: &str) -> ObjectReference {
    let (subject, name) = &draft.id;
    let ApiResource { api_version, kind, .. } = api_resource(*subject);
    ObjectReference {
        api_version: Some(api_version),
        kind: Some(kind),
        namespace: Some(name.namespace.clone()),
        name: Some(name.name.clone()),
        uid: Some(draft.uid.clone()),
        resource_version: Some(version.to_owned()),
        ..ObjectReference::default()
    }
}
