//! The record of what was done to a pod, in one of its annotations.

use super::environment::Environment;
use k8s_openapi::api::core::v1::Container;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of variables, by container.
type Variables = BTreeMap<String, Vec<String>>;

/// What was done: the image, and by container which variables were set and which kept their value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// Containers whose variables come from elsewhere as well, where nobody can see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    env_from_not_seen: Vec<String>,
    image: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: Variables,
    #[serde(default)]
    set: Variables,
}

impl Record {
    /// Of an injected `image`, and of nothing else yet.
    pub(super) fn new(image: &str) -> Self {
        Self {
            env_from_not_seen: Vec::new(),
            image: image.to_owned(),
            kept: Variables::new(),
            set: Variables::new(),
        }
    }

    /// What an annotation says; `None`: it is none of a pod that was injected.
    pub(super) fn read(annotation: &str) -> Option<Self> {
        serde_json::from_str(annotation).ok()
    }

    /// As an annotation says it.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("names and lists of names are JSON")
    }

    /// Whether it names this container.
    pub(super) fn names(&self, container: &Container) -> bool {
        [&self.set, &self.kept]
            .iter()
            .any(|listed| listed.contains_key(&container.name))
    }

    /// Notes what was done to the variables of a container.
    pub(super) fn note(&mut self, container: &Container, environment: &Environment) {
        let lists = [(&mut self.set, &environment.set), (&mut self.kept, &environment.kept)];
        for (listed, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            let names = names.iter().map(|&name| name.to_owned());
            listed.insert(container.name.clone(), names.collect());
        }
        if container.env_from.as_ref().is_some_and(|sources| !sources.is_empty()) {
            self.env_from_not_seen.push(container.name.clone());
        }
    }
}
