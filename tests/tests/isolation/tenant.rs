//! Who calls.

use pilotfish_tests::documents::virtual_key;

/// A VirtualKey, or the pod itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    /// What it presents; the pod presents nothing.
    pub(crate) key: Option<String>,
}

impl Tenant {
    /// The pod, which has no key.
    pub(crate) fn pod() -> Self {
        Self {
            name: "pod".to_owned(),
            key: None,
        }
    }

    /// One with a key.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: Some(format!("sk-pf-{name}-0123456789abcdef")),
        }
    }

    /// So many with keys, and the pod.
    pub(crate) fn several(keys: usize) -> Vec<Self> {
        let named = (0..keys).map(|number| Self::named(&format!("tenant-{number}")));
        named.chain([Self::pod()]).collect()
    }

    /// Its VirtualKey and Secret, if it has any.
    pub(crate) fn document(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        Some(virtual_key(&self.name, key, ""))
    }

    /// The value of its `Authorization` header: without a key of ours, what an SDK is given so that it starts.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.key.as_deref().unwrap_or("anything"))
    }
}

/// The documents of all of them that have any.
pub(crate) fn documents(tenants: &[Tenant]) -> impl Iterator<Item = String> {
    tenants.iter().filter_map(Tenant::document)
}
