//! A status as it is compared and written, whatever the kind.

use super::conditions::reason;
use crate::metrics::Subject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pilotfish_crds::deployment::ModelDeploymentStatus;
use pilotfish_crds::key::VirtualKeyStatus;
use pilotfish_crds::policy::RoutingPolicyStatus;
use pilotfish_crds::status::{Condition, Refusal, Sidecars, condition};
use serde_json::{Map, Value, json};

/// All that the operator writes into a status. What others write there, it leaves alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Status {
    pub(super) observed_generation: Option<i64>,
    pub(super) conditions: Vec<Condition>,
    pub(super) sidecars: Option<Sidecars>,
    pub(super) refusals: Vec<Refusal>,
    /// Of VirtualKeys only.
    pub(super) key: KeyStatus,
}

/// What only VirtualKeys have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeyStatus {
    pub(super) prefix: Option<String>,
    pub(super) expires_at: Option<Time>,
    pub(super) rotates_at: Option<Time>,
}

/// How two statuses differ, by how long that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// In what people and programs wait for: a condition, or the generation it speaks of.
    Condition,
    /// In figures alone.
    Figures,
}

impl Status {
    /// How `self` differs from what is written.
    pub(super) fn difference(&self, written: &Self) -> Option<Difference> {
        let Self {
            observed_generation,
            conditions,
            key,
            sidecars: _,
            refusals: _,
        } = self;
        let before = (&written.observed_generation, &written.key);
        let stands = conditions.len() == written.conditions.len()
            && conditions
                .iter()
                .zip(&written.conditions)
                .all(|(one, before)| says_the_same(one, before));
        if !stands || (observed_generation, key) != before {
            return Some(Difference::Condition);
        }
        (self != written).then_some(Difference::Figures)
    }

    /// The merge patch that makes it the status of an object of the kind, if that still has `resource_version`.
    pub(super) fn patch(&self, subject: Subject, resource_version: &str) -> Value {
        // A list is replaced as a whole, and null takes a field away: absent would leave what was there.
        let mut status = Map::from_iter([
            ("observedGeneration".to_owned(), json!(self.observed_generation)),
            ("conditions".to_owned(), json!(self.conditions)),
            ("sidecars".to_owned(), json!(self.sidecars)),
            (
                "refusals".to_owned(),
                json!(Some(&self.refusals).filter(|refusals| !refusals.is_empty())),
            ),
        ]);
        if subject == Subject::VirtualKey {
            status.insert("prefix".to_owned(), json!(self.key.prefix));
            status.insert("expiresAt".to_owned(), json!(self.key.expires_at));
            status.insert("rotatesAt".to_owned(), json!(self.key.rotates_at));
        }
        json!({"metadata": {"resourceVersion": resource_version}, "status": status})
    }
}

/// Whether nothing changed but which of the pods that are served nothing is named: those come and go as their makers like.
fn says_the_same(one: &Condition, before: &Condition) -> bool {
    let names_a_pod =
        one.type_ == condition::PROGRAMMED && [reason::PROGRAMMED, reason::UNSERVED].contains(&&*one.reason);
    if !names_a_pod {
        return one == before;
    }
    let message = before.message.clone();
    Condition { message, ..one.clone() } == *before
}

impl From<ModelDeploymentStatus> for Status {
    fn from(status: ModelDeploymentStatus) -> Self {
        let ModelDeploymentStatus {
            observed_generation,
            conditions,
            sidecars,
            refusals,
        } = status;
        Self {
            observed_generation,
            conditions,
            sidecars,
            refusals,
            key: KeyStatus::default(),
        }
    }
}

impl From<RoutingPolicyStatus> for Status {
    fn from(status: RoutingPolicyStatus) -> Self {
        let RoutingPolicyStatus {
            observed_generation,
            conditions,
            sidecars,
            refusals,
        } = status;
        Self {
            observed_generation,
            conditions,
            sidecars,
            refusals,
            key: KeyStatus::default(),
        }
    }
}

impl From<VirtualKeyStatus> for Status {
    fn from(status: VirtualKeyStatus) -> Self {
        let VirtualKeyStatus {
            observed_generation,
            conditions,
            prefix,
            expires_at,
            rotates_at,
            sidecars,
            refusals,
        } = status;
        Self {
            observed_generation,
            conditions,
            sidecars,
            refusals,
            key: KeyStatus {
                prefix,
                expires_at,
                rotates_at,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilotfish_crds::status::ConditionStatus;

    #[test]
    fn what_is_no_more_is_taken_away_and_what_others_wrote_is_left() {
        let patch = Status::default().patch(Subject::VirtualKey, "7");
        let status = json!({
            "observedGeneration": null, "conditions": [], "sidecars": null, "refusals": null, "prefix": null,
            "expiresAt": null, "rotatesAt": null,
        });
        assert_eq!(patch, json!({"metadata": {"resourceVersion": "7"}, "status": status}));
        assert!(
            Status::default().patch(Subject::RoutingPolicy, "7")["status"]
                .get("prefix")
                .is_none()
        );
    }

    #[test]
    fn a_patch_can_be_read_back_as_it_was_meant() {
        let condition = Condition {
            type_: "Accepted".to_owned(),
            status: ConditionStatus::True,
            observed_generation: 3,
            last_transition_time: Time("2026-11-21T12:00:00Z".parse().unwrap()),
            reason: "Accepted".to_owned(),
            message: String::new(),
        };
        let status = Status {
            observed_generation: Some(3),
            conditions: vec![condition],
            sidecars: Some(Sidecars {
                desired: 2,
                programmed: 1,
                refused: 1,
                unserved: 1,
            }),
            refusals: vec![Refusal {
                pod: "shop/a".to_owned(),
                message: "no".to_owned(),
            }],
            key: KeyStatus {
                prefix: Some("sk-pf-abc".to_owned()),
                expires_at: Some(Time("2027-11-21T12:00:00Z".parse().unwrap())),
                rotates_at: Some(Time("2026-12-21T12:00:00Z".parse().unwrap())),
            },
        };
        let patch = status.patch(Subject::VirtualKey, "7");
        let read: VirtualKeyStatus = serde_json::from_value(patch["status"].clone()).unwrap();
        assert_eq!(Status::from(read), status);
    }

    #[test]
    fn figures_may_wait_and_conditions_may_not() {
        let written = Status {
            observed_generation: Some(1),
            ..Status::default()
        };
        let counted = Status {
            sidecars: Some(Sidecars::default()),
            ..written.clone()
        };
        let newer = Status {
            observed_generation: Some(2),
            ..counted.clone()
        };
        assert_eq!(written.difference(&written), None);
        assert_eq!(counted.difference(&written), Some(Difference::Figures));
        assert_eq!(newer.difference(&written), Some(Difference::Condition));
    }

    #[test]
    fn which_pod_of_those_that_are_served_nothing_is_named_may_wait() {
        let status = |reason: &str, message: &str| Status {
            conditions: vec![Condition {
                type_: "Programmed".to_owned(),
                status: ConditionStatus::False,
                observed_generation: 3,
                last_transition_time: Time("2026-11-21T12:00:00Z".parse().unwrap()),
                reason: reason.to_owned(),
                message: message.to_owned(),
            }],
            ..Status::default()
        };
        for (reason, message, expected) in [
            ("Unserved", "pod a", None),
            ("Unserved", "pod b", Some(Difference::Figures)),
            ("Pending", "pod a", Some(Difference::Condition)),
        ] {
            let difference = status(reason, message).difference(&status("Unserved", "pod a"));
            assert_eq!(difference, expected, "{reason} {message}");
        }
        let difference = status("Held", "one").difference(&status("Held", "other"));
        assert_eq!(difference, Some(Difference::Condition));
    }
}
