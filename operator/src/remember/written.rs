//! The revisions of a cluster by the objects they are of.

use super::revision::Revision;
use crate::world::ObjectName;
use kube::Resource;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the names of our revisions begin.
const PREFIX: &str = "pilotfish-";

/// The name of the revision of generation `number` of the object `uid`. By uid: a name would have to be shortened, and two
/// kinds may share one.
pub(super) fn name(uid: &str, number: i64) -> String {
    format!("{PREFIX}{uid}-{number}")
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
}

impl<'a> Written<'a> {
    pub(crate) fn of(revisions: &'a [Arc<Revision>]) -> Self {
        let mut all = Self::default();
        for revision in revisions {
            let namespace = revision.meta().namespace.as_deref().unwrap_or_default();
            let of_namespace = all.0.entry(namespace).or_default();
            if let Some(uid) = revision.owner() {
                of_namespace.entry(uid).or_default().sealed.push(revision);
            } else if let Some(uid) = named(revision) {
                of_namespace.entry(uid).or_default().forged.push(revision);
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

/// The uid in a name of ours.
fn named(revision: &Revision) -> Option<&str> {
    let rest = revision.meta().name.as_deref()?.strip_prefix(PREFIX)?;
    Some(rest.rsplit_once('-')?.0)
}
