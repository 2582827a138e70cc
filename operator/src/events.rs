//! Kubernetes Events: what a person should see beside the object that it is about.
//!
//! An Event is told once, when something begins, by the replica that wrote it into the object's status. It is a word
//! for people and programs that look; nothing depends on it, so one that cannot be written is only counted.

mod spate;

use crate::metrics::{Metrics, Occasion, Told};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};
use spate::Spate;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1024;
/// How much of an object's name is in that of its Event, which has a suffix of 17.
const LONGEST_NAME: usize = 230;
/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who reports.
const CONTROLLER: &str = "pilotfish.dev/operator";

/// Writes Events.
#[derive(Clone)]
pub struct Recorder {
    client: Client,
    instance: String,
    metrics: Arc<Metrics>,
    spate: Arc<Mutex<Spate>>,
}

/// Something to tell about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What it is about.
    pub occasion: Occasion,
    /// For a person.
    pub note: String,
}

impl Recorder {
    /// For the replica `instance`.
    pub fn new(client: Client, instance: impl Into<String>, metrics: Arc<Metrics>) -> Self {
        Self {
            client,
            instance: instance.into(),
            metrics,
            spate: Arc::default(),
        }
    }

    /// Writes an Event of what happened to the object `regarding`, unless it has had too many lately.
    pub async fn record(&self, regarding: &ObjectReference, occurrence: &Occurrence) {
        let told = match self.admits(occurrence.occasion, regarding) {
            true => self.written(regarding, occurrence).await,
            false => Told::LeftOut,
        };
        self.metrics.event(occurrence.occasion, told);
    }

    fn admits(&self, occasion: Occasion, regarding: &ObjectReference) -> bool {
        let mut spate = self.spate.lock().unwrap_or_else(PoisonError::into_inner);
        spate.admits(occasion, regarding, Instant::now())
    }

    async fn written(&self, regarding: &ObjectReference, occurrence: &Occurrence) -> Told {
        let namespace = regarding.namespace.as_deref().unwrap_or("default");
        let api = Api::<Event>::namespaced(self.client.clone(), namespace);
        let event = self.event(regarding, occurrence);
        let params = PostParams::default();
        match tokio::time::timeout(PATIENCE, api.create(&params, &event)).await {
            Ok(Ok(_)) => Told::Ok,
            Ok(Err(error)) => {
                tracing::warn!(%error, occasion = occurrence.occasion.as_str(), "an event could not be written");
                Told::Failed
            }
            Err(_) => Told::Failed,
        }
    }

    fn event(&self, regarding: &ObjectReference, occurrence: &Occurrence) -> Event {
        let name = regarding.name.as_deref().unwrap_or_default();
        // A name that is cut behind one of these would be no name: each of its parts ends in a letter or a digit.
        let name = start(name, LONGEST_NAME).trim_end_matches(['.', '-']);
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{name}.{:016x}", fastrand::u64(..))),
                namespace: regarding.namespace.clone(),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(jiff::Timestamp::now())),
            action: Some(action(occurrence.occasion).to_owned()),
            reason: Some(occurrence.occasion.as_str().to_owned()),
            note: Some(start(&occurrence.note, LONGEST_NOTE).to_owned()),
            type_: Some(kind(occurrence.occasion).to_owned()),
            regarding: Some(regarding.clone()),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(start(&self.instance, 128).to_owned()),
            ..Event::default()
        }
    }
}

/// What the operator was doing.
fn action(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Held | Occasion::Conflicted => "Compile",
        Occasion::Refused => "Push",
        Occasion::Expired => "Expire",
        Occasion::KeyCreated | Occasion::KeyRotated => "WriteKey",
        Occasion::Untold => "WriteTrust",
        Occasion::Unremembered => "WriteRevision",
        Occasion::Foreign => "ReadRevisions",
        Occasion::Unserved => "Identify",
    }
}

fn kind(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Held
        | Occasion::Conflicted
        | Occasion::Refused
        | Occasion::Untold
        | Occasion::Unremembered
        | Occasion::Foreign
        | Occasion::Unserved => "Warning",
        Occasion::Expired | Occasion::KeyCreated | Occasion::KeyRotated => "Normal",
    }
}

/// At most `longest` bytes of `text`, in whole characters.
fn start(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_ends_at_a_whole_character() {
        assert_eq!(start("abc", 5), "abc");
        assert_eq!(start("abc", 2), "ab");
        assert_eq!(start("aé", 2), "a");
    }
}
