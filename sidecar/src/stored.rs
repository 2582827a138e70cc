//! Which deployment keeps a response that a client may go on from.
//!
//! `previous_response_id` means something to the account alone that gave the response this id. So the ids of answers that
//! pass through are remembered, under their tenant, with the deployment: the next request goes there and nowhere else.
//! An id that is not known here (it is too old, or another sidecar served it) is offered to one deployment after the
//! other, as an account that does not have it says so at no cost. One that is known here as another tenant's is offered
//! to nobody: the account would go on with that tenant's conversation.

use crate::halves::{Halves, Place};
use std::sync::Arc;

/// Most responses that are remembered, each under its tenant and under nobody.
const MOST: usize = 16 * 1024;

/// Who has a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// This deployment.
    At(Arc<str>),
    /// Some deployment, for another tenant.
    OfAnother,
    /// Whoever says so.
    Unknown,
}

/// The place of an id whoever asks; no tenant's places have two parts.
const NOBODY: &str = "";

/// The memory.
#[derive(Debug)]
pub(crate) struct Stored(Halves<Arc<str>>);

impl Default for Stored {
    fn default() -> Self {
        Self(Halves::of(2 * MOST))
    }
}

impl Stored {
    /// Remembers that `deployment` keeps the response of this id.
    pub(crate) fn keep(&self, tenant: &str, id: &str, deployment: &Arc<str>) {
        self.0.keep(Place::of(tenant, &[id]), Arc::clone(deployment));
        self.0.keep(Place::of(NOBODY, &[NOBODY, id]), Arc::clone(deployment));
    }

    /// Where it is, as far as is known here.
    pub(crate) fn home(&self, tenant: &str, id: &str) -> Home {
        match self.0.get(&Place::of(tenant, &[id])) {
            Some(deployment) => Home::At(deployment),
            None if self.0.get(&Place::of(NOBODY, &[NOBODY, id])).is_some() => Home::OfAnother,
            None => Home::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_at_home_where_it_was_made_and_for_its_tenant_alone() {
        let (stored, east) = (Stored::default(), Arc::from("shop/east"));
        stored.keep("a", "resp_1", &east);
        for (tenant, id, home) in [
            ("a", "resp_1", Home::At(Arc::clone(&east))),
            ("b", "resp_1", Home::OfAnother),
            ("a", "resp_2", Home::Unknown),
            ("ar", "esp_1", Home::Unknown),
        ] {
            assert_eq!(stored.home(tenant, id), home, "{tenant} {id}");
        }
        // Small providers count their responses.
        stored.keep("b", "resp_1", &east);
        assert_eq!(stored.home("a", "resp_1"), Home::At(Arc::clone(&east)));
        assert_eq!(stored.home("b", "resp_1"), Home::At(east));
    }
}
