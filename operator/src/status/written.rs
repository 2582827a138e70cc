//! What this replica wrote last, for as long as the watch may not have shown it yet.
//!
//! A write is based on one version of an object and makes the next. While the watch shows either of them, what was
//! written is known better than it shows; with any other version, what it shows counts. So nothing is written twice,
//! and an API server that keeps less than it is given is not told again and again.

use super::Id;
use super::published::Status;
use std::collections::BTreeMap;

/// The last write of each status, or the last reading where it cannot be seen.
#[derive(Debug, Default)]
pub(super) struct Written(BTreeMap<Id, Entry>);

#[derive(Debug)]
struct Entry {
    /// The version that was seen.
    base: String,
    /// The version that was made.
    result: String,
    status: Status,
}

impl Written {
    /// The object that was seen in version `base` has `status` in version `result`.
    pub(super) fn note(&mut self, id: Id, base: String, result: String, status: Status) {
        self.0.insert(id, Entry { base, result, status });
    }

    /// The status of an object that is seen in version `seen`, and the version in which it has it.
    pub(super) fn of(&self, id: &Id, seen: &str) -> Option<(&Status, &str)> {
        let entry = self.0.get(id)?;
        let is_known = entry.base == seen || entry.result == seen;
        is_known.then_some((&entry.status, &entry.result))
    }

    /// Forgets what no longer exists.
    pub(super) fn retain(&mut self, exists: impl Fn(&Id) -> bool) {
        self.0.retain(|id, _| exists(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Subject;
    use crate::world::ObjectName;

    #[test]
    fn it_counts_until_the_watch_shows_something_newer() {
        let id = (Subject::VirtualKey, ObjectName::new("shop", "a"));
        let status = Status {
            observed_generation: Some(4),
            ..Status::default()
        };
        let mut written = Written::default();
        written.note(id.clone(), "10".to_owned(), "11".to_owned(), status.clone());
        assert_eq!(written.of(&id, "10"), Some((&status, "11")));
        assert_eq!(written.of(&id, "11"), Some((&status, "11")));
        assert_eq!(written.of(&id, "12"), None);
        written.retain(|_| false);
        assert_eq!(written.of(&id, "11"), None);
    }
}
