//! Verdict and counts → conditions. Pure: the time is an argument.

use crate::compile::{Finding, Verdict, sentence};
use crate::metrics::Subject;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pilotfish_crds::status::{Condition, ConditionStatus, Refusal, Sidecars, condition};

/// The longest message that the schema takes, in characters.
const LONGEST: usize = 4096;
/// How many conditions the schema takes. Ours come first: nobody else's may keep them from being written.
const MOST: usize = 8;
/// The types that are ours to write, and to take away.
const OURS: [&str; 4] = [
    condition::ACCEPTED,
    condition::RESOLVED_REFS,
    condition::PARTIALLY_INVALID,
    condition::PROGRAMMED,
];

/// The reasons of `Programmed`.
pub(super) mod reason {
    /// The generation that was applied is not in force, an older one is.
    pub(in super::super) const HELD: &str = "Held";
    /// No generation is in force.
    pub(super) const NOT_IN_FORCE: &str = "NotInForce";
    /// There is no sidecar that it concerns.
    pub(super) const NO_SIDECARS: &str = "NoSidecars";
    /// It is being deleted, and no sidecar has it any more.
    pub(super) const DELETING: &str = "Deleting";
    /// Its time is over, and no sidecar takes it any more.
    pub(in super::super) const EXPIRED: &str = "Expired";
    /// A sidecar would not use it.
    pub(in super::super) const REFUSED: &str = "Refused";
    /// All pods with a sidecar that it concerns are served nothing.
    pub(in super::super) const UNSERVED: &str = "Unserved";
    /// Not every sidecar has acknowledged it.
    pub(super) const PENDING: &str = "Pending";
    /// Every sidecar has.
    pub(in super::super) const PROGRAMMED: &str = "Programmed";
}

/// All that conditions follow from.
#[derive(Clone, Copy)]
pub(super) struct Observed<'a> {
    pub(super) subject: Subject,
    pub(super) verdict: &'a Verdict,
    pub(super) sidecars: Sidecars,
    /// The first refusals.
    pub(super) refusals: &'a [Refusal],
    /// Why the first pod is served nothing of those that are not counted, if there are any.
    pub(super) unserved: Option<&'a str>,
    /// The finalizers that it waits for, if it is being deleted.
    pub(super) deleting: Option<&'a [String]>,
    /// Since when a key has been over, if it is.
    pub(super) expired: Option<&'a Time>,
}

/// What a condition says, apart from when it began to.
struct Claim {
    type_: &'static str,
    status: ConditionStatus,
    reason: &'static str,
    message: String,
}

/// The conditions of an object whose status had those of `previous`. A condition whose status is as it was keeps its
/// time, and conditions of other authors stay. So do those of what is being deleted but one: nobody looks at it any more.
pub(super) fn conditions(observed: &Observed<'_>, previous: &[Condition], now: &Time) -> Vec<Condition> {
    let (claims, types) = match observed.deleting {
        Some(_) => (vec![programmed(observed)], &[condition::PROGRAMMED][..]),
        None => (claims(observed), &OURS[..]),
    };
    let ours = claims.into_iter().map(|claim| {
        let before = previous.iter().find(|before| before.type_ == claim.type_);
        let since = before.filter(|before| before.status == claim.status);
        Condition {
            type_: claim.type_.to_owned(),
            status: claim.status,
            observed_generation: observed.verdict.generation,
            last_transition_time: since.map_or(now, |before| &before.last_transition_time).clone(),
            reason: claim.reason.to_owned(),
            message: clipped(claim.message, LONGEST),
        }
    });
    let others = previous.iter().filter(|before| !types.contains(&before.type_.as_str()));
    ours.chain(others.cloned()).take(MOST).collect()
}

fn claims(observed: &Observed<'_>) -> Vec<Claim> {
    let claims = [
        Some(accepted(observed.verdict)),
        Some(resolved_refs(observed.verdict)),
        partially_invalid(observed.verdict),
        Some(programmed(observed)),
    ];
    claims.into_iter().flatten().collect()
}

fn accepted(verdict: &Verdict) -> Claim {
    judged(condition::ACCEPTED, &verdict.faults)
}

fn resolved_refs(verdict: &Verdict) -> Claim {
    if verdict.unresolved.is_empty() && !verdict.faults.is_empty() {
        return Claim {
            type_: condition::RESOLVED_REFS,
            status: ConditionStatus::Unknown,
            reason: "NotAccepted",
            message: "what it names is looked at once it is accepted".to_owned(),
        };
    }
    judged(condition::RESOLVED_REFS, &verdict.unresolved)
}

/// True, with its own type as the reason, where nothing was found.
fn judged(type_: &'static str, findings: &[Finding]) -> Claim {
    let Some(first) = findings.first() else {
        return holds(type_, type_);
    };
    Claim {
        type_,
        status: ConditionStatus::False,
        reason: first.reason.as_str(),
        message: sentence(findings.iter()),
    }
}

fn partially_invalid(verdict: &Verdict) -> Option<Claim> {
    let lost = !verdict.lost.is_empty();
    lost.then(|| Claim {
        type_: condition::PARTIALLY_INVALID,
        status: ConditionStatus::True,
        reason: "Conflicted",
        message: verdict.lost_sentence(),
    })
}

/// Said of pods whose sidecars nobody waits for: whoever may create a pod could keep every policy of it pending.
const UNCOUNTED: &str =
    "sidecars that are served nothing are not among those desired, and sidecars.unserved counts them";

/// Counts are figures beside it and not in its words, or every pod that comes and goes would change the condition.
fn programmed(observed: &Observed<'_>) -> Claim {
    let Observed {
        subject,
        verdict,
        sidecars,
        refusals,
        unserved,
        deleting,
        expired,
    } = observed;
    if let Some(finalizers) = deleting {
        return self::deleting(finalizers);
    }
    // A deployment whose Secret is gone has dropped out, whatever is in force of it.
    let needed = if verdict.held {
        &verdict.missing
    } else {
        &verdict.unresolved
    };
    let dropped = *subject == Subject::ModelDeployment && !needed.is_empty();
    if let (Some(_), Some(Time(since))) = (verdict.in_force, expired) {
        return fails(reason::EXPIRED, format!("expired since {since}; opens nothing"));
    }
    match (verdict.in_force, refusals.first()) {
        (Some(serving), _) if verdict.held => {
            let reason = if dropped { reason::NOT_IN_FORCE } else { reason::HELD };
            fails(reason, held(verdict, serving, dropped))
        }
        (None, _) => fails(reason::NOT_IN_FORCE, verdict.sentence()),
        _ if dropped => fails(reason::NOT_IN_FORCE, verdict.sentence()),
        (_, Some(refusal)) => fails(reason::REFUSED, format!("{}: {}", refusal.pod, refusal.message)),
        _ if sidecars.desired == 0
            && let Some(why) = unserved =>
        {
            let message =
                format!("no sidecar that it concerns is served anything, and sidecars.unserved counts them: {why}");
            fails(reason::UNSERVED, message)
        }
        _ if sidecars.desired == 0 => Claim {
            message: "no pod with a sidecar is concerned".to_owned(),
            ..holds(condition::PROGRAMMED, reason::NO_SIDECARS)
        },
        _ if sidecars.programmed < sidecars.desired => {
            let sentence = "not every sidecar that it concerns has acknowledged it yet";
            fails(reason::PENDING, sentence.to_owned())
        }
        _ => Claim {
            message: unserved.map_or_else(String::new, |why| format!("{UNCOUNTED}: {why}")),
            ..holds(condition::PROGRAMMED, reason::PROGRAMMED)
        },
    }
}

/// What serves instead of the generation that was applied, and what that one lacks by now.
fn held(verdict: &Verdict, serving: i64, dropped: bool) -> String {
    let (why, missing) = (verdict.sentence(), sentence(verdict.missing.iter()));
    match (dropped, missing.is_empty()) {
        (true, _) => format!("generation {serving} served before and cannot any more: {missing}; and this one: {why}"),
        (false, true) => format!("generation {serving} stays in force: {why}"),
        (false, false) => format!("generation {serving} stays in force: {why}; and of what it needs: {missing}"),
    }
}

/// Deleting takes effect at once, whoever has yet to finish something about it.
fn deleting(finalizers: &[String]) -> Claim {
    let waits = match finalizers {
        [] => String::new(),
        waits => format!("; it waits for {}", waits.join(", ")),
    };
    fails(
        reason::DELETING,
        format!("it is being deleted and serves nothing{waits}"),
    )
}

fn holds(type_: &'static str, reason: &'static str) -> Claim {
    Claim {
        type_,
        status: ConditionStatus::True,
        reason,
        message: String::new(),
    }
}

fn fails(reason: &'static str, message: String) -> Claim {
    Claim {
        type_: condition::PROGRAMMED,
        status: ConditionStatus::False,
        reason,
        message,
    }
}

/// At most `longest` characters of `text`: the API server would refuse more.
pub(super) fn clipped(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some(_) => text.chars().take(longest - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests;
