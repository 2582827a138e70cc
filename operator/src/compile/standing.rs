//! Which spec of an object serves: the one that is written, or the one that served before it.

use super::verdict::{Finding, Reason, Verdict};
use crate::world::{Generation, Object};

/// What is wrong with an object: by itself, and with what it names.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) faults: Vec<Finding>,
    pub(super) unresolved: Vec<Finding>,
}

impl Findings {
    /// Of an object that cannot be read, for the reason given.
    pub(super) fn undecodable(why: &str) -> Self {
        let faults = vec![Finding::new(Reason::Undecodable, why)];
        Self {
            faults,
            ..Self::default()
        }
    }
}

/// The verdict on an object, and the generation of it that is in force from now on.
///
/// A spec goes into force when nothing is wrong with it. Then it stays so, whatever becomes of what it names, until
/// another one goes into force. An edit that is taken back is no edit.
pub(super) fn settle<S: PartialEq + Clone>(
    object: &Object<S>,
    before: Option<&Generation<S>>,
    findings: Findings,
) -> (Verdict, Option<Generation<S>>) {
    let Findings { faults, unresolved } = findings;
    let ready = faults.is_empty() && unresolved.is_empty();
    let current = |spec: &S| Generation {
        number: object.generation,
        spec: spec.clone(),
    };
    let in_force = match (&object.spec, before) {
        (Ok(spec), Some(before)) if before.spec == *spec => Some(current(spec)),
        (Ok(spec), _) if ready => Some(current(spec)),
        (_, before) => before.cloned(),
    };
    let serves_as_written = |generation: &Generation<S>| object.spec.as_ref() == Ok(&generation.spec);
    let verdict = Verdict {
        generation: object.generation,
        faults,
        unresolved,
        in_force: in_force.as_ref().map(|generation| generation.number),
        held: in_force
            .as_ref()
            .is_some_and(|generation| !serves_as_written(generation)),
        missing: Vec::new(),
        lost: Vec::new(),
    };
    (verdict, in_force)
}
