//! One RoutingPolicy by itself, and where it stands.

use super::{Fault, Faults, is_lower_case_header};
use pilotfish_crds::policy::{DeploymentRef, RoutingRule, Timeouts, When};
use pilotfish_crds::{RoutingPolicySpec, rules};

/// What is wrong with a policy of `namespace`; nothing, if it may be admitted.
pub fn policy(spec: &RoutingPolicySpec, namespace: &str, root_namespace: &str) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.models("spec.models", &spec.models);
    check_reach(&mut faults, spec, namespace, root_namespace);
    check_order(&mut faults, &spec.rules);
    for (index, rule) in spec.rules.iter().enumerate() {
        check_rule(&mut faults, &format!("spec.rules[{index}]"), rule, namespace);
    }
    let lower_case = spec.affinity.headers.iter().all(|name| is_lower_case_header(name));
    faults.check(lower_case, "spec.affinity.headers", rules::HEADER_NAMES_IN_LOWER_CASE);
    faults.durations(
        "spec.affinity",
        &[("idleTimeout", &Some(spec.affinity.idle_timeout.clone()))],
    );
    check_timeouts(&mut faults, spec.timeouts.as_ref());
    if let Some(images) = &spec.translation.fetch_images {
        let all = images.hosts.iter().all(|host| is_of_the_internet(host));
        faults.check(all, "spec.translation.fetchImages.hosts", rules::HOSTS_OF_THE_INTERNET);
    }
    faults.0
}

/// As the expression of [`rules::HOSTS_OF_THE_INTERNET`].
fn is_of_the_internet(host: &str) -> bool {
    let Some((names, last)) = host.strip_prefix("*.").unwrap_or(host).rsplit_once('.') else {
        return false;
    };
    let is_private = ["local", "internal", "svc", "localhost", "localdomain"].contains(&last);
    let begins_well = last.len() > 1 && last.starts_with(|c: char| c.is_ascii_lowercase());
    names.split('.').all(is_label) && is_label(last) && begins_well && !is_private
}

fn is_label(label: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    label.starts_with(letter) && label.ends_with(letter) && label.chars().all(|c| letter(c) || c == '-')
}

/// Whom it serves.
fn check_reach(faults: &mut Faults, spec: &RoutingPolicySpec, namespace: &str, root_namespace: &str) {
    if let Some(namespaces) = &spec.namespaces {
        faults.selector("spec.namespaces.selector", &namespaces.selector);
        if namespace != root_namespace {
            let sentence = format!("only policies of the root namespace {root_namespace:?} may serve other namespaces");
            faults.push("spec.namespaces", sentence);
        }
    }
    if let Some(workloads) = &spec.workloads {
        faults.selector("spec.workloads.selector", &workloads.selector);
    }
}

fn check_order(faults: &mut Faults, list: &[RoutingRule]) {
    let last_matches_all = list.last().is_some_and(|rule| rule.when.is_none());
    faults.check(last_matches_all, "spec.rules", rules::LAST_RULE_MATCHES_ALL);
    let without_when = list.iter().filter(|rule| rule.when.is_none()).count();
    faults.check(without_when < 2, "spec.rules", rules::ONLY_LAST_RULE_MATCHES_ALL);
}

fn check_rule(faults: &mut Faults, path: &str, rule: &RoutingRule, namespace: &str) {
    if let Some(when) = &rule.when {
        check_when(faults, &format!("{path}.when"), when);
    }
    let targets = format!("{path}.targets");
    let named: Vec<_> = rule
        .targets
        .iter()
        .map(|target| full_name(&target.deployment_ref, namespace))
        .collect();
    let distinct = named
        .iter()
        .enumerate()
        .all(|(index, name)| !named[..index].contains(name));
    faults.check(distinct, &targets, rules::TARGETS_ARE_DISTINCT);
    let weighs = rule.targets.iter().any(|target| target.weight > 0);
    faults.check(weighs, &targets, rules::SOME_TARGET_HAS_WEIGHT);
}

/// A namespace left out is the policy's own. CEL does not know that one, so it finds fewer targets to be the same.
fn full_name<'a>(target: &'a DeploymentRef, namespace: &'a str) -> (&'a str, &'a str) {
    (target.namespace.as_deref().unwrap_or(namespace), &target.name)
}

fn check_when(faults: &mut Faults, path: &str, when: &When) {
    let When {
        min_input_tokens,
        headers,
        key_labels,
        model_prefix,
        tags,
    } = when;
    let says_something = min_input_tokens.is_some()
        || !headers.is_empty()
        || !key_labels.is_empty()
        || model_prefix.is_some()
        || !tags.is_empty();
    faults.check(says_something, path, rules::WHEN_SAYS_SOMETHING);
    faults.labels(&format!("{path}.keyLabels"), key_labels);
    for (index, header) in headers.iter().enumerate() {
        let path = format!("{path}.headers[{index}].name");
        faults.check(
            is_lower_case_header(&header.name),
            path,
            rules::HEADER_NAME_IN_LOWER_CASE,
        );
    }
}

fn check_timeouts(faults: &mut Faults, timeouts: Option<&Timeouts>) {
    let Some(timeouts) = timeouts else { return };
    let fields = [
        ("firstToken", &timeouts.first_token),
        ("idle", &timeouts.idle),
        ("attempt", &timeouts.attempt),
        ("total", &timeouts.total),
    ];
    faults.durations("spec.timeouts", &fields);
}
