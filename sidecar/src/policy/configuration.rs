//! What was committed: the resources that a snapshot is made from, and the pod that they are for.

use pilotfish_wire::{Kind, Resource, scope};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names a resource: its kind and `namespace/name`.
pub(crate) type Id = (Kind, String);

/// Outside a cluster there is no controller and no ServiceAccount to tell workloads apart by.
const NO_WORKLOAD: &str = "local/local";
const NO_NAMESPACE: &str = "default";

/// One whole configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    /// As whom this sidecar was verified, or for whom a file was compiled; by the names of [`scope`].
    pub scope: BTreeMap<String, String>,
    /// What its commit called it; empty before the first.
    pub version: String,
    pub resources: BTreeMap<Id, Arc<Resource>>,
}

impl Configuration {
    /// Whether it says the same, by the versions of its resources.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let Self {
            scope,
            version,
            resources,
        } = self;
        let mut pairs = resources.values().zip(other.resources.values());
        *scope == other.scope
            && *version == other.version
            && resources.len() == other.resources.len()
            && pairs.all(|(one, another)| one.same_as(another))
    }

    /// The tenant that callers without a key are.
    pub(super) fn pod(&self) -> Arc<str> {
        let said = |name, otherwise| self.scope.get(name).map_or(otherwise, String::as_str);
        let namespace = said(scope::NAMESPACE, NO_NAMESPACE);
        format!("workload/{namespace}/{}", said(scope::WORKLOAD, NO_WORKLOAD)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_without_a_key_are_the_workload_of_the_pods_namespace() {
        for (said, expected) in [
            (
                &[("namespace", "shop"), ("workload", "Deployment/web"), ("pod", "web-1")][..],
                "workload/shop/Deployment/web",
            ),
            (&[("namespace", "shop")], "workload/shop/local/local"),
            (&[], "workload/default/local/local"),
        ] {
            let scope = said
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let configuration = Configuration {
                scope,
                ..Configuration::default()
            };
            assert_eq!(&*configuration.pod(), expected);
        }
    }
}
