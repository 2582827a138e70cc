//! Where an answer's reasoning goes, for a client that may not return it, and where the next request looks for it.

use crate::dialect::{Keeping, Reasoned};
use crate::pipeline::Shared;
use crate::policy::Deployment;
use crate::thoughts::{Key, Thinker};
use std::sync::Arc;
use tokio::time::Instant;

/// What one deployment reasons for one tenant.
#[derive(Clone)]
pub(super) struct Keeper {
    pub shared: Arc<Shared>,
    pub tenant: Arc<str>,
    pub deployment: Arc<Deployment>,
}

impl Keeper {
    /// What it had reasoned there, if that is kept.
    pub(super) fn recall(&self, conversation: u128, call: &str) -> Option<Arc<str>> {
        self.shared
            .thoughts
            .recall(&self.key(conversation, call), Instant::now())
    }

    pub(super) fn keep(&self, keeping: Keeping, reasoned: &Reasoned) {
        if keeping.wants(reasoned) {
            let key = self.key(keeping.conversation, &reasoned.call);
            let entries = reasoned.entries.as_str().into();
            self.shared.thoughts.keep(key, entries, Instant::now());
        }
    }

    /// The deployment keeps the response of this id.
    pub(super) fn stored(&self, id: &str) {
        let Self {
            shared,
            tenant,
            deployment,
        } = self;
        shared.stored.keep(tenant, id, &deployment.name);
    }

    fn key(&self, conversation: u128, call: &str) -> Key {
        let thinker = Thinker {
            tenant: &self.tenant,
            deployment: &self.deployment.name,
            revision: self.deployment.revision,
            model: &self.deployment.model,
        };
        Key::new(&thinker, conversation, call)
    }
}
