//! What users are told: the conditions of their objects, as lines.

use anyhow::{Context, Result, ensure};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use pilotfish_tests::Cluster;
use pilotfish_tests::cluster::{Namespace, until};
use serde_json::Value;

/// The objects of ours in one namespace.
pub(crate) struct Statuses {
    client: kube::Client,
    namespace: String,
}

impl Statuses {
    pub(crate) async fn of(cluster: &Cluster, namespace: &Namespace<'_>) -> Result<Self> {
        Self::in_namespace(cluster, namespace.name()).await
    }

    pub(crate) async fn in_namespace(cluster: &Cluster, namespace: &str) -> Result<Self> {
        Ok(Self {
            client: cluster.client().await?,
            namespace: namespace.to_owned(),
        })
    }

    /// An object as it is, by `Kind/name`.
    pub(crate) async fn get(&self, object: &str) -> Result<Value> {
        let (api, name) = self.api(object)?;
        Ok(serde_json::to_value(api.get(name).await?)?)
    }

    /// Waits until these conditions are so: `Type=Status Reason: message`, or `no Type`. `{ns}` is the namespace.
    pub(crate) async fn told(&self, object: &str, expected: &[&str]) -> Result<()> {
        let expected: Vec<String> = expected
            .iter()
            .map(|line| line.replace("{ns}", &self.namespace))
            .collect();
        let what = format!("{object} says {expected:?}");
        let said = until(&what, async || {
            let object = self.get(object).await?;
            let said = conditions(&object);
            let generation = &object["metadata"]["generation"];
            ensure!(
                object["status"]["observedGeneration"] == *generation,
                "not of this generation: {said:?}"
            );
            ensure!(expected.iter().all(|line| holds(line, &said)), "it says {said:?}");
            Ok(said)
        });
        said.await.map(drop)
    }

    /// Waits until a value of its status is so.
    pub(crate) async fn shows(&self, object: &str, pointer: &str, expected: &Value) -> Result<()> {
        let what = format!("status{pointer} of {object} is {expected}");
        until(&what, async || {
            let status = self.get(object).await?["status"].clone();
            let found = status.pointer(pointer).unwrap_or(&Value::Null);
            ensure!(found == expected, "it is {found}, in {status}");
            Ok(())
        })
        .await
    }

    /// Changes its status as somebody else would.
    pub(crate) async fn patch_status(&self, object: &str, status: &Value) -> Result<()> {
        let (api, name) = self.api(object)?;
        let patch = serde_json::json!({"status": status});
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }

    fn api<'o>(&self, object: &'o str) -> Result<(Api<DynamicObject>, &'o str)> {
        let (kind, name) = object.split_once('/').context("Kind/name")?;
        let plural = match kind {
            "RoutingPolicy" => "routingpolicies".to_owned(),
            other => format!("{}s", other.to_lowercase()),
        };
        let kind = GroupVersionKind::gvk("pilotfish.dev", "v1alpha1", kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, &plural);
        let api = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        Ok((api, name))
    }
}

/// The Events of an object, once one has this reason: its message.
pub(crate) async fn event(namespace: &Namespace<'_>, object: &str, reason: &str) -> Result<String> {
    let selector = format!("--field-selector=involvedObject.name={object},reason={reason}");
    let arguments = ["get", "events", &selector, "-o", "jsonpath={.items[*].message}"];
    until(&format!("an event {reason} of {object}"), async || {
        let message = namespace.kubectl(arguments).await?.success()?;
        ensure!(!message.is_empty(), "there is none");
        Ok(message)
    })
    .await
}

/// The conditions of an object, each as `Type=Status Reason: message`.
pub(crate) fn conditions(object: &Value) -> Vec<String> {
    let text = |condition: &Value, field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    let spelled = |condition: &Value| {
        let [type_, status, reason, message] =
            ["type", "status", "reason", "message"].map(|field| text(condition, field));
        format!("{type_}={status} {reason}: {message}")
            .trim_end_matches(": ")
            .to_owned()
    };
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().map(spelled).collect()
}

fn holds(expected: &str, said: &[String]) -> bool {
    match expected.strip_prefix("no ") {
        Some(absent) => !said.iter().any(|line| line.starts_with(&format!("{absent}="))),
        None => said.iter().any(|line| line == expected),
    }
}
