//! A memory of bounded size: two halves, of which the older goes when the younger is full.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The name of something that is one tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place([u8; 32]);

impl Place {
    /// What `parts` name together, for this tenant alone.
    pub(crate) fn of(tenant: &str, parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [tenant].iter().chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hasher.finalize().into())
    }
}

#[derive(Debug)]
pub(crate) struct Halves<V> {
    most: usize,
    halves: Mutex<[HashMap<Place, V>; 2]>,
}

impl<V: Clone> Halves<V> {
    /// Remembers `most` entries at most, and half of them at least.
    pub(crate) fn of(most: usize) -> Self {
        let halves = Mutex::default();
        Self { most, halves }
    }

    pub(crate) fn keep(&self, place: Place, value: V) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *halves;
        if young.len() >= self.most / 2 {
            *old = std::mem::take(young);
        }
        young.insert(place, value);
    }

    pub(crate) fn get(&self, place: &Place) -> Option<V> {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.iter().find_map(|half| half.get(place).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_remembered_than_may_be() {
        const MOST: usize = 100;
        let halves = Halves::of(MOST);
        let place = |number: usize| Place::of("a", &[&number.to_string()]);
        (0..2 * MOST).for_each(|number| halves.keep(place(number), number));
        let known = (0..2 * MOST).filter(|number| halves.get(&place(*number)).is_some());
        assert_eq!(known.count(), MOST);
        assert_eq!(halves.get(&place(2 * MOST - 1)), Some(2 * MOST - 1));
    }

    #[test]
    fn a_place_is_its_tenant_s_and_not_made_of_other_parts() {
        let place = Place::of("a", &["b", "c"]);
        assert_eq!(place, Place::of("a", &["b", "c"]));
        for (tenant, parts) in [("ab", &["c"][..]), ("a", &["bc"]), ("b", &["b", "c"])] {
            assert_ne!(place, Place::of(tenant, parts));
        }
    }
}
