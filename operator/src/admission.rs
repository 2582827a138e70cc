//! What the API server asks before it stores an object → what it is answered.
//!
//! Pure. `/inject` is asked about pods and answers with a patch ([`crate::inject`]). `/validate` is asked about our own
//! kinds and says what `compile` would say of one document by itself, by the same functions ([`crate::validate`]): what
//! was admitted here cannot turn out to be malformed later.

use crate::identity::Trusted;
use crate::inject::{Settings, inject};
use crate::validate::{self, Fault};
use k8s_openapi::api::core::v1::Pod;
use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview, Operation, SerializePatchError};
use pilotfish_crds::GROUP;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Which of our two webhooks is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Webhook {
    /// Adds sidecars to pods.
    Inject,
    /// Judges our own kinds.
    Validate,
}

/// What was decided about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It may be stored as it is.
    Allowed,
    /// It may be stored as changed.
    Patched,
    /// It may not be stored.
    Refused,
}

/// A question that nobody who was configured by our chart asks.
#[derive(Debug, thiserror::Error)]
pub enum BadReview {
    /// It cannot be read.
    #[error("the body is no AdmissionReview of admission.k8s.io/v1: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It asks nothing.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// It asks about something else.
    #[error("{path} does not judge {kind} of {group:?}")]
    OtherKind {
        /// The webhook's path.
        path: &'static str,
        /// What it was asked about.
        kind: String,
        /// And of which API group.
        group: String,
    },
    /// There is nothing to judge.
    #[error("the AdmissionReview has no object")]
    NoObject,
    /// The answer could not be written.
    #[error(transparent)]
    Patch(#[from] SerializePatchError),
}

/// Answers the API server.
#[derive(Clone, Debug)]
pub struct Judge {
    /// What sidecars are given.
    pub settings: Settings,
    /// Who judges sidecars that are there already.
    pub trusted: Arc<Trusted>,
    /// Policies of this namespace may serve other namespaces.
    pub root_namespace: String,
}

impl Webhook {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Inject, Self::Validate];

    /// Its name, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Inject => "inject",
            Self::Validate => "validate",
        }
    }

    /// Where it is called.
    pub fn path(self) -> &'static str {
        match self {
            Self::Inject => "/inject",
            Self::Validate => "/validate",
        }
    }
}

impl Judge {
    /// Answers `review`, the text of an AdmissionReview, with another one.
    pub fn answer(&self, webhook: Webhook, review: &[u8]) -> Result<(Verdict, Vec<u8>), BadReview> {
        let review: AdmissionReview<DynamicObject> = serde_json::from_slice(review)?;
        let request: AdmissionRequest<DynamicObject> = review.try_into().map_err(|_| BadReview::NoRequest)?;
        let response = AdmissionResponse::from(&request);
        let (verdict, response) = match webhook {
            Webhook::Inject => self.inject(request, response)?,
            Webhook::Validate => self.validate(&request, response)?,
        };
        Ok((verdict, serde_json::to_vec(&response.into_review())?))
    }

    fn inject(
        &self,
        request: AdmissionRequest<DynamicObject>,
        response: AdmissionResponse,
    ) -> Result<(Verdict, AdmissionResponse), BadReview> {
        if (request.kind.group.as_str(), request.kind.kind.as_str()) != ("", "Pod") {
            return Err(other_kind(Webhook::Inject, &request));
        }
        if request.operation != Operation::Create {
            return Ok((Verdict::Allowed, response));
        }
        let pod = request.object.ok_or(BadReview::NoObject)?.try_parse::<Pod>();
        let pod = match pod {
            Ok(pod) => pod,
            Err(error) => {
                return Ok((
                    Verdict::Refused,
                    response.deny(format!("the pod cannot be read: {error}")),
                ));
            }
        };
        let namespace = request.namespace.unwrap_or_default();
        Ok(match inject(&pod, &namespace, &self.settings, &self.trusted) {
            Ok(None) => (Verdict::Allowed, response),
            Ok(Some(patch)) => (Verdict::Patched, response.with_patch(patch)?),
            Err(refusal) => (Verdict::Refused, response.deny(refusal)),
        })
    }

    fn validate(
        &self,
        request: &AdmissionRequest<DynamicObject>,
        response: AdmissionResponse,
    ) -> Result<(Verdict, AdmissionResponse), BadReview> {
        if request.kind.group != GROUP {
            return Err(other_kind(Webhook::Validate, request));
        }
        if !writes_a_spec(request) {
            return Ok((Verdict::Allowed, response));
        }
        let spec = &request.object.as_ref().ok_or(BadReview::NoObject)?.data["spec"];
        let namespace = request.namespace.as_deref().unwrap_or_default();
        let faults = match request.kind.kind.as_str() {
            "ModelDeployment" => judged(spec, validate::deployment),
            "RoutingPolicy" => judged(spec, |spec| validate::policy(spec, namespace, &self.root_namespace)),
            "VirtualKey" => judged(spec, validate::key),
            _ => return Err(other_kind(Webhook::Validate, request)),
        };
        Ok(match faults.as_slice() {
            [] => (Verdict::Allowed, response),
            faults => (Verdict::Refused, response.deny(sentences(faults))),
        })
    }
}

/// Who takes a finalizer or a label off an object, or deletes it, is not to be told what has always been wrong with it.
fn writes_a_spec(request: &AdmissionRequest<DynamicObject>) -> bool {
    let spec = |object: &Option<DynamicObject>| object.as_ref().map(|object| object.data["spec"].clone());
    match request.operation {
        Operation::Create => true,
        Operation::Update => spec(&request.object) != spec(&request.old_object),
        Operation::Delete | Operation::Connect => false,
    }
}

/// A spec that the schema takes and we cannot read was written for another version of the operator.
fn judged<S: DeserializeOwned>(spec: &Value, judge: impl FnOnce(&S) -> Vec<Fault>) -> Vec<Fault> {
    match S::deserialize(spec) {
        Ok(spec) => judge(&spec),
        Err(error) => vec![Fault {
            path: "spec".to_owned(),
            sentence: error.to_string(),
        }],
    }
}

fn sentences(faults: &[Fault]) -> String {
    let sentence = |fault: &Fault| format!("{}: {}", fault.path, fault.sentence);
    faults.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

fn other_kind(webhook: Webhook, request: &AdmissionRequest<DynamicObject>) -> BadReview {
    BadReview::OtherKind {
        path: webhook.path(),
        kind: request.kind.kind.clone(),
        group: request.kind.group.clone(),
    }
}

#[cfg(test)]
mod tests;
