//! Who may call the API server of the tests, and with which token.

use anyhow::Result;
use serde_json::json;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A user that the API server knows by a token of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    Admin,
    ControllerManager,
    Scheduler,
    Node,
    Proxy,
}

impl User {
    const ALL: [Self; 5] = [
        Self::Admin,
        Self::ControllerManager,
        Self::Scheduler,
        Self::Node,
        Self::Proxy,
    ];

    /// Its name and its group; RBAC's built-in roles go by them.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Admin => ("admin", "system:masters"),
            Self::ControllerManager => ("system:kube-controller-manager", ""),
            Self::Scheduler => ("system:kube-scheduler", ""),
            Self::Node => ("system:node:node", "system:nodes"),
            Self::Proxy => ("system:kube-proxy", ""),
        }
    }

    /// Its kubeconfig in the cluster's directory.
    pub(super) fn kubeconfig(self, directory: &Path) -> PathBuf {
        directory.join(match self {
            Self::Admin => "admin.kubeconfig",
            Self::ControllerManager => "controller-manager.kubeconfig",
            Self::Scheduler => "scheduler.kubeconfig",
            Self::Node => "node.kubeconfig",
            Self::Proxy => "proxy.kubeconfig",
        })
    }
}

/// Writes `tokens.csv`, which the API server reads, and a kubeconfig for each user.
pub(super) fn write(directory: &Path, server: &str) -> Result<()> {
    let mut table = String::new();
    for user in User::ALL {
        let token = token()?;
        let (name, group) = user.name();
        writeln!(table, "{token},{name},{name},\"{group}\"")?;
        let authority = directory.join("tls/apiserver.crt");
        std::fs::write(user.kubeconfig(directory), kubeconfig(server, &authority, &token))?;
    }
    std::fs::write(directory.join("tokens.csv"), table)?;
    Ok(())
}

/// Writes the key pair with which ServiceAccount tokens are signed.
pub(super) fn write_signing_keys(directory: &Path) -> Result<()> {
    let key = rcgen::KeyPair::generate()?;
    std::fs::write(directory.join("sa.key"), key.serialize_pem())?;
    std::fs::write(directory.join("sa.pub"), key.public_key_pem())?;
    Ok(())
}

/// `authority` is made by the API server itself when it first starts.
fn kubeconfig(server: &str, authority: &Path, token: &str) -> String {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "user"}}],
        "current-context": "tests",
    });
    kubeconfig.to_string()
}

fn token() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
