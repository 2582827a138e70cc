//! The container of a sidecar and its volumes.

use super::{Resources, Settings, TRUST};
use crate::watch::SIDECAR_CONTAINER;
use serde_json::{Value, json};

/// Where the application calls, on the pod's loopback.
pub(super) const DATA_PORT: u16 = 4000;
/// Where the sidecar is scraped and probed.
pub(super) const TELEMETRY_PORT: u16 = 4001;
/// The sidecar's own user and group. Nobody else's: many images run as 65532 or 1000, and a process of the same user
/// may read what another one holds.
const USER: u32 = 40_014;
/// Who a token of the sidecar is meant for.
const AUDIENCE: &str = "pilotfish.dev";
/// How long it is valid, seconds.
const TOKEN_LIFE: u32 = 3600;
/// Seconds for which a sidecar waits for its first configuration before it is started again: long, because a restart
/// brings nothing and each one is waited for longer.
const START_PATIENCE: u32 = 3600;
/// Bound of the sidecar's own files, which are memory.
const STATE_SIZE: &str = "32Mi";

const TOKEN: &str = "pilotfish-token";
const STATE: &str = "pilotfish-state";
/// The volumes of a sidecar.
pub(super) const VOLUMES: [&str; 3] = [TOKEN, TRUST, STATE];

const TOKEN_FOLDER: &str = "/var/run/secrets/pilotfish.dev/token";
const TRUST_FOLDER: &str = "/var/run/secrets/pilotfish.dev/ca";
const STATE_FOLDER: &str = "/var/lib/pilotfish";

/// The container. No command: an image holds its program, and nothing else is known of it.
pub(super) fn container(settings: &Settings, resources: &Resources, waits: bool) -> Value {
    let body_pool = resources.body_pool().map(|bytes| format!("--body-pool={bytes}"));
    let args = [
        format!("--operator={}", settings.operator),
        format!("--operator-name={}", settings.operator_name),
        format!("--token={TOKEN_FOLDER}/token"),
        format!("--ca={TRUST_FOLDER}/ca.crt"),
        format!("--state={STATE_FOLDER}"),
        format!("--listen=127.0.0.1:{DATA_PORT}"),
        format!("--telemetry={}:{TELEMETRY_PORT}", settings.telemetry_host),
    ];
    let args: Vec<_> = args.into_iter().chain(body_pool).collect();
    let started = if waits { "/readyz" } else { "/livez" };
    json!({
        "name": SIDECAR_CONTAINER,
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "restartPolicy": "Always",
        "args": args,
        "ports": [{"name": SIDECAR_CONTAINER, "containerPort": TELEMETRY_PORT, "protocol": "TCP"}],
        "startupProbe": probe(started, 1, START_PATIENCE),
        "readinessProbe": probe("/readyz", 5, 3),
        "livenessProbe": probe("/livez", 10, 6),
        "resources": resources.to_json(),
        "securityContext": {
            "runAsUser": USER,
            "runAsGroup": USER,
            "runAsNonRoot": true,
            "privileged": false,
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            {"name": TOKEN, "mountPath": TOKEN_FOLDER, "readOnly": true},
            {"name": TRUST, "mountPath": TRUST_FOLDER, "readOnly": true},
            {"name": STATE, "mountPath": STATE_FOLDER},
        ],
    })
}

/// The volumes, which only the sidecar mounts.
pub(super) fn volumes() -> [Value; 3] {
    let token = json!({"serviceAccountToken": {
        "audience": AUDIENCE,
        "expirationSeconds": TOKEN_LIFE,
        "path": "token",
    }});
    [
        json!({"name": TOKEN, "projected": {"sources": [token]}}),
        json!({"name": TRUST, "configMap": {"name": TRUST}}),
        json!({"name": STATE, "emptyDir": {"medium": "Memory", "sizeLimit": STATE_SIZE}}),
    ]
}

fn probe(path: &str, period: u32, failures: u32) -> Value {
    json!({
        "httpGet": {"path": path, "port": TELEMETRY_PORT},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    })
}
