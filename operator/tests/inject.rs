//! What injection makes of whole pods.

#![cfg(test)]

use k8s_openapi::api::core::v1::Pod;
use pilotfish_operator::identity::Trusted;
use pilotfish_operator::inject::{Resources, Settings, inject};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn settings() -> Settings {
    let figures = [
        ("cpu-request", "20m"),
        ("memory-request", "48Mi"),
        ("memory-limit", "256Mi"),
    ];
    let figures: BTreeMap<_, _> = figures.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Settings {
        image: "registry.example/pilotfish-sidecar:0.1.0".to_owned(),
        operator: "pilotfish-operator.pilotfish-system.svc:4443".to_owned(),
        operator_name: "pilotfish-operator.pilotfish-system.svc".to_owned(),
        operator_namespace: "pilotfish-system".to_owned(),
        telemetry_host: "0.0.0.0".to_owned(),
        resources: Resources::default().overridden("", |name| figures.get(name)).unwrap(),
    }
}

fn trusted() -> Trusted {
    Trusted::new(&[settings().image])
}

/// `text` after injection: the pod, or the sentence with which it is refused.
fn outcome(text: &str, settings: &Settings) -> Result<Value, String> {
    let before: Value = serde_yaml::from_str(text).unwrap();
    let pod: Pod = serde_json::from_value(before.clone()).unwrap();
    let namespace = pod.metadata.namespace.clone().unwrap_or_else(|| "shop".to_owned());
    let mut after = before;
    if let Some(patch) = inject(&pod, &namespace, settings, &trusted()).map_err(|refusal| refusal.to_string())? {
        json_patch::patch(&mut after, &patch).unwrap();
    }
    Ok(after)
}

/// That the pod is one that an API server knows every field of, and that injecting it once more changes nothing.
fn check_result(after: &Value, settings: &Settings) {
    let pod: Pod = serde_json::from_value(after.clone()).unwrap();
    assert_eq!(
        &serde_json::to_value(&pod).unwrap()["spec"],
        &after["spec"],
        "a field that pods do not have"
    );
    let again = outcome(&serde_yaml::to_string(after).unwrap(), settings).unwrap();
    assert_eq!(&again, after, "injected twice");
}

/// Compares `goldens/inject/<name>.yaml` after injection with `<name>.out`. `UPDATE_GOLDENS=1` writes it.
fn check(name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/inject");
    let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
    let after = outcome(&text, &settings()).unwrap();
    check_result(&after, &settings());
    let found = serde_yaml::to_string(&after).unwrap();
    let golden = folder.join(format!("{name}.out"));
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    assert_eq!(
        found,
        std::fs::read_to_string(&golden).unwrap_or_default(),
        "{}",
        golden.display()
    );
}

/// A pod with `metadata` and `spec`, each as YAML in one line.
fn pod(metadata: &str, spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec: {spec}\n")
}

const APP: &str = "{containers: [{name: app, image: app}]}";

#[test]
fn a_pod_gets_a_sidecar_that_all_its_containers_find() {
    check("plain");
}

#[test]
fn what_the_author_set_stays() {
    check("kept");
}

#[test]
fn annotations_size_the_sidecar_and_let_the_application_start_at_once() {
    check("annotated");
}

#[test]
fn a_sidecar_shares_what_its_pod_asks_for_as_a_whole() {
    check("whole");
}

#[test]
fn a_sidecar_written_by_hand_is_left_alone() {
    check("by-hand");
}

#[test]
fn a_pod_that_cannot_have_one_is_let_in_with_the_reason() {
    check("host-network");
}

#[test]
fn nothing_is_changed_where_nobody_asked() {
    for pod in [
        pod("{name: p, labels: {pilotfish.dev/inject: 'false'}}", APP),
        pod(
            "{name: p, namespace: kube-system, labels: {pilotfish.dev/inject: 'true'}}",
            APP,
        ),
        pod(
            "{name: p, namespace: pilotfish-system, labels: {pilotfish.dev/inject: 'true'}}",
            APP,
        ),
        pod("{name: p, annotations: {kubernetes.io/config.mirror: abc}}", APP),
    ] {
        let before: Value = serde_yaml::from_str(&pod).unwrap();
        assert_eq!(outcome(&pod, &settings()), Ok(before));
    }
}

#[test]
fn a_pod_that_asks_for_what_cannot_be_is_refused() {
    let asks = "{labels: {pilotfish.dev/inject: 'true'}}";
    for (field, sentence) in [
        (
            "hostNetwork: true",
            "a pod with hostNetwork cannot have a sidecar: its port would be open to everything on the node",
        ),
        (
            "shareProcessNamespace: true",
            "a pod with shareProcessNamespace cannot have a sidecar: its containers could read the providers' keys",
        ),
        (
            "hostPID: true",
            "a pod with hostPID cannot have a sidecar: its containers could read the providers' keys",
        ),
        ("os: {name: windows}", "a pod for Windows cannot have a sidecar"),
        (
            "nodeSelector: {kubernetes.io/os: windows}",
            "a pod for Windows cannot have a sidecar",
        ),
    ] {
        let spec = format!("{{{field}, containers: [{{name: app}}]}}");
        let expected = format!("{sentence}, and the pod asks for one by the label pilotfish.dev/inject");
        assert_eq!(outcome(&pod(asks, &spec), &settings()), Err(expected));
        let let_in = outcome(&pod("{name: p}", &spec), &settings()).unwrap();
        let reason = format!("{{\"skipped\":\"{sentence}\"}}");
        assert_eq!(let_in["metadata"]["annotations"]["pilotfish.dev/injected"], reason);
        check_result(&let_in, &settings());
    }
}

#[test]
fn what_nobody_can_mean_is_refused_with_a_sentence() {
    for (metadata, spec, sentence) in [
        (
            "{labels: {pilotfish.dev/inject: enabled}}",
            APP,
            r#"label pilotfish.dev/inject is "enabled"; it may be "true" or "false""#,
        ),
        (
            "{annotations: {pilotfish.dev/start: proceed}}",
            APP,
            r#"annotation pilotfish.dev/start is "proceed"; it may be Wait or Proceed"#,
        ),
        (
            "{labels: {pilotfish.dev/sidecar: 'false'}}",
            APP,
            r#"label pilotfish.dev/sidecar is "false"; it is set by injection, and a pod opts out by the label pilotfish.dev/inject: "false""#,
        ),
        (
            "{name: p}",
            "{containers: [{name: pilotfish}]}",
            r#"container pilotfish is there and the label pilotfish.dev/sidecar: "true" is not; a pod with a sidecar written by hand needs both"#,
        ),
        (
            "{name: p}",
            "{containers: [{name: app}], volumes: [{name: pilotfish-state, emptyDir: {}}]}",
            "volume pilotfish-state belongs to a sidecar, and there is no container pilotfish; leave both to injection or write both",
        ),
        (
            "{name: p}",
            "{containers: [{name: app, volumeMounts: [{name: pilotfish-state, mountPath: /x}]}]}",
            "container app mounts volume pilotfish-state, which belongs to the sidecar alone",
        ),
        (
            "{name: p}",
            "{containers: [{name: app}], initContainers: [{name: first, volumeMounts: [{name: pilotfish-token, mountPath: /x}]}]}",
            "container first mounts volume pilotfish-token, which belongs to the sidecar alone",
        ),
        (
            "{name: p}",
            "{containers: [{name: app, volumeMounts: [{name: mine, mountPath: /x}]}], volumes: [{name: mine, projected: \
             {sources: [{serviceAccountToken: {audience: pilotfish.dev, path: t}}]}}]}",
            "container app mounts volume mine, which has a token for pilotfish.dev: only the sidecar may prove who the pod is",
        ),
        (
            "{name: p}",
            "{containers: [{name: app, ports: [{containerPort: 8080}, {containerPort: 4000}]}]}",
            r#"container app has port 4000, which the sidecar needs; choose another port, or leave the pod out by the label pilotfish.dev/inject: "false""#,
        ),
        (
            "{annotations: {pilotfish.dev/cpu-request: ten}}",
            APP,
            r#"pilotfish.dev/cpu-request is "ten", which is no quantity such as 100m"#,
        ),
        (
            "{annotations: {pilotfish.dev/memory-limit: 128m}}",
            APP,
            r#"pilotfish.dev/memory-limit is "128m", and a sidecar needs 16Mi at least"#,
        ),
        (
            "{annotations: {pilotfish.dev/memory-request: 1Gi}}",
            APP,
            "the sidecar's memory request 1Gi is above its memory limit 256Mi; pilotfish.dev/memory-limit raises it",
        ),
    ] {
        assert_eq!(
            outcome(&pod(metadata, spec), &settings()),
            Err(sentence.to_owned()),
            "{metadata} {spec}"
        );
    }
}

/// The pod `APP` after the first call and what `changes` make of it: operations of JSON Patch, as YAML.
fn between(changes: &str) -> Value {
    let mut injected = outcome(&pod("{name: p}", APP), &settings()).unwrap();
    let changes: json_patch::Patch = serde_yaml::from_str(changes).unwrap();
    json_patch::patch(&mut injected, &changes).unwrap();
    injected
}

#[test]
fn what_another_webhook_adds_is_looked_after_by_the_second_call() {
    let mut pod = between(
        "[{op: add, path: /spec/containers/0, value: {name: late, env: [{name: OPENAI_API_KEY, value: own}]}},
          {op: add, path: /spec/initContainers/0, value: {name: early, envFrom: [{secretRef: {name: s}}]}},
          {op: add, path: /spec/containers/1/env/0, value: {name: OPENAI_BASE_URL, value: changed}}]",
    );
    let before = pod.clone();
    pod = outcome(&serde_yaml::to_string(&pod).unwrap(), &settings()).unwrap();
    check_result(&pod, &settings());
    let names = |list: &str| -> Vec<String> {
        let listed = pod["spec"][list].as_array().unwrap();
        listed
            .iter()
            .map(|container| container["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("initContainers"),
        ["pilotfish", "early"],
        "everything may call the sidecar"
    );
    assert_eq!(names("containers"), ["late", "app"]);
    let variables = |container: &str| pod.pointer(container).unwrap()["env"].as_array().unwrap().len();
    assert_eq!(
        (variables("/spec/containers/0"), variables("/spec/initContainers/1")),
        (7, 7)
    );
    assert_eq!(
        pod["spec"]["containers"][1], before["spec"]["containers"][1],
        "it had its turn"
    );
    assert_eq!(pod["spec"]["initContainers"][0], before["spec"]["initContainers"][1]);
    let record = pod["metadata"]["annotations"]["pilotfish.dev/injected"]
        .as_str()
        .unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    assert_eq!(record["kept"], serde_json::json!({"late": ["OPENAI_API_KEY"]}));
    assert_eq!(record["envFromNotSeen"], serde_json::json!(["early"]));
    let set: Vec<_> = record["set"].as_object().unwrap().keys().collect();
    assert_eq!(set, ["app", "early", "late"]);
}

#[test]
fn what_another_webhook_spoils_is_refused_by_the_second_call() {
    let useless = "the sidecar that was injected would be served nothing: ";
    for (changes, sentence) in [
        (
            "[{op: add, path: /spec/containers/-, value: {name: late, ports: [{containerPort: 4000}]}}]",
            r#"container late has port 4000, which the sidecar needs; choose another port, or leave the pod out by the label pilotfish.dev/inject: "false""#.to_owned(),
        ),
        (
            "[{op: add, path: /spec/containers/0/volumeMounts, value: [{name: pilotfish-state, mountPath: /x}]}]",
            "container app mounts volume pilotfish-state, which belongs to the sidecar alone".to_owned(),
        ),
        (
            "[{op: add, path: /spec/hostNetwork, value: true}]",
            format!("{useless}pod /p: a pod with hostNetwork cannot have a sidecar: its port would be open to everything on the node"),
        ),
        (
            "[{op: replace, path: /spec/initContainers/0/image, value: mirror.example/x:1}]",
            format!("{useless}container pilotfish of pod /p runs mirror.example/x:1, which is of no trusted repository (registry.example/pilotfish-sidecar)"),
        ),
        (
            "[{op: add, path: /spec/initContainers/0/command, value: [/bin/sh]}]",
            format!("{useless}container pilotfish of pod /p has a command, by which others could come by what it holds"),
        ),
        (
            "[{op: remove, path: /spec/initContainers/0/restartPolicy}]",
            "container pilotfish was injected as an init container with restartPolicy Always, and something made another one of it".to_owned(),
        ),
        (
            "[{op: move, from: /spec/initContainers/0, path: /spec/containers/0}]",
            "container pilotfish was injected as an init container with restartPolicy Always, and something made another one of it".to_owned(),
        ),
    ] {
        let spoilt = serde_yaml::to_string(&between(changes)).unwrap();
        assert_eq!(outcome(&spoilt, &settings()), Err(sentence), "{changes}");
    }
}

#[test]
fn what_is_no_record_of_ours_belongs_to_a_sidecar_written_by_hand() {
    for record in ["", "{}", "[]", r#"{"skipped": "because"}"#, r#"{"image": 5}"#] {
        let record = serde_json::json!([
            {"op": "add", "path": "/metadata/annotations/pilotfish.dev~1injected", "value": record},
            {"op": "add", "path": "/spec/initContainers/0/command", "value": ["/bin/sh"]},
        ]);
        let before = between(&record.to_string());
        let after = outcome(&serde_yaml::to_string(&before).unwrap(), &settings()).unwrap();
        assert_eq!(after, before);
    }
}

#[test]
fn a_port_of_another_protocol_is_free() {
    let spec = "{containers: [{name: app, ports: [{containerPort: 4000, protocol: UDP}]}]}";
    outcome(&pod("{name: p}", spec), &settings()).unwrap();
}

#[test]
fn a_cluster_of_ipv6_probes_over_ipv6() {
    let settings = Settings {
        telemetry_host: "[::]".to_owned(),
        ..settings()
    };
    let after = outcome(&pod("{name: p}", APP), &settings).unwrap();
    let args = after["spec"]["initContainers"][0]["args"].as_array().unwrap();
    assert!(args.contains(&"--telemetry=[::]:4001".into()), "{args:?}");
}
