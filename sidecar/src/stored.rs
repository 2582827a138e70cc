//! Which deployment keeps a response that a client may go on from.
//!
//! `previous_response_id` means something to the account alone that gave the response this id. So the ids of answers that
//! pass through are remembered, under their tenant, with the deployment: the next request goes there and nowhere else.
//! An id that is not known here (it is too old, or another sidecar served it) is offered to one deployment after the
//! other, as an account that does not have it says so at no cost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most responses that are remembered.
pub(crate) const MOST: usize = 16 * 1024;

type Place = [u8; 32];

/// The memory: two halves, of which the older goes when the younger is full.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    halves: Mutex<[HashMap<Place, Arc<str>>; 2]>,
}

impl Stored {
    /// Remembers that `deployment` keeps the response of this id.
    pub(crate) fn keep(&self, tenant: &str, id: &str, deployment: &Arc<str>) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *halves;
        if young.len() >= MOST / 2 {
            *old = std::mem::take(young);
        }
        young.insert(place(tenant, id), Arc::clone(deployment));
    }

    /// The deployment that keeps it, as far as is known here.
    pub(crate) fn home(&self, tenant: &str, id: &str) -> Option<Arc<str>> {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(tenant, id);
        halves.iter().find_map(|half| half.get(&place).cloned())
    }
}

fn place(tenant: &str, id: &str) -> Place {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(tenant.len() as u64).to_le_bytes());
    hasher.update(tenant.as_bytes());
    hasher.update(id.as_bytes());
    hasher.finalize().into()
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

    #[test]
    fn no_more_is_remembered_than_may_be() {
        let (stored, east) = (Stored::default(), Arc::from("shop/east"));
        for id in 0..2 * MOST {
            stored.keep("a", &id.to_string(), &east);
        }
        let known = (0..2 * MOST).filter(|id| stored.home("a", &id.to_string()).is_some());
        assert_eq!(known.count(), MOST);
        assert!(stored.home("a", &(2 * MOST - 1).to_string()).is_some());
    }
}
