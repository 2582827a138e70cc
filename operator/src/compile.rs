//! World → what sidecars are sent, and what users are told. Pure and total: one bad resource spoils only itself.
//!
//! Deployments first, because policies are judged by what of them is in force; then policies, keys, and last the
//! conflicts between policies. [`Compiled::for_pod`] picks from the result what one pod may have.
//!
//! An edit never leaves users worse off than no edit: a generation goes into force when it validates and everything it
//! names can be used; until then the one before serves on (`standing.rs`). What has been in force is not held again, so
//! what is deleted from under it drops out at once.

mod deployment;
mod key;
mod key_file;
mod policy;
mod routes;
mod standing;
mod verdict;

pub use deployment::Credential;
pub(crate) use key::{CURRENT, PREFIX, PREVIOUS, is_key};
pub use verdict::{Finding, Lost, Reason, Verdict, sentence};

use crate::world::{InForce, ObjectName, Pod, World};
use deployment::Deployed;
use pilotfish_wire::{Kind, Resource, Routes};
use policy::Serving;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The name of the one routes table that a pod has.
const ROUTES: &str = "routes";

/// A compiled World.
#[derive(Debug)]
pub struct Compiled {
    /// What to tell the owners of ModelDeployments.
    pub deployment_verdicts: BTreeMap<ObjectName, Verdict>,
    /// What to tell the owners of RoutingPolicies.
    pub policy_verdicts: BTreeMap<ObjectName, Verdict>,
    /// What to tell the owners of VirtualKeys.
    pub key_verdicts: BTreeMap<ObjectName, Verdict>,
    /// What serves now, to be remembered for the next World.
    pub in_force: InForce,
    reach: routes::Reach,
    policies: BTreeMap<ObjectName, Serving>,
    deployments: BTreeMap<ObjectName, Deployed>,
    credentials: BTreeMap<String, Arc<Credential>>,
    keys: BTreeMap<ObjectName, Arc<Resource>>,
}

/// Compiles `world`.
pub fn compile(world: &World) -> Compiled {
    let mut in_force = InForce::default();
    let deployments = deployment::compile(world, &mut in_force);
    let policies = policy::compile(world, &deployments.usable, &mut in_force);
    let keys = key::compile(world);
    let reach = routes::Reach::of(world);
    let mut policy_verdicts = policies.verdicts;
    for (loser, lost) in routes::lost(world, &reach, &policies.serving) {
        if let Some(verdict) = policy_verdicts.get_mut(&loser) {
            verdict.lost = lost;
        }
    }
    Compiled {
        deployment_verdicts: deployments.verdicts,
        policy_verdicts,
        key_verdicts: keys.verdicts,
        in_force,
        reach,
        policies: policies.serving,
        credentials: deployments.credentials,
        deployments: deployments
            .usable
            .into_iter()
            .filter_map(|(name, usable)| Some((name, usable.ok()?)))
            .collect(),
        keys: keys.resources,
    }
}

/// What one pod is to have.
#[derive(Debug)]
pub struct Share {
    /// All but the credentials, in the order of kind and name.
    pub resources: Vec<Arc<Resource>>,
    /// In the order of their names.
    pub credentials: Vec<Arc<Credential>>,
}

impl Compiled {
    /// Everything that a sidecar of `pod` is to have and nothing else: its routes, the policies they name, the
    /// deployments those reach with their credentials, and the keys of its namespace.
    pub fn for_pod(&self, pod: &Pod) -> Share {
        let routes = self.reach.routes(pod, &self.policies);
        let policies = self.policies_of(&routes);
        let deployments = self.deployments_of(&policies);
        let credentials: BTreeSet<&String> = deployments.iter().flat_map(|deployed| &deployed.credentials).collect();
        let keys = self.keys.iter().filter(|(name, _)| name.namespace == pod.namespace);

        let mut resources = vec![Arc::new(Resource::new(Kind::Routes, ROUTES, &routes))];
        resources.extend(policies.iter().map(|policy| policy.resource.clone()));
        resources.extend(deployments.iter().map(|deployed| deployed.resource.clone()));
        resources.extend(keys.map(|(_, key)| key.clone()));
        // By name as text, which is not the order of (namespace, name): `-` sorts before `/`.
        resources.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        Share {
            resources,
            credentials: credentials
                .into_iter()
                .filter_map(|name| self.credentials.get(name).cloned())
                .collect(),
        }
    }

    /// The labels by which policies choose among the pods of `namespace`: pods that differ only in others have equal
    /// shares, as those do that a controller numbers.
    pub fn labels_asked(&self, namespace: &str) -> BTreeSet<String> {
        self.reach.labels_asked(namespace, &self.policies)
    }

    /// The policies that `routes` names.
    fn policies_of(&self, routes: &Routes) -> Vec<&Serving> {
        let named: BTreeSet<&str> = routes.routes.iter().map(|route| route.policy.as_str()).collect();
        let is_named = |policy: &&Serving| named.contains(policy.resource.name.as_str());
        self.policies.values().filter(is_named).collect()
    }

    /// The deployments that `policies` reach.
    fn deployments_of(&self, policies: &[&Serving]) -> Vec<&Deployed> {
        let reached: BTreeSet<&ObjectName> = policies.iter().flat_map(|policy| &policy.reaches).collect();
        reached
            .into_iter()
            .filter_map(|name| self.deployments.get(name))
            .collect()
    }
}
