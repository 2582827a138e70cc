//! The revisions of a cluster by the objects they are of.

use super::revision::{Origin, Revision};
use super::seal::ID_LENGTH;
use crate::world::ObjectName;
use kube::Resource;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the names of our revisions begin.
const PREFIX: &str = "pilotfish-";

/// The name of the revision of generation `number` of the object `uid`, sealed with the key `id`. By uid: a name would
/// have to be shortened, and two kinds may share one. With the key: what another one sealed is in nobody's way.
pub(super) fn name(uid: &str, id: &str, number: i64) -> String {
    format!("{PREFIX}{uid}-{id}-{number}")
}

/// The uid and the key in a name of ours.
pub(super) fn parts(name: &str) -> Option<(&str, &str)> {
    let (rest, number) = name.strip_prefix(PREFIX)?.rsplit_once('-')?;
    let (uid, id) = rest.rsplit_once('-')?;
    let is_id = id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && number.parse::<i64>().is_ok()).then_some((uid, id))
}

/// The revisions of a cluster by the objects they are of. One that stands in another namespace than its object is of none.
#[derive(Default)]
pub(crate) struct Written<'a>(BTreeMap<&'a str, BTreeMap<&'a str, OfOne<'a>>>);

/// The revisions of one object.
#[derive(Default)]
pub(crate) struct OfOne<'a> {
    /// Those we wrote, the newest first.
    pub(crate) sealed: Vec<&'a Revision>,
    /// Those that somebody else wrote and gave our names.
    pub(crate) forged: Vec<&'a Revision>,
    /// Those that, by their names, another key sealed.
    pub(crate) foreign: Vec<&'a Revision>,
}

impl<'a> Written<'a> {
    pub(crate) fn of(revisions: &'a [Arc<Revision>]) -> Self {
        let mut all = Self::default();
        for revision in revisions {
            let namespace = revision.meta().namespace.as_deref().unwrap_or_default();
            let of_namespace = all.0.entry(namespace).or_default();
            match revision.origin() {
                Origin::Ours(sealed) => of_namespace.entry(&sealed.owner).or_default().sealed.push(revision),
                Origin::Forged(uid) => of_namespace.entry(uid).or_default().forged.push(revision),
                Origin::Foreign(foreign) => of_namespace.entry(&foreign.owner).or_default().foreign.push(revision),
                Origin::Unknown => {}
            }
        }
        for one in all.0.values_mut().flat_map(BTreeMap::values_mut) {
            one.sealed.sort_by_key(|revision| Reverse(revision.number()));
        }
        all
    }

    /// Those of the object `name` while its uid is `uid`.
    pub(crate) fn get(&self, name: &ObjectName, uid: &str) -> Option<&OfOne<'a>> {
        self.0.get(name.namespace.as_str())?.get(uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is_and_which_key_sealed_it() {
        let uid = "0b6ad2b5-6b1a-4d9e-8b6c-d3a1c2b4e5f6";
        assert_eq!(parts(&name(uid, "0a1b2c3d", 7)), Some((uid, "0a1b2c3d")));
        for other in [
            "pilotfish-0b6ad2b5-6b1a-4d9e-8b6c-d3a1c2b4e5f6-7",
            "pilotfish-uid-0a1b2c3d-seven",
            "pilotfish-uid-0a1b2c3z-7",
            "elsewhere-uid-0a1b2c3d-7",
            "pilotfish-7",
        ] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
