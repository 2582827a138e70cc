//! What each pod is to have, worked out once for all pods that are to have the same.

use crate::compile::Compiled;
use crate::watch::LivePod;
use crate::world::Pod;
use pilotfish_wire::Resource;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The views of the last compilation.
#[derive(Debug, Default)]
pub(super) struct Views {
    compiled: Option<Arc<Compiled>>,
    by_pod: BTreeMap<Pod, Arc<[Arc<Resource>]>>,
}

impl Views {
    /// Of `pod` by `compiled`.
    pub(super) fn of(&mut self, compiled: &Arc<Compiled>, pod: &LivePod) -> Arc<[Arc<Resource>]> {
        let is_known = |before: &Arc<Compiled>| Arc::ptr_eq(before, compiled);
        if !self.compiled.as_ref().is_some_and(is_known) {
            self.compiled = Some(Arc::clone(compiled));
            self.by_pod.clear();
        }
        let view = self.by_pod.entry(pod.scope());
        let view = view.or_insert_with_key(|pod| compiled.for_pod(pod).into());
        Arc::clone(view)
    }
}
