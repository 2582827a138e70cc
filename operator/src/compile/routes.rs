//! Whose word counts: for each model name at each pod, one policy.
//!
//! Of two policies that answer for a name the first of these that differs decides: one of the pod's own namespace
//! before one of the root namespace; an exact name before a pattern, a longer pattern before a shorter; one that selects
//! pods before one that does not; the older; the lesser namespace/name. To be overridden by something more specific is
//! what specific things are for. Only where age or name had to decide is it a conflict, and the loser is told. Two
//! different patterns may both match a name; that is no conflict, because neither loses its claim.

use super::policy::Serving;
use super::verdict::Lost;
use crate::world::{ObjectName, Pod, World};
use pilotfish_crds::selector::Labels;
use pilotfish_wire::{Route, Routes};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

type Policies = BTreeMap<ObjectName, Serving>;

/// What decides which policies a pod sees.
#[derive(Debug)]
pub(super) struct Reach {
    root_namespace: String,
    namespaces: BTreeMap<String, Labels>,
}

/// A policy's claim on a name or a pattern. The order of claims is the order of precedence: the fields are compared one
/// after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim<'a> {
    /// The policy is of the root namespace, and the pod is not.
    from_root: bool,
    is_pattern: bool,
    /// How much of a name a pattern says.
    length: Reverse<usize>,
    /// The policy serves every pod.
    serves_all_pods: bool,
    created: i64,
    policy: &'a ObjectName,
    model: &'a str,
}

impl Reach {
    pub(super) fn of(world: &World) -> Self {
        let named = world
            .namespaces
            .keys()
            .chain(world.policies.keys().map(|name| &name.namespace));
        let named = named.chain(world.pods.iter().map(|pod| &pod.namespace));
        Self {
            root_namespace: world.root_namespace.clone(),
            namespaces: named.map(|name| (name.clone(), world.namespace_labels(name))).collect(),
        }
    }

    /// The table of a pod: exact names in order, then patterns by precedence.
    pub(super) fn routes(&self, pod: &Pod, policies: &Policies) -> Routes {
        let mut claims = self.claims(pod, policies);
        claims.sort();
        let (patterns, exact): (Vec<_>, Vec<_>) = winners(&claims).into_iter().partition(|claim| claim.is_pattern);
        let mut exact: Vec<_> = exact
            .into_iter()
            .filter(|name| !is_overridden(name, &patterns))
            .collect();
        exact.sort_by_key(|claim| claim.model);
        let route = |claim: &Claim<'_>| Route {
            model: claim.model.to_owned(),
            policy: claim.policy.to_string(),
        };
        Routes {
            routes: exact.iter().chain(&patterns).map(route).collect(),
        }
    }

    /// The labels that policies which may serve `namespace` ask for.
    pub(super) fn labels_asked(&self, namespace: &str, policies: &Policies) -> BTreeSet<String> {
        let here = policies
            .iter()
            .filter(|(name, policy)| self.serves_namespace(name, policy, namespace));
        let selectors = here.filter_map(|(_, policy)| policy.spec.workloads.as_ref());
        selectors
            .flat_map(|workloads| workloads.selector.keys())
            .map(str::to_owned)
            .collect()
    }

    fn claims<'a>(&self, pod: &Pod, policies: &'a Policies) -> Vec<Claim<'a>> {
        let serving = policies.iter().filter(|(name, policy)| self.serves(name, policy, pod));
        serving
            .flat_map(|(name, policy)| claims_of(name, policy, pod))
            .collect()
    }

    fn serves(&self, name: &ObjectName, policy: &Serving, pod: &Pod) -> bool {
        let workloads = policy.spec.workloads.as_ref();
        self.serves_namespace(name, policy, &pod.namespace)
            && workloads.is_none_or(|workloads| workloads.selector.matches(&pod.labels))
    }

    fn serves_namespace(&self, name: &ObjectName, policy: &Serving, namespace: &str) -> bool {
        match &policy.spec.namespaces {
            None => name.namespace == namespace,
            Some(namespaces) => {
                let labels = self.namespaces.get(namespace);
                name.namespace == self.root_namespace
                    && labels.is_some_and(|labels| namespaces.selector.matches(labels))
            }
        }
    }
}

fn claims_of<'a>(name: &'a ObjectName, policy: &'a Serving, pod: &Pod) -> impl Iterator<Item = Claim<'a>> {
    let from_root = name.namespace != pod.namespace;
    policy.spec.models.iter().map(move |model| {
        let is_pattern = model.contains('*');
        Claim {
            from_root,
            is_pattern,
            length: Reverse(if is_pattern { model.len() } else { 0 }),
            serves_all_pods: policy.spec.workloads.is_none(),
            created: policy.created,
            policy: name,
            model,
        }
    })
}

/// Of sorted claims, the first for each name or pattern.
fn winners<'a>(claims: &[Claim<'a>]) -> Vec<Claim<'a>> {
    let mut seen = BTreeSet::new();
    claims
        .iter()
        .filter(|claim| seen.insert(claim.model))
        .cloned()
        .collect()
}

/// Whether a pattern that matches `name` counts for more: one of the pod's own namespace, against a name of the root's.
fn is_overridden(name: &Claim<'_>, patterns: &[Claim<'_>]) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern < name && matches(pattern.model, name.model))
}

/// Whether `pattern`, with its one `*`, matches `model`.
fn matches(pattern: &str, model: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == model,
        Some((start, end)) => {
            model.len() >= start.len() + end.len() && model.starts_with(start) && model.ends_with(end)
        }
    }
}

/// What each policy lost by age or name alone. Every namespace is looked at as a pod without labels sees it, and as its
/// pods do.
pub(super) fn lost(world: &World, reach: &Reach, policies: &Policies) -> BTreeMap<ObjectName, Vec<Lost>> {
    let plain = reach.namespaces.keys().map(|namespace| Pod {
        namespace: namespace.clone(),
        labels: Labels::new(),
    });
    let views: BTreeSet<Pod> = plain.chain(told_apart(world, reach, policies)).collect();
    let mut lost: BTreeMap<ObjectName, BTreeSet<Lost>> = BTreeMap::new();
    for pod in &views {
        let mut claims = reach.claims(pod, policies);
        claims.sort();
        for (loser, winner) in conflicts(&claims) {
            let what = Lost {
                model: loser.model.to_owned(),
                winner: winner.policy.clone(),
            };
            lost.entry(loser.policy.clone()).or_default().insert(what);
        }
    }
    lost.into_iter()
        .map(|(loser, lost)| (loser, lost.into_iter().collect()))
        .collect()
}

/// The pods of `world` with no more of their labels than policies ask for. Most pods have a label that no other pod has.
fn told_apart<'a>(world: &'a World, reach: &'a Reach, policies: &'a Policies) -> impl Iterator<Item = Pod> + 'a {
    let mut asked: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    world.pods.iter().map(move |pod| {
        let asked = asked
            .entry(&pod.namespace)
            .or_insert_with_key(|namespace| reach.labels_asked(namespace, policies));
        let labels = pod.labels.iter().filter(|(key, _)| asked.contains(*key));
        Pod {
            namespace: pod.namespace.clone(),
            labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    })
}

/// Of sorted claims, those that lost by age or name alone, each with the winner.
fn conflicts<'c, 'a>(claims: &'c [Claim<'a>]) -> Vec<(&'c Claim<'a>, &'c Claim<'a>)> {
    let mut first: BTreeMap<&str, &Claim<'a>> = BTreeMap::new();
    let mut conflicts = Vec::new();
    for claim in claims {
        let winner = *first.entry(claim.model).or_insert(claim);
        let as_specific = winner.from_root == claim.from_root && winner.serves_all_pods == claim.serves_all_pods;
        if winner != claim && as_specific {
            conflicts.push((claim, winner));
        }
    }
    conflicts
}
