//! Who is calling, and whether they may.
//!
//! The only maker of [`Caller`] and [`Authorised`]. Without a key of ours the caller is the pod; what a policy demands
//! beyond that is known only when the model is.

use super::respond::Refusal;
use crate::dialect::Operation;
use crate::health::{Health, Registry};
use crate::policy::{Broken, Deployment, Key, Policy, Snapshot};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use memchr::memmem::Finder;
use pilotfish_wire::Authentication;
use std::sync::{Arc, LazyLock};

/// What every string that is a key of ours begins with. Any other string is "no key": SDKs refuse to start without
/// one, so applications send `anything`.
const PREFIX: &str = "sk-pf-";

/// Built once: this looks at every header of every request.
static OURS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(PREFIX));

/// Headers in which SDKs send their key, beside `Authorization`.
static KEY_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// Who is calling.
pub(crate) struct Caller {
    /// The first part of every key of every map: nothing is shared between two of them.
    pub tenant: Arc<str>,
    key: Option<Arc<Key>>,
}

/// A caller that may ask this policy for this model.
pub(crate) struct Authorised<'a> {
    pub caller: &'a Caller,
    pub policy: &'a Arc<Policy>,
}

/// Who is calling, from the peer and the head.
pub(super) fn identify(head: &Parts, snapshot: &Snapshot, unix_seconds: i64) -> Result<Caller, Refusal> {
    let presented = presented_key(&head.headers).or_else(|| key_in_query(head.uri.query()?));
    let Some(presented) = presented else {
        return Ok(Caller {
            tenant: Arc::clone(&snapshot.pod),
            key: None,
        });
    };
    let key = snapshot.key(presented).ok_or(Refusal::WrongKey)?;
    if let Some(Broken(reason)) = &key.broken {
        return Err(Refusal::BrokenKey {
            name: key.name.to_string(),
            reason: reason.clone(),
        });
    }
    if key.disabled {
        return Err(Refusal::DisabledKey {
            name: key.name.to_string(),
        });
    }
    if key.expires_at.is_some_and(|expiry| expiry <= unix_seconds) {
        return Err(Refusal::ExpiredKey {
            name: key.name.to_string(),
        });
    }
    Ok(Caller {
        tenant: Arc::clone(&key.tenant),
        key: Some(Arc::clone(key)),
    })
}

/// Whether the caller may ask `policy` for `model`.
pub(super) fn authorise<'a>(
    caller: &'a Caller,
    policy: &'a Arc<Policy>,
    model: &str,
) -> Result<Authorised<'a>, Refusal> {
    match (policy.authentication, &caller.key) {
        (Authentication::VirtualKey, None) => {
            return Err(Refusal::KeyRequired {
                model: model.to_owned(),
            });
        }
        (Authentication::VirtualKey, Some(_)) | (Authentication::Pod, _) => {}
    }
    if !caller.may_ask_for(model) {
        return Err(Refusal::ModelNotAllowed {
            model: model.to_owned(),
        });
    }
    Ok(Authorised { caller, policy })
}

impl Caller {
    /// The health of a deployment of this snapshot, as this caller's tenant meets it when it asks for `operation`.
    pub(super) fn health<'a>(
        &'a self,
        deployment: &Deployment,
        operation: Operation,
        snapshot: &'a Snapshot,
        registry: &Registry,
    ) -> &'a Arc<Health> {
        let board = self.key.as_ref().map_or(&snapshot.pod_board, |key| &key.board);
        board.health(deployment.number, operation, || {
            registry.health(&self.tenant, &deployment.name, operation, deployment.revision)
        })
    }

    /// The labels of the caller's key; empty without one.
    pub(super) fn has_labels(&self, wanted: &std::collections::BTreeMap<String, String>) -> bool {
        let has = |(name, value): (&String, &String)| {
            self.key.as_ref().is_some_and(|key| key.labels.get(name) == Some(value))
        };
        wanted.iter().all(has)
    }

    /// The caller's key, if any, covers this model.
    pub(super) fn may_ask_for(&self, model: &str) -> bool {
        self.key.as_ref().is_none_or(|key| key.allows(model))
    }
}

/// The first string of ours among the places where SDKs put a key.
fn presented_key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(text).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    let others = KEY_HEADERS.iter().filter_map(|name| headers.get(name).and_then(text));
    bearer
        .into_iter()
        .chain(others)
        .find(|candidate| candidate.starts_with(PREFIX))
}

/// Clients of Google's APIs may send it as `?key=…`. Nothing of a query is forwarded.
fn key_in_query(query: &str) -> Option<&str> {
    let mut members = query.split('&').filter_map(|member| member.strip_prefix("key="));
    members.find(|key| key.starts_with(PREFIX))
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// Whether this request header may carry somebody's key, ours or another: it is never forwarded.
pub(super) fn carries_a_key(name: &http::HeaderName, value: &HeaderValue) -> bool {
    let of_an_sdk = name == AUTHORIZATION || KEY_HEADERS.contains(name);
    of_an_sdk || OURS.find(value.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_a_string_of_ours_is_a_key_wherever_an_sdk_puts_it() {
        for (sent, expected) in [
            (headers(&[("authorization", "Bearer sk-pf-a")]), Some("sk-pf-a")),
            (headers(&[("authorization", "bearer  sk-pf-a")]), Some("sk-pf-a")),
            (
                headers(&[("authorization", "Bearer anything"), ("x-api-key", "sk-pf-b")]),
                Some("sk-pf-b"),
            ),
            (headers(&[("api-key", "sk-pf-c")]), Some("sk-pf-c")),
            (headers(&[("x-goog-api-key", "sk-pf-d")]), Some("sk-pf-d")),
            (headers(&[("authorization", "Basic sk-pf-a")]), None),
            (headers(&[("x-api-key", "anything")]), None),
            (headers(&[]), None),
        ] {
            assert_eq!(presented_key(&sent), expected);
        }
    }

    #[test]
    fn a_key_of_ours_is_taken_from_the_query_too() {
        for (query, expected) in [
            ("alt=sse&key=sk-pf-a", Some("sk-pf-a")),
            ("key=AIza&key=sk-pf-a", Some("sk-pf-a")),
            ("key=AIza", None),
            ("monkey=sk-pf-a", None),
        ] {
            assert_eq!(key_in_query(query), expected, "{query}");
        }
    }

    #[test]
    fn a_key_of_ours_is_recognised_in_any_header() {
        for (name, value, expected) in [
            ("authorization", "Bearer sk-up", true),
            ("x-api-key", "anything", true),
            ("x-custom", "token sk-pf-a", true),
            ("x-custom", "something", false),
        ] {
            assert_eq!(
                carries_a_key(&name.parse().unwrap(), &HeaderValue::from_static(value)),
                expected,
                "{name}"
            );
        }
    }
}
