//! How many Events one object may have.
//!
//! What begins and ends again without end, such as a sidecar that refuses what it accepts the next time, must not fill an
//! API server. So an object has some Events of a kind at once, and after that one at a time, as Kubernetes' own
//! components do it.

use crate::metrics::Occasion;
use k8s_openapi::api::core::v1::ObjectReference;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// So many at once.
const AT_ONCE: u32 = 10;
/// After them, one in this time.
const APART: Duration = Duration::from_secs(60);
/// So many objects are remembered before those that may have all again are forgotten.
const REMEMBERED: usize = 1024;

/// When each object will have had none for long enough, by what is told of it.
#[derive(Debug, Default)]
pub(super) struct Spate(HashMap<About, Instant>);

/// Occasion, kind, namespace and name.
type About = (Occasion, Option<String>, Option<String>, Option<String>);

impl Spate {
    /// Whether one more may be told of it now, and takes it.
    pub(super) fn admits(&mut self, occasion: Occasion, regarding: &ObjectReference, now: Instant) -> bool {
        let ObjectReference {
            kind, namespace, name, ..
        } = regarding.clone();
        let about = (occasion, kind, namespace, name);
        let rested = self.0.get(&about).copied().unwrap_or(now).max(now);
        if rested > now + APART * (AT_ONCE - 1) {
            return false;
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, rested| *rested > now);
        }
        self.0.insert(about, rested + APART);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_some_events_at_once_and_then_one_at_a_time() {
        let mut spate = Spate::default();
        let start = Instant::now();
        let about = |name: &str, version: u32| ObjectReference {
            name: Some(name.to_owned()),
            resource_version: Some(version.to_string()),
            ..ObjectReference::default()
        };
        let admitted = |spate: &mut Spate, after: Duration, name: &str, occasion| {
            let now = start + after;
            (0..20)
                .filter(|version| spate.admits(occasion, &about(name, *version), now))
                .count()
        };
        assert_eq!(admitted(&mut spate, Duration::ZERO, "chat", Occasion::Refused), 10);
        assert_eq!(
            admitted(&mut spate, Duration::ZERO, "chat", Occasion::Held),
            10,
            "another occasion"
        );
        assert_eq!(
            admitted(&mut spate, Duration::ZERO, "other", Occasion::Refused),
            10,
            "another object"
        );
        assert_eq!(
            admitted(&mut spate, APART - Duration::from_secs(1), "chat", Occasion::Refused),
            0
        );
        assert_eq!(admitted(&mut spate, APART, "chat", Occasion::Refused), 1);
        assert_eq!(admitted(&mut spate, APART * 60, "chat", Occasion::Refused), 10);
    }

    #[test]
    fn objects_that_have_rested_are_forgotten() {
        let mut spate = Spate::default();
        let start = Instant::now();
        for number in 0..=REMEMBERED {
            let about = ObjectReference {
                name: Some(number.to_string()),
                ..ObjectReference::default()
            };
            let now = if number == REMEMBERED { start + APART } else { start };
            assert!(spate.admits(Occasion::Held, &about, now));
        }
        assert_eq!(spate.0.len(), 1);
    }
}
