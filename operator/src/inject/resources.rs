//! What a sidecar asks of its node: the installation's figures, unless its pod has others.

mod quantity;

use k8s_openapi::api::core::v1::ResourceRequirements;
use quantity::Quantity;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Below it the kernel ends the process before it has served anything.
const LEAST_MEMORY: &str = "16Mi";

/// Requests and limits; what is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    cpu: Share,
    memory: Share,
}

/// The request and the limit of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Share {
    request: Option<Quantity>,
    limit: Option<Quantity>,
}

/// A figure that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourcesError {
    /// It is no quantity.
    #[error("{name} is {value:?}, which is no quantity such as {example}")]
    NotAQuantity {
        /// The annotation or the flag.
        name: String,
        /// What it says.
        value: String,
        /// What it may say.
        example: &'static str,
    },
    /// It is a memory limit with which no sidecar can start.
    #[error("{name} is {value:?}, and a sidecar needs {LEAST_MEMORY} at least")]
    TooLittle {
        /// The annotation or the flag.
        name: String,
        /// What it says.
        value: String,
    },
    /// No node can give that.
    #[error(
        "the sidecar's {resource} request {request} is above its {resource} limit {limit}; {prefix}{resource}-limit raises it"
    )]
    AboveLimit {
        /// cpu or memory.
        resource: &'static str,
        /// The request.
        request: String,
        /// The limit.
        limit: String,
        /// How the name of an annotation or a flag starts.
        prefix: &'static str,
    },
}

impl Resources {
    /// These, or what `said` has for `cpu-request`, `cpu-limit`, `memory-request` and `memory-limit`, each after
    /// `prefix`.
    pub fn overridden<'a>(
        &self,
        prefix: &'static str,
        said: impl Fn(&str) -> Option<&'a String>,
    ) -> Result<Self, ResourcesError> {
        let figure = |name: &str, example, before: &Option<Quantity>| {
            let name = format!("{prefix}{name}");
            match said(&name) {
                None => Ok(before.clone()),
                Some(value) => read(name, value, example).map(Some),
            }
        };
        let resources = Self {
            cpu: Share {
                request: figure("cpu-request", "100m", &self.cpu.request)?,
                limit: figure("cpu-limit", "500m", &self.cpu.limit)?,
            },
            memory: Share {
                request: figure("memory-request", "64Mi", &self.memory.request)?,
                limit: figure("memory-limit", "256Mi", &self.memory.limit)?,
            },
        };
        resources.check(prefix, said)?;
        Ok(resources)
    }

    /// These in a pod that asks for `whole` as a whole: what it asks for is shared by all its containers, and a sidecar
    /// that asked for more of it would have the pod refused.
    pub(super) fn within(&self, whole: Option<&ResourceRequirements>) -> Self {
        let lists = |whole: &'_ ResourceRequirements| [whole.requests.clone(), whole.limits.clone()];
        let lists = whole.map(lists).into_iter().flatten().flatten();
        let asked: BTreeSet<String> = lists.flat_map(BTreeMap::into_keys).collect();
        let left = |name: &str, share: &Share| match asked.contains(name) {
            true => Share::default(),
            false => share.clone(),
        };
        Self {
            cpu: left("cpu", &self.cpu),
            memory: left("memory", &self.memory),
        }
    }

    fn check<'a>(&self, prefix: &'static str, said: impl Fn(&str) -> Option<&'a String>) -> Result<(), ResourcesError> {
        let name = format!("{prefix}memory-limit");
        let least = Quantity::read(LEAST_MEMORY);
        match said(&name) {
            Some(value) if self.memory.limit < least => {
                let value = value.clone();
                Err(ResourcesError::TooLittle { name, value })
            }
            _ => Ok(()),
        }?;
        self.cpu.check("cpu", prefix)?;
        self.memory.check("memory", prefix)
    }

    /// How many bytes of bodies a sidecar may hold at once, so that it stays within its memory limit: what is left of it is
    /// for what is made of them, for its own files, which are memory too, and for the program.
    pub(super) fn body_pool(&self) -> Option<u64> {
        let bytes = self.memory.limit.as_ref()?.units() * 3 / 8;
        Some(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// As a container says it.
    pub(super) fn to_json(&self) -> Value {
        let list = |figures: [(&str, &Option<Quantity>); 2]| -> Map<String, Value> {
            let present = figures
                .into_iter()
                .filter_map(|(name, figure)| Some((name, figure.as_ref()?)));
            present
                .map(|(name, figure)| (name.to_owned(), figure.to_string().into()))
                .collect()
        };
        let requests = list([("cpu", &self.cpu.request), ("memory", &self.memory.request)]);
        let limits = list([("cpu", &self.cpu.limit), ("memory", &self.memory.limit)]);
        let lists = [("requests", requests), ("limits", limits)];
        let present = lists.into_iter().filter(|(_, list)| !list.is_empty());
        present
            .map(|(name, list)| (name.to_owned(), Value::Object(list)))
            .collect()
    }
}

impl Share {
    fn check(&self, resource: &'static str, prefix: &'static str) -> Result<(), ResourcesError> {
        match (&self.request, &self.limit) {
            (Some(request), Some(limit)) if request > limit => Err(ResourcesError::AboveLimit {
                resource,
                request: request.to_string(),
                limit: limit.to_string(),
                prefix,
            }),
            _ => Ok(()),
        }
    }
}

fn read(name: String, value: &str, example: &'static str) -> Result<Quantity, ResourcesError> {
    Quantity::read(value).ok_or_else(|| ResourcesError::NotAQuantity {
        name,
        value: value.to_owned(),
        example,
    })
}
