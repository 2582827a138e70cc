//! Who has refused to be asked for the usage of a stream. It is asked without from then on, and what it does not tell is
//! not counted.

use crate::halves::{Halves, Place};
use std::sync::atomic::{AtomicBool, Ordering};

/// Most deployments that are remembered.
const MOST: usize = 4 * 1024;

/// The memory. While nobody has refused, asking costs one atomic load.
#[derive(Debug)]
pub(crate) struct Uncounted {
    any: AtomicBool,
    refused: Halves<()>,
}

impl Default for Uncounted {
    fn default() -> Self {
        Self {
            any: AtomicBool::new(false),
            refused: Halves::of(MOST),
        }
    }
}

impl Uncounted {
    /// A deployment (`namespace/name`) with this endpoint and credential has refused.
    pub(crate) fn refused(&self, tenant: &str, deployment: &str, revision: u64) {
        self.refused.keep(place(tenant, deployment, revision), ());
        self.any.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_refused(&self, tenant: &str, deployment: &str, revision: u64) -> bool {
        self.any.load(Ordering::Relaxed) && self.refused.get(&place(tenant, deployment, revision)).is_some()
    }
}

fn place(tenant: &str, deployment: &str, revision: u64) -> Place {
    Place::of(tenant, &[deployment, &revision.to_string()])
}

#[cfg(test)]
mod tests {
    use super::Uncounted;

    #[test]
    fn one_refusal_is_one_deployments_until_it_changes() {
        let uncounted = Uncounted::default();
        assert!(!uncounted.has_refused("t", "a/east", 1));
        uncounted.refused("t", "a/east", 1);
        for (tenant, deployment, revision, expected) in [
            ("t", "a/east", 1, true),
            ("t", "a/east", 2, false),
            ("t", "a/west", 1, false),
            ("another", "a/east", 1, false),
        ] {
            assert_eq!(
                uncounted.has_refused(tenant, deployment, revision),
                expected,
                "{tenant} {deployment} {revision}"
            );
        }
    }
}
