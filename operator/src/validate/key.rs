//! One VirtualKey by itself.

use super::{Fault, Faults};
use pilotfish_crds::VirtualKeySpec;

/// What is wrong with it; nothing, if it may be admitted.
pub fn key(spec: &VirtualKeySpec) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.models("spec.models", &spec.models);
    faults.0
}
