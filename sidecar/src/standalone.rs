//! A snapshot file holds no secrets: credentials come from the environment.

use pilotfish_wire::{Credential, Deployment, HeaderValue, Kind, Message, ProviderKey, Resource, credential_variable};
use std::collections::{BTreeMap, BTreeSet};

/// Why a snapshot's credentials could not be found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Two references would read one variable.
    #[error("{first} and {second} would both be read from {variable}; rename one of the Secrets")]
    SameVariable {
        /// One reference, `namespace/secret/key`.
        first: String,
        /// The other.
        second: String,
        /// The variable.
        variable: String,
    },
}

/// Puts a credential resource before the commit for every reference of the batch that `lookup` knows. A reference it
/// does not know stays unresolved: that deployment alone is refused, by name.
pub fn with_credentials(
    messages: Vec<Message>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Message>, CredentialError> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut credentials = Vec::new();
    for reference in references(&messages) {
        let variable = credential_variable(&reference);
        if let Some(first) = variables.insert(variable.clone(), reference.clone()) {
            return Err(CredentialError::SameVariable {
                first,
                second: reference,
                variable,
            });
        }
        match lookup(&variable) {
            Some(secret) => {
                let body = Credential {
                    key: ProviderKey::new(secret),
                };
                credentials.push(Message::Resource(Resource::new(Kind::Credential, reference, &body)));
            }
            None => tracing::warn!(variable, reference, "credential not in the environment"),
        }
    }
    let mut messages = messages;
    let commit = messages
        .iter()
        .position(|message| matches!(message, Message::Commit(_)))
        .unwrap_or(messages.len());
    messages.splice(commit..commit, credentials);
    Ok(messages)
}

/// Every credential that a deployment of the batch refers to, once, in order.
fn references(messages: &[Message]) -> BTreeSet<String> {
    let deployments = messages.iter().filter_map(|message| match message {
        Message::Resource(resource) if resource.kind == Kind::Deployment => {
            serde_json::from_str::<Deployment>(resource.body.get()).ok()
        }
        _ => None,
    });
    let of = |deployment: Deployment| {
        let from_headers = deployment.headers.into_values().filter_map(|value| match value {
            HeaderValue::Credential(reference) => Some(reference),
            HeaderValue::Value(_) => None,
        });
        deployment
            .credential
            .into_iter()
            .chain(from_headers)
            .collect::<Vec<_>>()
    };
    deployments.flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(references: &[&str]) -> Vec<Message> {
        let deployment = |(number, reference): (usize, &&str)| {
            let body = serde_json::json!({
                "provider": "openai", "model": "m", "endpoints": [], "credential": reference,
            });
            Resource::new(Kind::Deployment, format!("shop/d{number}"), &body)
        };
        let resources: Vec<_> = references.iter().enumerate().map(deployment).collect();
        pilotfish_wire::snapshot::batch(BTreeMap::new(), &resources)
    }

    #[test]
    fn a_credential_that_is_known_stands_before_the_commit() {
        let known = |name: &str| (name == "PILOTFISH_SECRET_UP_KEY").then(|| "sk".to_owned());
        let messages = with_credentials(batch(&["shop/up/key", "shop/other/key"]), known).unwrap();
        let kinds: Vec<_> = messages.iter().map(|message| format!("{message:?}")).collect();
        assert!(kinds[4].starts_with("Resource(Credential shop/up/key"), "{kinds:?}");
        assert!(matches!(messages[5], Message::Commit(_)), "{kinds:?}");
        assert_eq!(messages.len(), 6);
    }

    #[test]
    fn two_references_that_share_a_variable_are_refused() {
        let error = with_credentials(batch(&["a/up/key", "b/up/key"]), |_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a/up/key and b/up/key would both be read from PILOTFISH_SECRET_UP_KEY; rename one of the Secrets"
        );
    }
}
