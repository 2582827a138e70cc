//! Which view a pod is to have, made once for all pods to which the same policies apply.

use super::view::{self, Line, View};
use crate::compile::{Compiled, Share};
use crate::world::Pod;
use pilotfish_crds::selector::Labels;
use pilotfish_wire::{Kind, Resource};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The views of the newest compilation, as far as somebody asked for them.
#[derive(Default)]
pub struct Views(Mutex<Made>);

/// What was made of one compilation. What the one before was made of lends whatever has not changed.
#[derive(Default)]
struct Made {
    of: Option<Arc<Compiled>>,
    /// The labels that make a difference, by namespace.
    asked: BTreeMap<String, BTreeSet<String>>,
    now: Shared,
    before: Shared,
}

#[derive(Default)]
struct Shared {
    views: BTreeMap<Pod, Arc<View>>,
    lines: BTreeMap<(Kind, String), Line>,
}

impl Views {
    /// What a pod of `namespace` with `labels` is to have of `compiled`. The same view as before is the same pointer.
    pub fn of(&self, compiled: &Arc<Compiled>, namespace: &str, labels: &Labels) -> Arc<View> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, compiled)) {
            made.begin(Arc::clone(compiled));
        }
        let pod = made.as_policies_see_it(compiled, namespace, labels);
        if let Some(view) = made.now.views.get(&pod) {
            return Arc::clone(view);
        }
        let view = made.view(&compiled.for_pod(&pod));
        let view = made.before.same_view(&pod, view);
        made.now.views.insert(pod, Arc::clone(&view));
        view
    }
}

impl Made {
    fn begin(&mut self, compiled: Arc<Compiled>) {
        self.of = Some(compiled);
        self.asked.clear();
        self.before = std::mem::take(&mut self.now);
    }

    fn as_policies_see_it(&mut self, compiled: &Compiled, namespace: &str, labels: &Labels) -> Pod {
        if !self.asked.contains_key(namespace) {
            let asked = compiled.labels_asked(namespace);
            self.asked.insert(namespace.to_owned(), asked);
        }
        let asked = &self.asked[namespace];
        let seen = labels.iter().filter(|(key, _)| asked.contains(*key));
        Pod {
            namespace: namespace.to_owned(),
            labels: seen.map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    }

    fn view(&mut self, share: &Share) -> View {
        let Share { resources, credentials } = share;
        let credentials = credentials.iter().map(|credential| {
            let (name, version) = (&credential.name, &credential.version);
            self.line(Kind::Credential, name, version, || Arc::new(view::resource(credential)))
        });
        let mut lines: Vec<_> = credentials.collect();
        lines.extend(resources.iter().map(|resource| {
            let (name, version) = (&resource.name, &resource.version);
            self.line(resource.kind, name, version, || Arc::clone(resource))
        }));
        View::new(lines)
    }

    fn line(&mut self, kind: Kind, name: &str, version: &str, resource: impl FnOnce() -> Arc<Resource>) -> Line {
        let key = (kind, name.to_owned());
        let same = |shared: &Shared| {
            let line = shared.lines.get(&key);
            line.filter(|line| line.resource.version == version).cloned()
        };
        let line = same(&self.now)
            .or_else(|| same(&self.before))
            .unwrap_or_else(|| Line::new(resource()));
        // A routes table has one name for every pod; what is not shared need not be kept.
        if kind != Kind::Routes {
            self.now.lines.insert(key, line.clone());
        }
        line
    }
}

impl Shared {
    fn same_view(&self, pod: &Pod, view: View) -> Arc<View> {
        match self.views.get(pod) {
            Some(before) if before.version() == view.version() => Arc::clone(before),
            _ => Arc::new(view),
        }
    }
}
