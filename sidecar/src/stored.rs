//! Which deployment keeps a response that a client may go on from.
//!
//! `previous_response_id` means something to the account alone that gave the response this id. So the ids of answers that
//! pass through are remembered, under their tenant, with the deployment: the next request goes there and nowhere else.
//! An id that is not known here (it is too old, or another sidecar served it) is offered to one deployment after the
//! other, as an account that does not have it says so at no cost.

use crate::halves::{Halves, Place};
use std::sync::Arc;

/// Most responses that are remembered.
const MOST: usize = 16 * 1024;

/// The memory.
#[derive(Debug)]
pub(crate) struct Stored(Halves<Arc<str>>);

impl Default for Stored {
    fn default() -> Self {
        Self(Halves::of(MOST))
    }
}

impl Stored {
    /// Remembers that `deployment` keeps the response of this id.
    pub(crate) fn keep(&self, tenant: &str, id: &str, deployment: &Arc<str>) {
        self.0.keep(Place::of(tenant, &[id]), Arc::clone(deployment));
    }

    /// The deployment that keeps it, as far as is known here.
    pub(crate) fn home(&self, tenant: &str, id: &str) -> Option<Arc<str>> {
        self.0.get(&Place::of(tenant, &[id]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_at_home_where_it_was_made_and_for_its_tenant_alone() {
        let (stored, east) = (Stored::default(), Arc::from("shop/east"));
        stored.keep("a", "resp_1", &east);
        assert_eq!(stored.home("a", "resp_1"), Some(east));
        for (tenant, id) in [("b", "resp_1"), ("a", "resp_2"), ("ar", "esp_1")] {
            assert_eq!(stored.home(tenant, id), None);
        }
    }
}
