//! Where an answer's reasoning goes, for a client that may not return it, and where the next request looks for it.

use crate::dialect::{Keeping, Kept, Purged, Reasoned, without_sealed};
use crate::pipeline::Shared;
use crate::policy::Deployment;
use crate::sealed::Maker;
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

    /// Nobody else can read this again.
    pub(super) fn kept(&self, kept: &Kept) {
        let Self {
            shared,
            tenant,
            deployment,
        } = self;
        let Kept { id, sealed } = kept;
        if let Some(id) = id {
            shared.stored.keep(tenant, id, &deployment.name);
        }
        for content in sealed {
            shared.sealed.made(tenant, content, self.reader());
        }
    }

    /// It has refused to read what these hold.
    pub(super) fn refused(&self, sealed: &[String]) {
        let (tenant, reader, memory) = (&self.tenant, self.reader(), &self.shared.sealed);
        let known = |content: &&str| memory.is_foreign(tenant, content, &reader);
        let unknown = sealed.iter().map(String::as_str).filter(|content| !known(content));
        memory.refused(tenant, unknown, &reader);
    }

    /// It has refused to be asked for usage.
    pub(super) fn refused_count(&self) {
        let Deployment { name, revision, .. } = &*self.deployment;
        self.shared.uncounted.refused(&self.tenant, name, *revision);
    }

    /// Whether it has.
    pub(super) fn has_refused_count(&self) -> bool {
        let Deployment { name, revision, .. } = &*self.deployment;
        self.shared.uncounted.has_refused(&self.tenant, name, *revision)
    }

    /// The request without what it cannot read, as far as that is known.
    pub(super) fn readable(&self, request: &[u8]) -> Option<Purged> {
        let (tenant, memory) = (&self.tenant, &self.shared.sealed);
        if memory.is_empty() {
            return None;
        }
        let reader = self.reader();
        without_sealed(request, |content| memory.is_foreign(tenant, content, &reader))
    }

    fn reader(&self) -> Maker {
        let Deployment {
            name,
            revision,
            provider,
            ..
        } = &*self.deployment;
        Maker {
            deployment: Arc::clone(name),
            revision: *revision,
            provider: Arc::clone(provider),
        }
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
