//! Revisions that another key sealed: they say nothing here, and are left as they are.
//!
//! Two things come to this. The Secret with the installation's key was lost and made anew, and what was held since then is
//! not in force any more; when it is put back, it is again, because nobody deleted what it sealed. Or another installation
//! works on the same cluster, which has room for one: both write the same statuses and the same ConfigMaps.

use super::revision::{Foreign, Origin};
use super::{Scribe, Written};
use crate::events::Occurrence;
use crate::metrics::Occasion;
use crate::watch::{Seen, SeenObject};
use crate::world::ObjectName;
use std::collections::{BTreeMap, BTreeSet};

/// A key and the namespace of its operator.
type Stranger = (String, String);

/// Those who are there.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// They have been complained of.
    pub(super) told: BTreeSet<Stranger>,
    /// Of those, whom this replica has told of by an Event since it leads.
    announced: BTreeSet<Stranger>,
}

impl Strangers {
    /// Says once of each who has sealed something of the objects that exist, and again when he comes back. How many such
    /// revisions there are.
    pub(super) fn look(&mut self, written: &Written<'_>, seen: &Seen, scribe: &Scribe) -> i64 {
        let mut found = BTreeMap::new();
        count(&mut found, written, &seen.deployments);
        count(&mut found, written, &seen.policies);
        for (stranger, revisions) in &found {
            if !self.told.contains(stranger) {
                complain(stranger, *revisions, scribe);
            }
        }
        let all = found.values().sum();
        self.told = found.into_keys().collect();
        all
    }

    /// What the leader is to tell of them, once each while it leads.
    pub(super) fn news(&mut self, leads: bool, scribe: &Scribe) -> Vec<Occurrence> {
        if !leads {
            self.announced.clear();
            return Vec::new();
        }
        let news = self.told.difference(&self.announced).map(|stranger| Occurrence {
            occasion: Occasion::Foreign,
            note: match sentence(stranger, scribe) {
                FORMER => format!("{FORMER} (its id was {})", stranger.0),
                another => format!("{another} (its operator is in namespace {})", stranger.1),
            },
        });
        let news = news.collect();
        self.announced.clone_from(&self.told);
        news
    }
}

/// What our own former key sealed.
const FORMER: &str = "what is in force was sealed with a former key of Secret pilotfish-installation: it does not serve while \
                      what is in its place cannot, and is left; put that Secret back and restart the operator, or delete \
                      those ControllerRevisions";
/// What somebody else's key sealed.
const ANOTHER: &str = "another installation of Pilotfish writes to this cluster, which takes only one: both write the same \
                       statuses and ConfigMaps; uninstall one, and delete its ControllerRevisions";

fn sentence((_, operator): &Stranger, scribe: &Scribe) -> &'static str {
    if *operator == scribe.namespace { FORMER } else { ANOTHER }
}

fn count<T>(found: &mut BTreeMap<Stranger, i64>, written: &Written<'_>, seen: &BTreeMap<ObjectName, SeenObject<T>>) {
    let of_each = seen.iter().filter_map(|(name, object)| written.get(name, &object.uid));
    for revision in of_each.flat_map(|of_one| &of_one.foreign) {
        if let Origin::Foreign(Foreign { key, operator, .. }) = revision.origin() {
            *found.entry((key.clone(), operator.clone())).or_default() += 1;
        }
    }
}

fn complain(stranger: &Stranger, revisions: i64, scribe: &Scribe) {
    let (key, operator) = stranger;
    let (own_key, namespace) = (scribe.key.id(), &scribe.namespace);
    let sentence = sentence(stranger, scribe);
    tracing::warn!(revisions, key, operator, own_key, namespace, "{sentence}");
}
