//! Which workload a pod belongs to: kind and name of its topmost controller.
//!
//! Kubernetes' own controllers put one level between: a Deployment's pods belong to a ReplicaSet, a CronJob's to a Job.
//! Who is above those two is asked of the API server, once for each. Any other controller is the topmost.

use super::{Refused, answer};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many answers are remembered. A ReplicaSet's owner does not change.
const MOST_REMEMBERED: usize = 4096;

/// The API server's answers, by the uid of whom it was asked about.
pub(super) struct Owners {
    client: Client,
    remembered: Mutex<BTreeMap<String, String>>,
}

impl Owners {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            remembered: Mutex::default(),
        }
    }

    /// `Deployment/assistant`; for a pod that nothing controls, its ServiceAccount.
    pub(super) async fn topmost(&self, pod: &impl ResourceExt, service_account: &str) -> Result<String, Refused> {
        let Some(owner) = controller(pod.meta()) else {
            return Ok(format!("ServiceAccount/{service_account}"));
        };
        let namespace = pod.namespace().unwrap_or_default();
        match (owner.api_version.as_str(), owner.kind.as_str()) {
            ("apps/v1", "ReplicaSet") => self.above::<ReplicaSet>(&namespace, owner).await,
            ("batch/v1", "Job") => self.above::<Job>(&namespace, owner).await,
            _ => Ok(spelled(owner)),
        }
    }

    /// The controller of `owner`, or itself where there is none.
    async fn above<K>(&self, namespace: &str, owner: &OwnerReference) -> Result<String, Refused>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        if let Some(known) = self.lock().get(&owner.uid) {
            return Ok(known.clone());
        }
        let what = format!("{} {namespace}/{}", owner.kind, owner.name);
        let objects = Api::<K>::namespaced(self.client.clone(), namespace);
        let found = answer(&what, objects.get_metadata_opt(&owner.name)).await?;
        // Another object of that name is not the one that made the pod.
        let found = found.filter(|found| found.metadata.uid.as_deref() == Some(&owner.uid));
        let above = found.as_ref().and_then(|found| controller(&found.metadata));
        let topmost = spelled(above.unwrap_or(owner));
        if found.is_some() {
            self.remember(&owner.uid, &topmost);
        }
        Ok(topmost)
    }

    fn remember(&self, uid: &str, topmost: &str) {
        let mut remembered = self.lock();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(uid.to_owned(), topmost.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn controller(meta: &ObjectMeta) -> Option<&OwnerReference> {
    let mut owners = meta.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true))
}

fn spelled(owner: &OwnerReference) -> String {
    format!("{}/{}", owner.kind, owner.name)
}
