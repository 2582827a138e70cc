//! Who asked the API server for what, as it recorded it itself.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;

/// One request and its decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// `system:serviceaccount:pilotfish-system:pilotfish-operator`, say.
    pub user: String,
    /// `get`, `list`, `watch`, `patch` …
    pub verb: String,
    /// The API group, empty for the core's; empty as well for what is no resource.
    pub group: String,
    /// `pods`, with its subresource: `pods/status`; the path, for what is no resource.
    pub resource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty for what has none, such as a list.
    pub name: String,
    /// Whether authorisation allowed it. What authentication refused never came that far and is `false`, too.
    pub allowed: bool,
    /// The rule that allowed it: `RBAC: allowed by ClusterRoleBinding "…" of ClusterRole "…" …`.
    pub reason: String,
    /// The status of the answer; 0 while there is none, as for a watch that goes on.
    pub status: u64,
}

pub(super) fn read(log: &Path) -> Result<Vec<Access>> {
    let text = std::fs::read_to_string(log).context("no audit log; start the cluster with `Options::audited`")?;
    let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
    whole.lines().map(access).collect()
}

fn access(line: &str) -> Result<Access> {
    let event: Value = serde_json::from_str(line).with_context(|| format!("no audit event: {line}"))?;
    let text = |pointer: &str| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let annotation = |name: &str| text(&format!("/annotations/authorization.k8s.io~1{name}"));
    Ok(Access {
        user: text("/user/username"),
        verb: text("/verb"),
        group: text("/objectRef/apiGroup"),
        resource: match (text("/objectRef/resource"), text("/objectRef/subresource")) {
            (resource, _) if resource.is_empty() => text("/requestURI"),
            (resource, subresource) if subresource.is_empty() => resource,
            (resource, subresource) => format!("{resource}/{subresource}"),
        },
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        allowed: annotation("decision") == "allow",
        reason: annotation("reason"),
        status: event
            .pointer("/responseStatus/code")
            .and_then(Value::as_u64)
            .unwrap_or(0),
    })
}
