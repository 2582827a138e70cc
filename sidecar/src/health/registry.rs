//! Where each tenant's healths are kept, and how a request finds them without hashing a name.

use super::Health;
use crate::dialect::Operation;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Every [`Health`], across snapshots. Its size is that of the configuration: [`Registry::retain`] follows it.
#[derive(Debug, Default)]
pub struct Registry {
    tenants: RwLock<HashMap<Box<str>, OfTenant>>,
}

/// By the deployment's `namespace/name`.
type OfTenant = HashMap<Box<str>, Kept>;

#[derive(Debug)]
struct Kept {
    revision: u64,
    healths: [Arc<Health>; OPERATIONS.len()],
}

/// What can be asked of a deployment, each with a health of its own: a model that talks refuses to embed with the same
/// words with which an account refuses everything.
const OPERATIONS: [Operation; 5] = [
    Operation::Generate,
    Operation::Completions,
    Operation::Embeddings,
    Operation::CountTokens,
    Operation::Rerank,
];

/// Its place among them.
fn place(operation: Operation) -> usize {
    match operation {
        Operation::Generate => 0,
        Operation::Completions => 1,
        Operation::Embeddings | Operation::EmbedOne => 2,
        Operation::CountTokens => 3,
        Operation::Rerank => 4,
    }
}

impl Registry {
    /// The health of `deployment` (`namespace/name`) for `operation` of `tenant`. With another `revision` than before it starts anew:
    /// a hash of what makes earlier verdicts void, such as the endpoint and the credential's version.
    pub fn health(&self, tenant: &str, deployment: &str, operation: Operation, revision: u64) -> Arc<Health> {
        let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let kept = known.get(tenant).and_then(|deployments| deployments.get(deployment));
        if let Some(kept) = kept.filter(|kept| kept.revision == revision) {
            return Arc::clone(&kept.healths[place(operation)]);
        }
        drop(known);
        self.insert(tenant, deployment, operation, revision)
    }

    fn insert(&self, tenant: &str, deployment: &str, operation: Operation, revision: u64) -> Arc<Health> {
        let mut known = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let deployments = known.entry(tenant.into()).or_default();
        let fresh = || Kept {
            revision,
            healths: OPERATIONS.map(|operation| Health::new(tenant, deployment, operation)),
        };
        let kept = deployments.entry(deployment.into()).or_insert_with(fresh);
        if kept.revision != revision {
            *kept = fresh();
        }
        Arc::clone(&kept.healths[place(operation)])
    }

    /// Forgets what the configuration no longer has; `keep` is asked with tenant and deployment.
    pub fn retain(&self, mut keep: impl FnMut(&str, &str) -> bool) {
        let mut known = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|tenant, deployments| {
            deployments.retain(|deployment, _| keep(tenant, deployment));
            !deployments.is_empty()
        });
    }
}

/// One tenant's healths by the index of the deployment in one snapshot, each looked up once.
#[derive(Debug)]
pub struct Board {
    slots: Box<[OnceLock<Arc<Health>>]>,
}

impl Board {
    /// For a snapshot with this many deployments.
    pub fn new(deployments: usize) -> Self {
        Self {
            slots: (0..deployments * OPERATIONS.len()).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The health at `index`, which must be one of the snapshot's; `resolve` asks the [`Registry`] the first time.
    pub fn health(&self, index: usize, operation: Operation, resolve: impl FnOnce() -> Arc<Health>) -> &Arc<Health> {
        self.slots[index * OPERATIONS.len() + place(operation)].get_or_init(resolve)
    }
}

#[cfg(test)]
mod tests;
