use super::check;
use crate::identity::Trusted;
use crate::inject::{Resources, Settings, inject};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../../../deploy/examples/sidecar-by-hand.yaml");
/// Of the sidecar, in the example and in what injection makes.
const SIDECAR: &str = "/spec/initContainers/0";

fn example() -> Value {
    serde_yaml::from_str(EXAMPLE).unwrap()
}

/// `pod` after `changes`: what is at each pointer is replaced, or added.
fn with(mut pod: Value, changes: &[(&str, Value)]) -> Value {
    for (path, value) in changes {
        if let Some(there) = pod.pointer_mut(path) {
            *there = value.clone();
        } else {
            let (parent, field) = path.rsplit_once('/').unwrap();
            match pod.pointer_mut(parent).unwrap() {
                Value::Array(list) => list.push(value.clone()),
                parent => parent[field] = value.clone(),
            }
        }
    }
    pod
}

fn checked(pod: Value) -> Result<(), String> {
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let spec = pod.spec.unwrap();
    let sidecar = spec.init_containers.as_ref().unwrap()[0].clone();
    check("pod shop/web", &spec, &sidecar)
}

/// What injection makes of an ordinary pod.
fn injected() -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "labels": {"pilotfish.dev/inject": "true"}},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    });
    let settings = Settings {
        image: "pilotfish-sidecar:0.1.0".to_owned(),
        operator: "pilotfish-operator.pilotfish-system.svc:4443".to_owned(),
        operator_name: "pilotfish-operator.pilotfish-system.svc".to_owned(),
        operator_namespace: "pilotfish-system".to_owned(),
        telemetry_host: "0.0.0.0".to_owned(),
        resources: Resources::default(),
    };
    let typed: Pod = serde_json::from_value(pod.clone()).unwrap();
    let patch = inject(&typed, "shop", &settings, &Trusted::new(&[])).unwrap().unwrap();
    json_patch::patch(&mut pod, &patch).unwrap();
    pod
}

/// What the API server and other webhooks add to every pod: an account's token, a mesh's proxy, a cloud's identity.
fn surrounded(pod: Value) -> Value {
    let account = json!({"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    let cloud = json!({"name": "cloud-token", "mountPath": "/var/run/secrets/cloud.example/serviceaccount"});
    let token = |audience: &str| json!({"projected": {"sources": [{"serviceAccountToken": {"audience": audience, "path": "token"}}]}});
    let named = |name: &str, mut volume: Value| {
        volume["name"] = json!(name);
        volume
    };
    with(
        pod,
        &[
            ("/spec/initContainers/0/volumeMounts/-", account.clone()),
            ("/spec/initContainers/0/volumeMounts/-", cloud),
            (
                "/spec/initContainers/0/terminationMessagePath",
                json!("/dev/termination-log"),
            ),
            (
                "/spec/initContainers/0/env",
                json!([{"name": "CLOUD_TOKEN_FILE", "value": "/var/run/secrets/cloud.example"}]),
            ),
            (
                "/spec/volumes/-",
                named("kube-api-access", token("https://kubernetes.default.svc")),
            ),
            ("/spec/volumes/-", named("cloud-token", token("sts.cloud.example"))),
            ("/spec/volumes/-", json!({"name": "workload-socket", "emptyDir": {}})),
            (
                "/spec/volumes/-",
                json!({"name": "istio-podinfo", "downwardAPI": {"items": []}}),
            ),
            (
                "/spec/volumes/-",
                json!({"name": "logs", "hostPath": {"path": "/var/log"}}),
            ),
            (
                "/spec/containers/-",
                json!({
                    "name": "istio-proxy", "image": "proxy", "command": ["agent"],
                    "lifecycle": {"postStart": {"exec": {"command": ["agent", "wait"]}}},
                    "env": [{"name": "PATH", "value": "/bin"}, {"name": "LD_PRELOAD", "value": "/a.so"}],
                    "envFrom": [{"configMapRef": {"name": "mesh"}}],
                    "securityContext": {"capabilities": {"add": ["NET_ADMIN", "SYS_PTRACE"]}},
                    "volumeMounts": [
                        account,
                        {"name": "workload-socket", "mountPath": "/var/run/secrets/workload-spiffe-uds"},
                        {"name": "istio-podinfo", "mountPath": "/etc/istio/pod"},
                        {"name": "logs", "mountPath": "/logs"},
                    ],
                }),
            ),
            (
                "/spec/ephemeralContainers",
                json!([{"name": "shell", "image": "sh", "targetContainerName": "app"}]),
            ),
        ],
    )
}

#[test]
fn pods_as_they_are_made_keep_their_secrets() {
    for pod in [example(), injected()] {
        assert_eq!(checked(pod.clone()), Ok(()), "{pod}");
        let mut pod = surrounded(pod);
        assert_eq!(checked(pod.clone()), Ok(()), "{pod}");
        pod["metadata"]["labels"]["pilotfish.dev/sidecar"] = json!("true");
        let trusted = Trusted::new(&["pilotfish-sidecar:1".to_owned()]);
        assert_eq!(trusted.judge(&serde_json::from_value(pod).unwrap()), Ok(()));
    }
}

#[test]
fn what_is_harmless_is_let_be() {
    let argument = |text: &str| vec![("/spec/initContainers/0/args/-", json!(text))];
    let of = |field: &'static str, value: Value| vec![(field, value)];
    for changes in [
        of(
            "/spec/initContainers/0/lifecycle",
            json!({"preStop": {"sleep": {"seconds": 5}}}),
        ),
        of(
            "/spec/initContainers/0/lifecycle",
            json!({"preStop": {"httpGet": {"port": 4001}}}),
        ),
        of(
            "/spec/initContainers/0/livenessProbe",
            json!({"tcpSocket": {"port": 4001}}),
        ),
        of("/spec/initContainers/0/command", json!([])),
        of(
            "/spec/initContainers/0/env",
            json!([{"name": "PILOTFISH_LOG", "value": "debug"}]),
        ),
        of("/spec/initContainers/0/args", json!(null)),
        of(
            "/spec/initContainers/0/args/4",
            json!("--state=/var/lib/pilotfish/deeper"),
        ),
        of(
            "/spec/initContainers/0/volumeMounts/1/mountPath",
            json!("/var/run/secrets/pilotfish.dev/ca/"),
        ),
        of("/spec/initContainers/0/volumeMounts/0/mountPath", json!("/token")),
        argument("--telemetry=$(POD_IP):4001"),
    ] {
        assert_eq!(checked(with(example(), &changes)), Ok(()), "{changes:?}");
    }
}

/// That a mount's path does not say where it leads.
fn unrooted(volume: &str, path: &str) -> String {
    format!(
        "container pilotfish of pod shop/web mounts volume {volume} at {path}, which must be a path from the root, \
         without .."
    )
}

/// Each pod in `rows`, named by what is added to the example, is refused with the sentence.
fn refused(rows: Vec<(&[(&str, Value)], String)>) {
    for (changes, sentence) in rows {
        assert_eq!(checked(with(example(), changes)), Err(sentence), "{changes:?}");
    }
}

#[test]
fn no_process_sees_the_sidecars() {
    let sees = |field: &str| {
        format!("pod shop/web: a pod with {field} cannot have a sidecar: its containers could read the providers' keys")
    };
    let debugger = json!([{"name": "shell", "image": "sh", "targetContainerName": "pilotfish"}]);
    refused(vec![
        (&[("/spec/shareProcessNamespace", json!(true))], sees("shareProcessNamespace")),
        (&[("/spec/hostPID", json!(true))], sees("hostPID")),
        (
            &[("/spec/hostNetwork", json!(true))],
            "pod shop/web: a pod with hostNetwork cannot have a sidecar: its port would be open to everything on the node"
                .to_owned(),
        ),
        (
            &[("/spec/ephemeralContainers", debugger)],
            "container shell of pod shop/web was added to see the processes of pilotfish".to_owned(),
        ),
    ]);
}

#[test]
fn nothing_runs_in_the_sidecar_but_its_images_program() {
    let exec = json!({"exec": {"command": ["sh"]}});
    let rows = [
        ("command", json!(["sh"]), "a command"),
        ("lifecycle", json!({"postStart": exec}), "a lifecycle hook or signal"),
        ("lifecycle", json!({"preStop": exec}), "a lifecycle hook or signal"),
        (
            "lifecycle",
            json!({"stopSignal": "SIGQUIT"}),
            "a lifecycle hook or signal",
        ),
        ("startupProbe", exec.clone(), "an exec probe"),
        ("readinessProbe", exec.clone(), "an exec probe"),
        ("livenessProbe", exec, "an exec probe"),
        (
            "envFrom",
            json!([{"configMapRef": {"name": "a"}}]),
            "variables from elsewhere",
        ),
        (
            "terminationMessagePath",
            json!("/var/lib/pilotfish/last-good.ndjson"),
            "a termination message of its own",
        ),
        ("workingDir", json!("/dev/shm"), "a working directory of its own"),
        (
            "volumeDevices",
            json!([{"name": "disk", "devicePath": "/disk"}]),
            "a block device",
        ),
        (
            "env",
            json!([{"name": "LD_PRELOAD", "value": "/a.so"}]),
            "the variable LD_PRELOAD",
        ),
        (
            "env",
            json!([{"name": "A"}, {"name": "LD_LIBRARY_PATH"}]),
            "the variable LD_LIBRARY_PATH",
        ),
        ("env", json!([{"name": "PATH", "value": "/a"}]), "the variable PATH"),
        (
            "env",
            json!([{"name": "GCONV_PATH", "value": "/a"}]),
            "the variable GCONV_PATH",
        ),
        (
            "env",
            json!([{"name": "SSL_CERT_FILE", "value": "/a"}]),
            "the variable SSL_CERT_FILE",
        ),
        (
            "env",
            json!([{"name": "SSL_CERT_DIR", "value": "/a"}]),
            "the variable SSL_CERT_DIR",
        ),
    ];
    for (field, value, what) in rows {
        let pod = with(example(), &[(format!("{SIDECAR}/{field}").as_str(), value)]);
        let sentence =
            format!("container pilotfish of pod shop/web has {what}, by which others could come by what it holds");
        assert_eq!(checked(pod), Err(sentence), "{field}");
    }
}

#[test]
fn no_volume_is_read_by_others_or_stands_where_the_program_is() {
    let shared = |volume: &str| {
        format!("container pilotfish of pod shop/web mounts volume {volume}, which others could read or write")
    };
    let covers = |volume: &str, path: &str| {
        format!(
            "container pilotfish of pod shop/web mounts volume {volume} at {path}, and what others write may only be \
             below /var/run/secrets"
        )
    };
    let both_sources = [
        (
            "/spec/volumes/0/projected/sources/-",
            json!({"configMap": {"name": "evil"}}),
        ),
        ("/spec/initContainers/0/volumeMounts/0/mountPath", json!("/")),
    ];
    let state = || json!([{"name": "pilotfish-state", "mountPath": "/x", "subPath": "last-good.ndjson"}]);
    let of = |mut volume: Value| {
        volume["name"] = json!("pilotfish-state");
        [("/spec/volumes/2", volume)]
    };
    let evil = |path: &str| {
        [
            (
                "/spec/volumes/-",
                json!({"name": "evil", "configMap": {"name": "evil", "defaultMode": 0o755}}),
            ),
            (
                "/spec/initContainers/0/volumeMounts/-",
                json!({"name": "evil", "mountPath": path, "subPath": "evil"}),
            ),
        ]
    };
    refused(vec![
        (
            &[("/spec/containers/0/volumeMounts", state())],
            shared("pilotfish-state"),
        ),
        (
            &[(
                "/spec/initContainers/-",
                json!({"name": "before", "volumeMounts": state()}),
            )],
            shared("pilotfish-state"),
        ),
        (
            &[(
                "/spec/ephemeralContainers",
                json!([{"name": "shell", "volumeMounts": state()}]),
            )],
            shared("pilotfish-state"),
        ),
        (&of(json!({"hostPath": {"path": "/tmp"}})), shared("pilotfish-state")),
        (
            &of(json!({"persistentVolumeClaim": {"claimName": "a"}})),
            shared("pilotfish-state"),
        ),
        (&of(json!({"csi": {"driver": "a"}})), shared("pilotfish-state")),
        (&both_sources, covers("pilotfish-token", "/")),
        (&evil("/pilotfish-sidecar"), covers("evil", "/pilotfish-sidecar")),
        (&evil("/etc/ld.so.preload"), covers("evil", "/etc/ld.so.preload")),
        (&evil("/etc/ssl/certs/ca.crt"), covers("evil", "/etc/ssl/certs/ca.crt")),
        (
            &evil("/var/run/secrets/../../../a"),
            unrooted("evil", "/var/run/secrets/../../../a"),
        ),
        (&evil("/var/run/secretsx"), covers("evil", "/var/run/secretsx")),
    ]);
}

#[test]
fn the_program_trusts_and_writes_what_is_its_own() {
    let trusts = |path: &str| {
        format!(
            "container pilotfish of pod shop/web is told to trust {path}, and may trust ca.crt of the ConfigMap \
             pilotfish-ca alone, mounted whole"
        )
    };
    let keeps = |path: &str| {
        format!("container pilotfish of pod shop/web keeps its state in {path}, which is no emptyDir of its own")
    };
    let unknown = |argument: &str| {
        format!(
            "container pilotfish of pod shop/web has the argument {argument:?}, of which only its variables say what it is"
        )
    };
    let ca = "/var/run/secrets/pilotfish.dev/ca/ca.crt";
    let token = "/var/run/secrets/pilotfish.dev/token/token";
    let bundle = |argument: &str| [("/spec/initContainers/0/args/3", json!(argument))];
    let state = |argument: &str| [("/spec/initContainers/0/args/4", json!(argument))];
    let one_more = |argument: &str| [("/spec/initContainers/0/args/-", json!(argument))];
    let map = |map: Value| [("/spec/volumes/1", json!({"name": "pilotfish-ca", "configMap": map}))];
    let chosen = json!({"name": "pilotfish-ca", "items": [{"key": "mine", "path": "ca.crt"}]});
    let over = json!({"name": "pilotfish-token", "mountPath": ca, "subPath": "token"});
    let on_devices = [
        ("/spec/initContainers/0/volumeMounts/2/mountPath", json!("/dev")),
        ("/spec/initContainers/0/args/4", json!("--state=/dev/shm")),
    ];
    // The kubelet mounts it at /dev, and the program works in /.
    let relative = [
        ("/spec/initContainers/0/volumeMounts/2/mountPath", json!("dev")),
        ("/spec/initContainers/0/args/4", json!("--state=dev/shm")),
    ];
    let over_it = |path: &str| json!({"name": "pilotfish-token", "mountPath": path, "subPath": "token"});
    let under = over_it("var/run/secrets/pilotfish.dev/ca/ca.crt");
    let around = over_it("/tmp/../var/run/secrets/pilotfish.dev/ca/ca.crt");
    let backwards = "/var/lib/pilotfish/../../../dev/shm";
    refused(vec![
        (&bundle(&format!("--ca={token}")), trusts(token)),
        (
            &bundle("--ca=/var/run/secrets/pilotfish.dev/ca/mine"),
            trusts("/var/run/secrets/pilotfish.dev/ca/mine"),
        ),
        (&bundle("--ca=$(CA)"), trusts("$(CA)")),
        (&bundle("--ca"), trusts("--state=/var/lib/pilotfish")),
        (&map(json!({"name": "mine"})), trusts(ca)),
        (&map(chosen), trusts(ca)),
        (
            &[("/spec/initContainers/0/volumeMounts/1/subPath", json!("mine"))],
            trusts(ca),
        ),
        (&[("/spec/initContainers/0/volumeMounts/-", over)], trusts(ca)),
        (&state("--state=/dev/shm"), keeps("/dev/shm")),
        (&state(&format!("--state={backwards}")), keeps(backwards)),
        (&state("--state=/var/lib/pilotfish2"), keeps("/var/lib/pilotfish2")),
        (&state("--state=state"), keeps("state")),
        (
            &state("--state=/var/lib/pilotfish/$(X)"),
            keeps("/var/lib/pilotfish/$(X)"),
        ),
        (&bundle(&format!("--ca={ca}/$(X)")), trusts(&format!("{ca}/$(X)"))),
        (&on_devices, keeps("/dev/shm")),
        (&relative, unrooted("pilotfish-state", "dev")),
        (
            &[("/spec/initContainers/0/volumeMounts/-", under)],
            unrooted("pilotfish-token", "var/run/secrets/pilotfish.dev/ca/ca.crt"),
        ),
        (
            &[("/spec/initContainers/0/volumeMounts/-", around)],
            unrooted("pilotfish-token", "/tmp/../var/run/secrets/pilotfish.dev/ca/ca.crt"),
        ),
        (&one_more("--state"), keeps("")),
        (&one_more("$(STATE)"), unknown("$(STATE)")),
        (&one_more("--$(FLAG)=/dev/shm"), unknown("--$(FLAG)=/dev/shm")),
    ]);
}
