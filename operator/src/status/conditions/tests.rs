use super::*;
use crate::compile::{Lost, Reason};
use crate::world::ObjectName;

fn at(second: i64) -> Time {
    Time(jiff::Timestamp::from_second(second).unwrap())
}

fn in_force() -> Verdict {
    Verdict {
        generation: 3,
        in_force: Some(3),
        ..Verdict::default()
    }
}

fn sidecars(desired: i32, programmed: i32, refused: i32) -> Sidecars {
    Sidecars {
        desired,
        programmed,
        refused,
        unserved: 0,
    }
}

fn refusals(count: i32) -> Vec<Refusal> {
    let one = |number| Refusal {
        pod: format!("shop/web-{number}"),
        message: "it requires budgets, which this sidecar lacks".to_owned(),
    };
    (0..count).map(one).collect()
}

/// `type=status reason: message` of each condition.
fn said(subject: Subject, verdict: &Verdict, sidecars: Sidecars) -> Vec<String> {
    let refusals = refusals(sidecars.refused);
    let observed = Observed {
        subject,
        verdict,
        sidecars,
        refusals: &refusals,
        unserved: None,
        deleting: None,
        expired: None,
    };
    let conditions = conditions(&observed, &[], &at(1));
    assert!(
        conditions
            .iter()
            .all(|condition| condition.observed_generation == verdict.generation)
    );
    let spelled = |condition: Condition| {
        let Condition {
            type_,
            status,
            reason,
            message,
            ..
        } = condition;
        format!("{type_}={status:?} {reason}: {message}")
    };
    conditions.into_iter().map(spelled).collect()
}

fn policy(verdict: &Verdict, sidecars: Sidecars) -> Vec<String> {
    said(Subject::RoutingPolicy, verdict, sidecars)
}

#[test]
fn pods_that_are_served_nothing_are_told_of_and_hold_nobody_up() {
    let verdict = Verdict {
        in_force: Some(1),
        ..Verdict::default()
    };
    let said = |counted: Sidecars| {
        let observed = Observed {
            subject: Subject::RoutingPolicy,
            verdict: &verdict,
            sidecars: Sidecars { unserved: 3, ..counted },
            refusals: &[],
            unserved: Some("pod shop/a is none"),
            deleting: None,
            expired: None,
        };
        let Condition {
            status,
            reason,
            message,
            ..
        } = conditions(&observed, &[], &at(1)).remove(2);
        format!("{status:?} {reason}: {message}")
    };
    for (counted, expected) in [
        (
            sidecars(0, 0, 0),
            "False Unserved: no sidecar that it concerns is served anything, and sidecars.unserved counts them: pod shop/a \
             is none",
        ),
        (
            sidecars(2, 2, 0),
            "True Programmed: sidecars that are served nothing are not among those desired, and sidecars.unserved counts \
             them: pod shop/a is none",
        ),
        (
            sidecars(2, 1, 0),
            "False Pending: not every sidecar that it concerns has acknowledged it yet",
        ),
    ] {
        assert_eq!(said(counted), expected);
    }
}

#[test]
fn programmed_says_what_the_sidecars_made_of_it() {
    let cases = [
        (
            sidecars(0, 0, 0),
            "Programmed=True NoSidecars: no pod with a sidecar is concerned",
        ),
        (
            sidecars(5, 4, 0),
            "Programmed=False Pending: not every sidecar that it concerns has acknowledged it yet",
        ),
        (
            sidecars(5, 3, 2),
            "Programmed=False Refused: shop/web-0: it requires budgets, which this sidecar lacks",
        ),
        (sidecars(5, 5, 0), "Programmed=True Programmed: "),
    ];
    for (sidecars, programmed) in cases {
        let expected = [
            "Accepted=True Accepted: ",
            "ResolvedRefs=True ResolvedRefs: ",
            programmed,
        ];
        assert_eq!(policy(&in_force(), sidecars), expected);
    }
}

#[test]
fn an_edit_that_does_not_resolve_is_held() {
    let missing = Finding::new(Reason::DeploymentNotFound, "deployment shop/gone does not exist");
    let held = Verdict {
        generation: 4,
        unresolved: vec![missing],
        in_force: Some(3),
        held: true,
        ..Verdict::default()
    };
    let expected = [
        "Accepted=True Accepted: ",
        "ResolvedRefs=False DeploymentNotFound: deployment shop/gone does not exist",
        "Programmed=False Held: generation 3 stays in force: deployment shop/gone does not exist",
    ];
    assert_eq!(policy(&held, sidecars(5, 0, 0)), expected);
}

#[test]
fn what_a_held_generation_lacks_is_said_beside_what_the_edit_lacks() {
    let finding = |reason, sentence| vec![Finding::new(reason, sentence)];
    let held = |unresolved, missing| Verdict {
        generation: 4,
        unresolved,
        in_force: Some(3),
        held: true,
        missing,
        ..Verdict::default()
    };
    let policy_held = held(
        finding(Reason::DeploymentNotFound, "deployment shop/typo does not exist"),
        finding(Reason::DeploymentNotFound, "deployment shop/gone does not exist"),
    );
    assert_eq!(
        policy(&policy_held, sidecars(1, 1, 0))[2],
        "Programmed=False Held: generation 3 stays in force: deployment shop/typo does not exist; and of what it needs: \
         deployment shop/gone does not exist"
    );
    let edit = finding(Reason::InvalidSecret, "Secret shop/b does not exist");
    let deployment = |missing| {
        said(
            Subject::ModelDeployment,
            &held(edit.clone(), missing),
            sidecars(0, 0, 0),
        )
    };
    assert_eq!(
        deployment(finding(Reason::InvalidSecret, "Secret shop/a does not exist"))[2],
        "Programmed=False NotInForce: generation 3 served before and cannot any more: Secret shop/a does not exist; and \
         this one: Secret shop/b does not exist"
    );
    assert_eq!(
        deployment(vec![])[2],
        "Programmed=False Held: generation 3 stays in force: Secret shop/b does not exist"
    );
}

#[test]
fn what_was_never_in_force_says_why() {
    let fault = Finding::new(
        Reason::Undecodable,
        "spec.later is not known to this version of the operator",
    );
    let never = Verdict {
        generation: 1,
        faults: vec![fault],
        ..Verdict::default()
    };
    let expected = [
        "Accepted=False Undecodable: spec.later is not known to this version of the operator",
        "ResolvedRefs=Unknown NotAccepted: what it names is looked at once it is accepted",
        "Programmed=False NotInForce: spec.later is not known to this version of the operator",
    ];
    assert_eq!(policy(&never, sidecars(0, 0, 0)), expected);
}

#[test]
fn what_was_in_force_and_lost_what_it_names_is_told_apart_by_whether_anything_is_left() {
    let gone = Verdict {
        unresolved: vec![Finding::new(
            Reason::InvalidSecret,
            "Secret shop/openai has no key api-key",
        )],
        ..in_force()
    };
    let deployment = said(Subject::ModelDeployment, &gone, sidecars(0, 0, 0));
    assert_eq!(
        deployment[2],
        "Programmed=False NotInForce: Secret shop/openai has no key api-key"
    );
    // A policy serves with the targets that are left.
    assert_eq!(policy(&gone, sidecars(1, 1, 0))[2], "Programmed=True Programmed: ");
}

#[test]
fn a_policy_that_lost_names_says_which_and_to_whom() {
    let lost = ["chat", "gpt-*"].map(|model| Lost {
        model: model.to_owned(),
        winner: ObjectName::new("shop", "older"),
    });
    let conflicted = Verdict {
        lost: lost.to_vec(),
        ..in_force()
    };
    let expected = "PartiallyInvalid=True Conflicted: chat is answered by shop/older; gpt-* is answered by shop/older";
    assert_eq!(policy(&conflicted, sidecars(1, 1, 0))[2], expected);
}

#[test]
fn a_key_that_is_over_is_not_programmed_whatever_sidecars_say() {
    let (verdict, nothing) = (in_force(), Verdict::default());
    let since = Time("2026-11-21T12:00:00Z".parse().unwrap());
    let programmed = |verdict, expired| {
        let observed = Observed {
            subject: Subject::VirtualKey,
            verdict,
            sidecars: sidecars(2, 2, 0),
            refusals: &[],
            unserved: None,
            deleting: None,
            expired,
        };
        let Condition { reason, message, .. } = conditions(&observed, &[], &at(1)).remove(2);
        format!("{reason}: {message}")
    };
    assert_eq!(programmed(&verdict, None), "Programmed: ");
    let expected = "Expired: expired since 2026-11-21T12:00:00Z; opens nothing";
    assert_eq!(programmed(&verdict, Some(&since)), expected);
    assert_eq!(programmed(&nothing, Some(&since)), "NotInForce: ");
}

#[test]
fn a_condition_keeps_its_time_until_its_status_changes() {
    let observed = |verdict, sidecars, refusals| Observed {
        subject: Subject::RoutingPolicy,
        verdict,
        sidecars,
        refusals,
        unserved: None,
        deleting: None,
        expired: None,
    };
    let times = |conditions: &[Condition]| -> Vec<i64> {
        let seconds = conditions
            .iter()
            .map(|condition| condition.last_transition_time.0.as_second());
        seconds.collect()
    };
    let verdict = in_force();
    let first = conditions(&observed(&verdict, sidecars(2, 1, 0), &[]), &[], &at(10));
    // Another reason and another generation are no transition.
    let newer = Verdict {
        generation: 4,
        in_force: Some(4),
        ..Verdict::default()
    };
    let refused = refusals(1);
    let second = conditions(&observed(&newer, sidecars(2, 0, 1), &refused), &first, &at(20));
    assert_eq!(times(&second), [10, 10, 10]);
    let third = conditions(&observed(&newer, sidecars(2, 2, 0), &[]), &second, &at(30));
    assert_eq!(times(&third), [10, 10, 30]);
}

#[test]
fn conditions_of_others_stay_and_ours_that_no_longer_hold_go() {
    let other = |type_: &str| Condition {
        type_: type_.to_owned(),
        status: ConditionStatus::False,
        observed_generation: 1,
        last_transition_time: at(1),
        reason: "Whatever".to_owned(),
        message: String::new(),
    };
    let previous = [other("example.com/Audited"), other("PartiallyInvalid")];
    let verdict = in_force();
    let observed = Observed {
        subject: Subject::RoutingPolicy,
        verdict: &verdict,
        sidecars: sidecars(0, 0, 0),
        refusals: &[],
        unserved: None,
        deleting: None,
        expired: None,
    };
    let conditions = conditions(&observed, &previous, &at(2));
    let types: Vec<_> = conditions.iter().map(|condition| condition.type_.as_str()).collect();
    assert_eq!(types, ["Accepted", "ResolvedRefs", "Programmed", "example.com/Audited"]);
    assert_eq!(conditions[3], previous[0]);
}

#[test]
fn a_message_is_never_longer_than_the_schema_takes() {
    assert_eq!(clipped("äöü".to_owned(), 3), "äöü");
    assert_eq!(clipped("äöü!".to_owned(), 3), "äö…");
}
