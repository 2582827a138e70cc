//! What the API server says about a token.

use super::{AUDIENCE, Refused, answer};
use crate::watch::PodUid;
use crate::world::ObjectName;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus, UserInfo};
use kube::api::PostParams;
use kube::{Api, Client};

/// Where the API server names the pod that a token is bound to.
const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";

/// Whose a token is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) pod: ObjectName,
    pub(super) uid: PodUid,
    pub(super) service_account: String,
}

/// Has `token` reviewed. One that has expired, that is for others, or whose pod is gone is refused by the API server.
pub(super) async fn review(client: &Client, token: &str) -> Result<Claims, Refused> {
    let reviews = Api::<TokenReview>::all(client.clone());
    let review = TokenReview {
        spec: TokenReviewSpec {
            audiences: Some(vec![AUDIENCE.to_owned()]),
            token: Some(token.to_owned()),
        },
        ..TokenReview::default()
    };
    let reviewed = answer("the token", reviews.create(&PostParams::default(), &review)).await?;
    claims(reviewed.status.unwrap_or_default()).map_err(Refused::Unproven)
}

fn claims(status: TokenReviewStatus) -> Result<Claims, String> {
    if status.authenticated != Some(true) {
        let why = status.error.map(|error| format!(": {error}")).unwrap_or_default();
        return Err(format!("the API server does not accept the token for {AUDIENCE}{why}"));
    }
    // An API server that knows no audiences authenticates a token for whomever it is.
    let mut audiences = status.audiences.iter().flatten();
    if !audiences.any(|audience| audience == AUDIENCE) {
        return Err(format!("the token is not for {AUDIENCE}"));
    }
    let user = status.user.unwrap_or_default();
    let (namespace, service_account) = service_account(&user)?;
    let (Some(name), Some(uid)) = (only(&user, POD_NAME), only(&user, POD_UID)) else {
        return Err("the token is bound to no pod; it must be the one that is projected into the pod".to_owned());
    };
    Ok(Claims {
        pod: ObjectName::new(namespace, name),
        uid: PodUid::new(uid),
        service_account: service_account.to_owned(),
    })
}

/// Namespace and name.
fn service_account(user: &UserInfo) -> Result<(&str, &str), String> {
    let name = user.username.as_deref().unwrap_or_default();
    let account = name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    account.ok_or_else(|| format!("the token is that of {name:?}, which is no ServiceAccount"))
}

fn only<'u>(user: &'u UserInfo, key: &str) -> Option<&'u str> {
    match user.extra.as_ref()?.get(key)?.as_slice() {
        [value] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "authenticated": true,
            "audiences": ["pilotfish.dev"],
            "user": {
                "username": "system:serviceaccount:shop:web",
                "extra": {POD_NAME: ["web-1"], POD_UID: ["uid-1"]},
            },
        })
    }

    fn judged(status: Value) -> Result<Claims, String> {
        claims(serde_json::from_value(status).unwrap())
    }

    fn changed(pointer: &str, value: Value) -> Value {
        let mut status = good();
        *status.pointer_mut(pointer).unwrap() = value;
        status
    }

    #[test]
    fn a_token_that_is_bound_to_a_pod_is_that_pod_s() {
        let claims = Claims {
            pod: ObjectName::new("shop", "web-1"),
            uid: PodUid::new("uid-1"),
            service_account: "web".to_owned(),
        };
        assert_eq!(judged(good()), Ok(claims));
    }

    #[test]
    fn every_other_token_gets_a_sentence() {
        let unbound = "the token is bound to no pod; it must be the one that is projected into the pod";
        for (status, sentence) in [
            (
                json!({"authenticated": false, "error": "token has expired"}),
                "the API server does not accept the token for pilotfish.dev: token has expired",
            ),
            (json!({}), "the API server does not accept the token for pilotfish.dev"),
            (
                changed("/audiences", json!(["api"])),
                "the token is not for pilotfish.dev",
            ),
            (changed("/audiences", json!(null)), "the token is not for pilotfish.dev"),
            (changed("/user/extra", json!({})), unbound),
            (
                changed("/user/extra", json!({POD_NAME: ["a", "b"], POD_UID: ["1"]})),
                unbound,
            ),
            (
                changed("/user/username", json!("admin")),
                "the token is that of \"admin\", which is no ServiceAccount",
            ),
        ] {
            assert_eq!(judged(status), Err(sentence.to_owned()));
        }
    }
}
