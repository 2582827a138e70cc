//! RoutingPolicies: each with the targets that can be used, and a sentence for every other one.

use super::deployment::Deployed;
use super::standing::{Findings, settle};
use super::verdict::{Finding, Reason, Verdict};
use crate::validate;
use crate::world::{Generation, InForce, Object, ObjectName, World};
use pilotfish_crds::deployment::{AllowedFrom, AllowedNamespaces};
use pilotfish_crds::policy::{
    AffinityMode, Authentication, DeploymentRef, OnAmbiguous, OnLoss, Requirement, RoutingRule, Strategy, StrategyType,
    Target, Timeouts, Translation, When,
};
use pilotfish_crds::scalar::Duration;
use pilotfish_crds::{RoutingPolicySpec, policy as crd};
use pilotfish_wire as wire;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long a conversation may be silent where the policy's own text is no duration.
const AN_HOUR_MS: u64 = 3_600_000;

type Usable = BTreeMap<ObjectName, Result<Deployed, String>>;

/// All policies.
#[derive(Debug, Default)]
pub(super) struct Policies {
    pub(super) serving: BTreeMap<ObjectName, Serving>,
    pub(super) verdicts: BTreeMap<ObjectName, Verdict>,
}

/// A policy that answers for its names, if only with 503.
#[derive(Debug)]
pub(super) struct Serving {
    /// The spec that serves, which need not be the one that is written.
    pub(super) spec: RoutingPolicySpec,
    /// When the object was created.
    pub(super) created: i64,
    pub(super) resource: Arc<wire::Resource>,
    /// The deployments that its rules reach.
    pub(super) reaches: BTreeSet<ObjectName>,
}

pub(super) fn compile(world: &World, usable: &Usable, in_force: &mut InForce) -> Policies {
    let mut all = Policies::default();
    for (name, object) in &world.policies {
        let view = View { world, usable, name };
        let before = world.in_force.policies.get(name);
        let (mut verdict, serving) = settle(object, before, view.findings(object));
        if let Some(serving) = &serving {
            if verdict.held {
                verdict.missing = view.unresolved(&serving.spec);
            }
            in_force.policies.insert(name.clone(), serving.clone());
        }
        if let Some(serving) = serving.or_else(|| provisional(object, &verdict)) {
            all.serving.insert(name.clone(), view.serve(serving, object.created));
        }
        all.verdicts.insert(name.clone(), verdict);
    }
    all
}

/// A policy that was never in force serves with what resolves, as long as it makes sense by itself.
fn provisional(object: &Object<RoutingPolicySpec>, verdict: &Verdict) -> Option<Generation<RoutingPolicySpec>> {
    let spec = object.spec.as_ref().ok().filter(|_| verdict.faults.is_empty())?;
    Some(Generation {
        number: object.generation,
        spec: spec.clone(),
    })
}

/// The World as one policy sees it.
struct View<'w> {
    world: &'w World,
    usable: &'w Usable,
    name: &'w ObjectName,
}

impl View<'_> {
    /// What is wrong with the object by itself, and which of its targets cannot be used.
    fn findings(&self, object: &Object<RoutingPolicySpec>) -> Findings {
        let spec = match &object.spec {
            Ok(spec) => spec,
            Err(why) => return Findings::undecodable(why),
        };
        let faults = validate::policy(spec, &self.name.namespace, &self.world.root_namespace);
        Findings {
            faults: faults.into_iter().map(Finding::from).collect(),
            unresolved: self.unresolved(spec),
        }
    }

    fn unresolved(&self, spec: &RoutingPolicySpec) -> Vec<Finding> {
        let targets = spec.rules.iter().flat_map(|rule| &rule.targets);
        targets
            .filter_map(|target| self.reach(&target.deployment_ref).err())
            .collect()
    }

    /// The deployment that `reference` means, if this policy may route to it and it can be called.
    fn reach(&self, reference: &DeploymentRef) -> Result<ObjectName, Finding> {
        let name = self.deployment_name(reference);
        match self.usable.get(&name) {
            None => {
                let sentence = format!("deployment {name} does not exist");
                Err(Finding::new(Reason::DeploymentNotFound, sentence))
            }
            Some(Err(why)) => {
                let sentence = format!("deployment {name} is not in force: {why}");
                Err(Finding::new(Reason::DeploymentNotInForce, sentence))
            }
            Some(Ok(deployed)) if !self.is_let_in(&name, &deployed.allowed) => {
                let namespace = &self.name.namespace;
                let sentence = format!("deployment {name} allows no policies of namespace {namespace}");
                Err(Finding::new(Reason::NotAllowed, sentence))
            }
            Some(Ok(_)) => Ok(name),
        }
    }

    fn deployment_name(&self, reference: &DeploymentRef) -> ObjectName {
        let namespace = reference.namespace.as_ref().unwrap_or(&self.name.namespace);
        ObjectName::new(namespace, &reference.name)
    }

    /// Whether a deployment lets this policy's namespace in. The pod's namespace plays no part.
    fn is_let_in(&self, deployment: &ObjectName, allowed: &AllowedNamespaces) -> bool {
        let own = self.name.namespace == deployment.namespace;
        own || match allowed.from {
            AllowedFrom::Same => false,
            AllowedFrom::All => true,
            AllowedFrom::Selector => {
                let labels = self.world.namespace_labels(&self.name.namespace);
                allowed
                    .selector
                    .as_ref()
                    .is_some_and(|selector| selector.matches(&labels))
            }
        }
    }

    fn serve(&self, generation: Generation<RoutingPolicySpec>, created: i64) -> Serving {
        let Generation { number, spec } = generation;
        let targets = spec.rules.iter().flat_map(|rule| &rule.targets);
        let reaches = targets
            .filter_map(|target| self.reach(&target.deployment_ref).ok())
            .collect();
        let body = wire::Policy {
            generation: number,
            rules: spec.rules.iter().map(|rule| self.rule(rule)).collect(),
            affinity: affinity(&spec.affinity),
            retry: retry(&spec.retry),
            timeouts: spec.timeouts.as_ref().map(timeouts).unwrap_or_default(),
            on_loss: on_loss(spec.translation.on_loss),
            fetch_images: fetch_images(&spec.translation),
            authentication: authentication(spec.authentication),
        };
        let resource = Arc::new(wire::Resource::new(wire::Kind::Policy, self.name.to_string(), &body));
        Serving {
            spec,
            created,
            resource,
            reaches,
        }
    }

    fn rule(&self, rule: &RoutingRule) -> wire::Rule {
        let RoutingRule {
            name,
            when,
            strategy,
            targets,
        } = rule;
        // The sidecar knows no other strategy yet; the next one to come must be said here.
        let Strategy {
            type_: StrategyType::Weighted,
        } = strategy;
        let mut usable = Vec::new();
        let mut unavailable = Vec::new();
        for target in targets {
            match self.reach(&target.deployment_ref) {
                Ok(deployment) => usable.push(self::target(&deployment, target)),
                Err(finding) => unavailable.push(wire::Unavailable {
                    deployment: self.deployment_name(&target.deployment_ref).to_string(),
                    reason: finding.sentence,
                }),
            }
        }
        wire::Rule {
            name: name.clone(),
            when: when.as_ref().map(self::when),
            targets: usable,
            unavailable,
        }
    }
}

fn target(deployment: &ObjectName, target: &Target) -> wire::Target {
    let Target {
        deployment_ref: _,
        weight,
        tier,
    } = target;
    wire::Target {
        deployment: deployment.to_string(),
        weight: natural(*weight),
        tier: natural(*tier),
    }
}

/// The schema rules out what is below zero.
fn natural(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn when(when: &When) -> wire::When {
    let When {
        min_input_tokens,
        headers,
        key_labels,
        model_prefix,
        tags,
    } = when;
    let header = |header: &crd::HeaderMatch| wire::HeaderMatch {
        name: header.name.to_ascii_lowercase(),
        value: header.value.clone(),
    };
    wire::When {
        min_input_tokens: min_input_tokens.and_then(|tokens| u64::try_from(tokens).ok()),
        headers: headers.iter().map(header).collect(),
        key_labels: key_labels.clone(),
        model_prefix: model_prefix.clone(),
        tags: tags.clone(),
    }
}

fn affinity(affinity: &crd::Affinity) -> wire::Affinity {
    let crd::Affinity {
        mode,
        headers,
        idle_timeout,
    } = affinity;
    wire::Affinity {
        mode: match mode {
            AffinityMode::Prefer => wire::AffinityMode::Prefer,
            AffinityMode::Require => wire::AffinityMode::Require,
            AffinityMode::Off => wire::AffinityMode::Off,
        },
        headers: headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
        idle_timeout_ms: idle_timeout.milliseconds().unwrap_or(AN_HOUR_MS),
    }
}

fn retry(retry: &crd::Retry) -> wire::Retry {
    let crd::Retry {
        attempts,
        budget_percent,
        on_ambiguous,
    } = retry;
    wire::Retry {
        attempts: natural(*attempts).max(1),
        budget_percent: natural(*budget_percent),
        on_ambiguous: match on_ambiguous {
            OnAmbiguous::Failover => wire::OnAmbiguous::Failover,
            OnAmbiguous::Refuse => wire::OnAmbiguous::Refuse,
        },
    }
}

fn timeouts(timeouts: &Timeouts) -> wire::Timeouts {
    let Timeouts {
        first_token,
        idle,
        attempt,
        total,
    } = timeouts;
    let milliseconds = |duration: &Option<Duration>| duration.as_ref().and_then(Duration::milliseconds);
    wire::Timeouts {
        connect_ms: None,
        first_token_ms: milliseconds(first_token),
        idle_ms: milliseconds(idle),
        attempt_ms: milliseconds(attempt),
        total_ms: milliseconds(total),
    }
}

fn on_loss(on_loss: OnLoss) -> wire::OnLoss {
    match on_loss {
        OnLoss::Refuse => wire::OnLoss::Refuse,
        OnLoss::Warn => wire::OnLoss::Warn,
    }
}

fn fetch_images(translation: &Translation) -> Vec<String> {
    let hosts = translation.fetch_images.iter().flat_map(|images| &images.hosts);
    hosts.cloned().collect()
}

fn authentication(authentication: Option<Authentication>) -> wire::Authentication {
    match authentication {
        None => wire::Authentication::Pod,
        Some(Authentication {
            require: Requirement::VirtualKey,
        }) => wire::Authentication::VirtualKey,
    }
}
