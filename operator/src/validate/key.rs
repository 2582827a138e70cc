//! One VirtualKey by itself.

use super::{Fault, Faults};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pilotfish_crds::key::Rotation;
use pilotfish_crds::{VirtualKeySpec, rules};

/// The shortest time between two keys.
const A_MINUTE_MS: u64 = 60_000;

/// When it begins, in seconds since the Unix epoch.
const YEAR_9000: i64 = 221_845_392_000;

/// What is wrong with it; nothing, if it may be admitted.
pub fn key(spec: &VirtualKeySpec) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.models("spec.models", &spec.models);
    let is_of_this_age = |end: &Time| (0..YEAR_9000).contains(&end.0.as_second());
    let ends_well = spec.expires_at.as_ref().is_none_or(is_of_this_age);
    faults.check(ends_well, "spec.expiresAt", rules::END_IS_OF_THIS_AGE);
    if let Some(rotation) = &spec.rotation {
        check_rotation(&mut faults, rotation);
    }
    faults.0
}

fn check_rotation(faults: &mut Faults, rotation: &Rotation) {
    let Rotation { every, overlap } = rotation;
    faults.duration("spec.rotation.every", every);
    faults.duration("spec.rotation.overlap", overlap);
    let (every, overlap) = (every.milliseconds(), overlap.milliseconds());
    let is_long_enough = every.is_none_or(|every| every >= A_MINUTE_MS);
    faults.check(is_long_enough, "spec.rotation", rules::A_MINUTE_BETWEEN_KEYS);
    let is_shorter = every.zip(overlap).is_none_or(|(every, overlap)| overlap < every);
    faults.check(is_shorter, "spec.rotation", rules::OVERLAP_IS_SHORTER);
}
