//! Whole reviews and their whole answers.

use super::*;
use crate::inject::Resources;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

fn judge() -> Judge {
    Judge {
        settings: Settings {
            image: "sidecar:1".to_owned(),
            operator: "operator:4443".to_owned(),
            operator_name: "operator".to_owned(),
            operator_namespace: "pilotfish-system".to_owned(),
            telemetry_host: "0.0.0.0".to_owned(),
            resources: Resources::default(),
        },
        trusted: Arc::new(Trusted::new(&["sidecar:1".to_owned()])),
        root_namespace: "pilotfish-system".to_owned(),
    }
}

/// A review as an API server sends it, of `operation` on an object in namespace `shop`.
fn review(kind: &Value, operation: &str, object: &Value, old: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5", "kind": kind, "resource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "a", "namespace": "shop", "operation": operation, "userInfo": {"username": "admin"},
            "object": object, "oldObject": old, "dryRun": false, "options": null,
        },
    })
}

fn answer(webhook: Webhook, review: &Value) -> Result<(Verdict, Value), String> {
    let answered = judge().answer(webhook, review.to_string().as_bytes());
    let (verdict, answer) = answered.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    let response = &answer["response"];
    assert_eq!(response["uid"], "705ab4f5");
    assert_eq!(response["allowed"], verdict != Verdict::Refused);
    Ok((verdict, response.clone()))
}

fn pod_review(object: &Value) -> Value {
    review(
        &json!({"group": "", "version": "v1", "kind": "Pod"}),
        "CREATE",
        object,
        &Value::Null,
    )
}

fn policy_review(operation: &str, spec: &Value, old: &Value) -> Value {
    let object = |spec: &Value| match spec {
        Value::Null => Value::Null,
        spec => json!({
            "apiVersion": "pilotfish.dev/v1alpha1", "kind": "RoutingPolicy", "metadata": {"name": "a"}, "spec": spec,
        }),
    };
    let kind = json!({"group": "pilotfish.dev", "version": "v1alpha1", "kind": "RoutingPolicy"});
    review(&kind, operation, &object(spec), &object(old))
}

fn policy(namespaces: bool) -> Value {
    let mut spec =
        json!({"models": ["chat"], "rules": [{"name": "default", "targets": [{"deploymentRef": {"name": "a"}}]}]});
    if namespaces {
        spec["namespaces"] = json!({"selector": {}});
    }
    spec
}

const ONLY_ROOT: &str =
    "spec.namespaces: only policies of the root namespace \"pilotfish-system\" may serve other namespaces";

#[test]
fn a_pod_is_answered_with_the_patch_that_injection_makes() {
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}});
    let (verdict, response) = answer(Webhook::Inject, &pod_review(&object)).unwrap();
    assert_eq!(
        (verdict, &response["patchType"]),
        (Verdict::Patched, &json!("JSONPatch"))
    );
    // The bytes of a patch are base64 on the wire; kube writes them as a list, which an API server takes as well.
    let bytes: Vec<u8> = match &response["patch"] {
        Value::String(text) => STANDARD.decode(text).unwrap(),
        list => serde_json::from_value(list.clone()).unwrap(),
    };
    let pod: Pod = serde_json::from_value(object).unwrap();
    let expected = inject(&pod, "shop", &judge().settings, &judge().trusted)
        .unwrap()
        .unwrap();
    assert_eq!(serde_json::from_slice::<json_patch::Patch>(&bytes).unwrap(), expected);
}

#[test]
fn a_pod_that_nobody_can_mean_is_refused_with_the_sentence() {
    let object = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"pilotfish.dev/inject": "yes"}},
        "spec": {"containers": [{"name": "app"}]},
    });
    let (verdict, response) = answer(Webhook::Inject, &pod_review(&object)).unwrap();
    assert_eq!(verdict, Verdict::Refused);
    let sentence = r#"label pilotfish.dev/inject is "yes"; it may be "true" or "false""#;
    assert_eq!(response["status"]["message"], sentence);
}

#[test]
fn a_pod_that_opted_out_or_cannot_be_read_is_answered_too() {
    let out = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"pilotfish.dev/inject": "false"}}});
    assert_eq!(answer(Webhook::Inject, &pod_review(&out)).unwrap().0, Verdict::Allowed);
    let broken = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": 7}});
    let (verdict, response) = answer(Webhook::Inject, &pod_review(&broken)).unwrap();
    assert_eq!(verdict, Verdict::Refused);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("the pod cannot be read: "), "{message}");
}

#[test]
fn a_document_of_ours_is_judged_in_the_words_of_the_compiler() {
    let (verdict, _) = answer(
        Webhook::Validate,
        &policy_review("CREATE", &policy(false), &Value::Null),
    )
    .unwrap();
    assert_eq!(verdict, Verdict::Allowed);
    let (verdict, response) = answer(Webhook::Validate, &policy_review("CREATE", &policy(true), &Value::Null)).unwrap();
    assert_eq!(
        (verdict, &response["status"]["message"]),
        (Verdict::Refused, &json!(ONLY_ROOT))
    );
}

#[test]
fn what_was_always_wrong_is_no_reason_against_another_change() {
    let (verdict, _) = answer(
        Webhook::Validate,
        &policy_review("UPDATE", &policy(true), &policy(true)),
    )
    .unwrap();
    assert_eq!(verdict, Verdict::Allowed);
    let (verdict, _) = answer(
        Webhook::Validate,
        &policy_review("UPDATE", &policy(true), &policy(false)),
    )
    .unwrap();
    assert_eq!(verdict, Verdict::Refused);
    let (verdict, _) = answer(Webhook::Validate, &policy_review("DELETE", &Value::Null, &policy(true))).unwrap();
    assert_eq!(verdict, Verdict::Allowed);
}

#[test]
fn a_document_of_another_version_is_refused_with_what_cannot_be_read() {
    let spec = json!({"models": ["chat"], "rules": "none"});
    let (verdict, response) = answer(Webhook::Validate, &policy_review("CREATE", &spec, &Value::Null)).unwrap();
    assert_eq!(verdict, Verdict::Refused);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("spec: invalid type: string \"none\""), "{message}");
}

#[test]
fn a_question_that_nobody_asks_is_an_error_with_a_sentence() {
    let kind = |group: &str, kind: &str| json!({"group": group, "version": "v1", "kind": kind});
    let nothing = Value::Null;
    for (webhook, question, sentence) in [
        (Webhook::Inject, json!({}), "the body is no AdmissionReview"),
        (Webhook::Inject, json!([]), "the body is no AdmissionReview"),
        (
            Webhook::Inject,
            json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}),
            "the AdmissionReview has no request",
        ),
        (
            Webhook::Inject,
            review(&kind("apps", "Deployment"), "CREATE", &nothing, &nothing),
            "/inject does not judge Deployment of \"apps\"",
        ),
        (
            Webhook::Validate,
            review(
                &kind("pilotfish.dev", "Budget"),
                "UPDATE",
                &json!({"spec": 1}),
                &json!({"spec": 2}),
            ),
            "/validate does not judge Budget of \"pilotfish.dev\"",
        ),
        (
            Webhook::Inject,
            review(&kind("", "Pod"), "CREATE", &nothing, &nothing),
            "the AdmissionReview has no object",
        ),
    ] {
        let said = answer(webhook, &question).unwrap_err();
        assert!(said.starts_with(sentence), "{question}: {said}");
    }
}
