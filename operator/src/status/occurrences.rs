//! What of a change of conditions is worth an Event.

use super::conditions::reason;
use crate::events::Occurrence;
use crate::metrics::Occasion;
use pilotfish_crds::status::{Condition, condition};

/// What begins with `next` and was not so in `previous`.
pub(super) fn occurrences(previous: &[Condition], next: &[Condition]) -> Vec<Occurrence> {
    let programmed =
        |wanted| move |condition: &Condition| condition.type_ == condition::PROGRAMMED && condition.reason == wanted;
    let held = begins(previous, next, programmed(reason::HELD));
    let refused = begins(previous, next, programmed(reason::REFUSED));
    let expired = begins(previous, next, programmed(reason::EXPIRED));
    let conflicted = begins(previous, next, |condition: &Condition| {
        condition.type_ == condition::PARTIALLY_INVALID
    });
    let all = [
        (Occasion::Held, held),
        (Occasion::Conflicted, conflicted),
        (Occasion::Refused, refused),
        (Occasion::Expired, expired),
    ];
    let told = all
        .into_iter()
        .filter_map(|(occasion, note)| Some(Occurrence { occasion, note: note? }));
    told.collect()
}

/// The message of the condition that is meant, where it was not there or is about another generation now.
fn begins(previous: &[Condition], next: &[Condition], is_meant: impl Fn(&Condition) -> bool) -> Option<String> {
    let condition = next.iter().find(|condition| is_meant(condition))?;
    let before = previous.iter().find(|condition| is_meant(condition));
    let stands = before.is_some_and(|before| before.observed_generation == condition.observed_generation);
    (!stands).then(|| condition.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use pilotfish_crds::status::ConditionStatus;

    fn one(type_: &str, reason: &str, generation: i64) -> Vec<Condition> {
        vec![Condition {
            type_: type_.to_owned(),
            status: ConditionStatus::False,
            observed_generation: generation,
            last_transition_time: Time("2026-11-21T12:00:00Z".parse().unwrap()),
            reason: reason.to_owned(),
            message: format!("{reason} {generation}"),
        }]
    }

    #[test]
    fn an_event_is_told_when_something_begins_and_not_while_it_lasts() {
        let programmed = |reason, generation| one("Programmed", reason, generation);
        let conflicted = |generation| one("PartiallyInvalid", "Conflicted", generation);
        let cases = [
            (vec![], programmed("Held", 2), vec![Occasion::Held]),
            (programmed("Programmed", 1), programmed("Held", 2), vec![Occasion::Held]),
            (programmed("Held", 2), programmed("Held", 2), vec![]),
            (programmed("Held", 2), programmed("Held", 3), vec![Occasion::Held]),
            (programmed("Held", 2), programmed("Programmed", 3), vec![]),
            (
                programmed("Pending", 2),
                programmed("Refused", 2),
                vec![Occasion::Refused],
            ),
            (programmed("Refused", 2), programmed("Refused", 2), vec![]),
            (
                programmed("Programmed", 1),
                programmed("Expired", 1),
                vec![Occasion::Expired],
            ),
            (vec![], conflicted(1), vec![Occasion::Conflicted]),
            (conflicted(1), conflicted(1), vec![]),
            (conflicted(1), vec![], vec![]),
        ];
        for (previous, next, expected) in cases {
            let told: Vec<_> = occurrences(&previous, &next)
                .into_iter()
                .map(|occurrence| occurrence.occasion)
                .collect();
            assert_eq!(told, expected, "{previous:?} {next:?}");
        }
    }
}
