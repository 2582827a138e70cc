//! A pod as injection makes it, in the API server alone: no node runs it, and its sidecar is a process of this machine.

use super::SIDECAR_IMAGE;
use crate::cluster::Namespace;
use anyhow::Result;

/// What its token is for.
const AUDIENCE: &str = "pilotfish.dev";

/// A pod, and who it is.
#[derive(Debug)]
pub struct Pod<'a> {
    namespace: &'a Namespace<'a>,
    name: String,
    uid: String,
}

impl<'a> Pod<'a> {
    /// A pod with these labels (YAML) and what marks one with a sidecar.
    pub async fn create(namespace: &'a Namespace<'a>, name: &str, labels: &str) -> Result<Self> {
        Self::create_from(namespace, name, &manifest(name, labels)).await
    }

    /// A pod from its whole manifest.
    pub async fn create_from(namespace: &'a Namespace<'a>, name: &str, manifest: &str) -> Result<Self> {
        let created = namespace.kubectl_with(["create", "-f", "-", "-o", "jsonpath={.metadata.uid}"], manifest);
        let uid = created.await?.success()?;
        Ok(Self {
            namespace,
            name: name.to_owned(),
            uid,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its uid.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The token that is mounted into its sidecar.
    pub async fn token(&self) -> Result<String> {
        let bound = [
            "--bound-object-kind=Pod",
            "--bound-object-name",
            &self.name,
            "--bound-object-uid",
            &self.uid,
        ];
        self.token_with(["--audience", AUDIENCE].iter().chain(&bound).copied())
            .await
    }

    /// A token of its ServiceAccount, made by `kubectl create token` with these flags.
    pub async fn token_with<'b>(&'b self, flags: impl IntoIterator<Item = &'b str>) -> Result<String> {
        let arguments = ["create", "token", "default"].into_iter().chain(flags);
        let token = self.namespace.kubectl(arguments).await?.success()?;
        Ok(token.trim().to_owned())
    }

    /// Deletes it at once.
    pub async fn delete(&self) -> Result<()> {
        let arguments = [
            "delete",
            "pod",
            &self.name,
            "--grace-period=0",
            "--force",
            "--wait=true",
        ];
        self.namespace.kubectl(arguments).await?.success().map(drop)
    }
}

/// The pod `name` with `labels`, a YAML flow mapping.
pub fn manifest(name: &str, labels: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {labels}
spec:
  containers:
  - {{name: app, image: localhost/app:test}}
  initContainers:
  - name: pilotfish
    image: {SIDECAR_IMAGE}
    restartPolicy: Always
    volumeMounts:
    - {{name: pilotfish-token, mountPath: /var/run/secrets/pilotfish.dev/token, readOnly: true}}
  volumes:
  - name: pilotfish-token
    projected:
      sources:
      - serviceAccountToken: {{audience: {AUDIENCE}, expirationSeconds: 3600, path: token}}
"#
    )
    .replacen("labels: {", r#"labels: {pilotfish.dev/sidecar: "true", "#, 1)
}
