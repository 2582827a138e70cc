//! A namespace of one test.

use super::wait::until;
use super::{Cluster, Outcome, get};
use anyhow::Result;
use std::process::{Command, Stdio};

/// A namespace whose name nobody else has. On a cluster that outlives the tests it is deleted when this is dropped.
#[derive(Debug)]
pub struct Namespace<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Namespace<'a> {
    pub(super) async fn new(cluster: &'a Cluster, prefix: &str) -> Result<Self> {
        let name = format!("{prefix}-{}", random(8));
        cluster.kubectl(["create", "namespace", &name]).await?.success()?;
        let namespace = Self { cluster, name };
        let client = cluster.client().await?;
        let account = format!("/api/v1/namespaces/{}/serviceaccounts/default", namespace.name);
        until("the namespace has its ServiceAccount", async || {
            get(&client, &account).await
        })
        .await?;
        Ok(namespace)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs kubectl in it, as the administrator.
    pub async fn kubectl<'b>(&'b self, arguments: impl IntoIterator<Item = &'b str>) -> Result<Outcome> {
        self.cluster.kubectl(self.within(arguments)).await
    }

    /// Runs kubectl in it with `input` as its standard input, for `-f -`.
    pub async fn kubectl_with<'b>(
        &'b self,
        arguments: impl IntoIterator<Item = &'b str>,
        input: &str,
    ) -> Result<Outcome> {
        self.cluster.kubectl_with(self.within(arguments), input).await
    }

    /// `kubectl apply` with these documents, as users do it; fails with what kubectl says. A document that names another
    /// namespace is refused.
    pub async fn apply(&self, documents: &str) -> Result<()> {
        let outcome = self.kubectl_with(["apply", "-f", "-"], documents).await?;
        outcome.success().map(drop)
    }

    fn within<'b>(&'b self, arguments: impl IntoIterator<Item = &'b str>) -> impl Iterator<Item = &'b str> {
        ["--namespace", self.name.as_str()].into_iter().chain(arguments)
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if self.cluster.is_own() {
            return;
        }
        let deleted = Command::new(super::program("kubectl"))
            .arg("--kubeconfig")
            .arg(self.cluster.kubeconfig())
            .args(["delete", "namespace", &self.name, "--wait=false"])
            .stdout(Stdio::null())
            .status();
        if !deleted.is_ok_and(|status| status.success()) {
            eprintln!("namespace {} is left behind", self.name);
        }
    }
}

/// So many lower-case letters.
pub(super) fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::lowercase).take(length).collect()
}
