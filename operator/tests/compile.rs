//! What a World compiles to. The goldens hold input, output and status together; what happens over time is below.

#![cfg(test)]

mod support;

use pilotfish_operator::compile;
use pilotfish_operator::providers;
use pilotfish_operator::world::{Pod, World};
use support::{apply, goldens, printed, world};

/// Compares `goldens/<name>.yaml`, compiled for its pods, with `goldens/<name>.out`. `UPDATE_GOLDENS=1` writes it.
fn check(name: &str) {
    let world = world(&std::fs::read_to_string(goldens().join(format!("{name}.yaml"))).unwrap());
    let pods: Vec<Pod> = world.pods.iter().cloned().collect();
    // Another row of the provider table shall change no golden.
    let table = providers::unknown("");
    let table = table.split_once("known: ").unwrap().1;
    let found = printed(&compile(&world), &pods).replace(table, "…");
    let golden = goldens().join(format!("{name}.out"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(found, expected, "{}", golden.display());
}

#[test]
fn every_field_arrives_at_the_sidecar() {
    check("everything");
}

#[test]
fn what_is_left_out_has_its_default() {
    check("defaults");
}

#[test]
fn a_pod_is_sent_what_its_policies_reach_and_nothing_else() {
    check("closure");
}

#[test]
fn the_first_difference_decides_whose_word_counts() {
    check("precedence");
}

#[test]
fn only_age_and_name_make_a_conflict() {
    check("conflicts");
}

#[test]
fn a_deployment_lets_in_whom_it_says() {
    check("allowed-namespaces");
}

#[test]
fn a_policy_that_never_resolved_serves_with_what_does_and_says_what_does_not() {
    check("unresolved");
}

#[test]
fn a_key_is_a_hash_or_a_sentence() {
    check("keys");
}

#[test]
fn a_key_file_that_cannot_be_used_is_a_sentence() {
    check("key-files");
}

/// Compiles, and remembers what came into force.
fn settle(world: &mut World) -> compile::Compiled {
    let compiled = compile(world);
    world.in_force = compiled.in_force.clone();
    compiled
}

/// The deployments and the sentences of the only rule of `default/chat`, and what is said of the policy.
fn chat(compiled: &compile::Compiled) -> (String, String) {
    let pod = Pod {
        namespace: "default".to_owned(),
        labels: Default::default(),
    };
    let resources = compiled.for_pod(&pod).resources;
    let policy = resources
        .iter()
        .find(|resource| resource.name == "default/chat")
        .map(|resource| {
            let policy: pilotfish_wire::Policy = serde_json::from_str(resource.body.get()).unwrap();
            let targets = policy.rules[0]
                .targets
                .iter()
                .map(|target| format!("{}={}", target.deployment, target.weight));
            let missing = policy.rules[0]
                .unavailable
                .iter()
                .map(|target| format!("!{}", target.deployment));
            targets.chain(missing).collect::<Vec<_>>().join(" ")
        });
    let verdict = compiled
        .policy_verdicts
        .iter()
        .find(|(name, _)| name.name == "chat")
        .map(|(_, verdict)| {
            let held = if verdict.held { "held: " } else { "" };
            format!("{held}{}", verdict.sentence())
        });
    (policy.unwrap_or_default(), verdict.unwrap_or_default())
}

fn deployment(name: &str, secret: &str) -> String {
    format!(
        "---\nkind: ModelDeployment\nmetadata: {{name: {name}}}\nspec: {{provider: OpenAI, model: m, \
         credentials: {{secretKeyRef: {{name: {secret}, key: api-key}}}}}}\n"
    )
}

fn policy(targets: &[(&str, u32)]) -> String {
    let targets: Vec<_> = targets
        .iter()
        .map(|(name, weight)| format!("{{deploymentRef: {{name: {name}}}, weight: {weight}}}"))
        .collect();
    format!(
        "---\nkind: RoutingPolicy\nmetadata: {{name: chat}}\nspec: {{models: [chat], rules: [{{name: all, \
         targets: [{}]}}]}}\n",
        targets.join(", ")
    )
}

fn secret(name: &str) -> String {
    format!("---\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{api-key: k}}\n")
}

/// A World in which `chat` is in force with deployments `a` and `b`, each with a Secret of its own.
fn in_force() -> World {
    let mut world = world(&[deployment("a", "a"), deployment("b", "b"), secret("a"), secret("b")].concat());
    apply(&mut world, &policy(&[("a", 1), ("b", 1)]));
    assert_eq!(chat(&settle(&mut world)).0, "default/a=1 default/b=1");
    world
}

#[test]
fn an_edit_that_does_not_resolve_leaves_the_one_before_in_force() {
    let mut world = in_force();
    apply(&mut world, &policy(&[("a", 9), ("typo", 1)]));
    let said = "held: deployment default/typo does not exist".to_owned();
    assert_eq!(chat(&settle(&mut world)), ("default/a=1 default/b=1".to_owned(), said));

    apply(&mut world, &[deployment("typo", "a")].concat());
    assert_eq!(
        chat(&settle(&mut world)),
        ("default/a=9 default/typo=1".to_owned(), String::new())
    );
}

#[test]
fn what_is_held_says_what_it_lacks_by_now() {
    let missing = |world: &mut World| -> Vec<String> {
        let compiled = settle(world);
        let verdicts = compiled
            .policy_verdicts
            .values()
            .chain(compiled.deployment_verdicts.values());
        let missing = verdicts.flat_map(|verdict| &verdict.missing);
        missing.map(|finding| finding.sentence.clone()).collect()
    };
    let mut world = in_force();
    apply(&mut world, &policy(&[("typo", 1)]));
    apply(&mut world, &deployment("b", "none"));
    assert_eq!(missing(&mut world), [""; 0]);
    world.secrets.retain(|name, _| name.name != "b");
    let gone = "Secret default/b does not exist";
    let found = missing(&mut world);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with(&format!("deployment default/b is not in force: {gone}")),
        "{found:?}"
    );
    assert!(found[1].starts_with(gone), "{found:?}");
    world.deployments.clear();
    let gone = ["a", "b"].map(|name| format!("deployment default/{name} does not exist"));
    assert_eq!(missing(&mut world), gone);
}

#[test]
fn an_edit_that_is_taken_back_is_no_edit() {
    let mut world = in_force();
    apply(&mut world, &policy(&[("typo", 1)]));
    settle(&mut world);
    apply(&mut world, &policy(&[("a", 1), ("b", 1)]));
    assert_eq!(
        chat(&settle(&mut world)),
        ("default/a=1 default/b=1".to_owned(), String::new())
    );
}

#[test]
fn an_edit_that_contradicts_itself_is_held_too() {
    let mut world = in_force();
    apply(&mut world, &policy(&[("a", 0)]));
    let said = "held: spec.rules[0].targets: at least one target of a rule must have a weight above 0".to_owned();
    assert_eq!(chat(&settle(&mut world)), ("default/a=1 default/b=1".to_owned(), said));
}

#[test]
fn an_object_that_cannot_be_read_keeps_what_it_had() {
    let mut world = in_force();
    apply(
        &mut world,
        "kind: RoutingPolicy\nmetadata: {name: chat}\nspec: {models: 5}",
    );
    let (targets, said) = chat(&settle(&mut world));
    assert_eq!(targets, "default/a=1 default/b=1");
    assert_eq!(said, "held: invalid type: integer `5`, expected a sequence");
}

#[test]
fn what_is_deleted_drops_out_at_once() {
    let said = |sentence: &str| sentence.to_owned();
    let mut world = in_force();
    world.deployments.retain(|name, _| name.name != "b");
    let expected = (
        "default/a=1 !default/b".to_owned(),
        said("deployment default/b does not exist"),
    );
    assert_eq!(chat(&settle(&mut world)), expected);

    world.secrets.retain(|name, _| name.name != "a");
    let (targets, sentence) = chat(&settle(&mut world));
    assert_eq!(targets, "!default/a !default/b");
    assert!(
        sentence.contains("deployment default/a is not in force: Secret default/a does not exist"),
        "{sentence}"
    );

    apply(&mut world, &[secret("a"), deployment("b", "b")].concat());
    assert_eq!(chat(&settle(&mut world)).0, "default/a=1 default/b=1");

    world.policies.clear();
    assert_eq!(chat(&settle(&mut world)), (String::new(), String::new()));
}

#[test]
fn a_deployment_s_edit_is_held_and_its_policies_go_on() {
    let mut world = in_force();
    apply(&mut world, &deployment("a", "gone"));
    let compiled = settle(&mut world);
    assert_eq!(chat(&compiled), ("default/a=1 default/b=1".to_owned(), String::new()));
    let verdict = compiled
        .deployment_verdicts
        .iter()
        .find(|(name, _)| name.name == "a")
        .unwrap()
        .1;
    assert!(
        verdict.held && verdict.sentence().starts_with("Secret default/gone does not exist"),
        "{verdict:?}"
    );
}

#[test]
fn a_policy_that_comes_before_its_deployments_serves_once_they_are_there() {
    let mut world = world(&policy(&[("a", 1), ("b", 1)]));
    assert_eq!(chat(&settle(&mut world)).0, "!default/a !default/b");
    apply(&mut world, &[deployment("a", "a"), secret("a")].concat());
    assert_eq!(chat(&settle(&mut world)).0, "default/a=1 !default/b");
    assert!(world.in_force.policies.is_empty());
    apply(&mut world, &[deployment("b", "a")].concat());
    assert_eq!(
        chat(&settle(&mut world)),
        ("default/a=1 default/b=1".to_owned(), String::new())
    );
    assert_eq!(world.in_force.policies.len(), 1);
}

#[test]
fn a_deleted_object_is_forgotten() {
    let mut world = in_force();
    let policies = std::mem::take(&mut world.policies);
    settle(&mut world);
    assert!(world.in_force.policies.is_empty());

    world.policies = policies;
    apply(&mut world, &policy(&[("a", 1), ("typo", 1)]));
    let (targets, said) = chat(&settle(&mut world));
    assert_eq!(
        (targets.as_str(), said.as_str()),
        ("default/a=1 !default/typo", "deployment default/typo does not exist")
    );
}

/// The API server refuses it; one that it took before the schema said so is told by its status.
#[test]
fn a_selector_that_no_label_can_match_is_a_fault_at_its_field() {
    let mut world = in_force();
    let selector = "{selector: {matchLabels: {role: 'bad value!'}}}";
    let spoilt = policy(&[("a", 1)]).replace("spec: {", &format!("spec: {{workloads: {selector}, "));
    apply(&mut world, &spoilt);
    let (_, said) = chat(&settle(&mut world));
    assert_eq!(
        said,
        "held: spec.workloads.selector.matchLabels: a label's value must be at most 63 letters, digits, -, _ and ., \
         starting and ending with a letter or digit"
    );
}
