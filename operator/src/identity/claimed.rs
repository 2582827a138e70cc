//! What a token says of itself, unproven.
//!
//! Asking the API server takes a turn of which there are few, so what can be no sidecar's token is refused before. What is
//! not refused here is worth nothing yet.

use super::{AUDIENCE, Refused};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Those of Kubernetes have about a thousand bytes.
const LONGEST: usize = 8 * 1024;
/// Seconds by which the clocks of two hosts may differ.
const LEEWAY: i64 = 60;

#[derive(Deserialize)]
struct Claimed {
    aud: Audiences,
    exp: i64,
    #[serde(rename = "kubernetes.io", default)]
    bound: Bound,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

#[derive(Default, Deserialize)]
struct Bound {
    pod: Option<IgnoredAny>,
}

/// Refuses at `now`, in seconds since the Unix epoch, what is certainly no sidecar's token.
pub(super) fn plausible(token: &str, now: i64) -> Result<(), Refused> {
    check(token, now).map_err(|why| Refused::Unproven(why.to_owned()))
}

fn check(token: &str, now: i64) -> Result<(), &'static str> {
    let claimed = read(token).ok_or("the token is none that Kubernetes makes")?;
    let is_ours = match &claimed.aud {
        Audiences::One(audience) => audience == AUDIENCE,
        Audiences::Several(audiences) => audiences.iter().any(|audience| audience == AUDIENCE),
    };
    if !is_ours {
        return Err("the token is not for the audience pilotfish.dev");
    }
    if claimed.bound.pod.is_none() {
        return Err("the token is bound to no pod; it must be the one that is projected into the pod");
    }
    if claimed.exp.saturating_add(LEEWAY) < now {
        return Err("the token has expired");
    }
    Ok(())
}

fn read(token: &str) -> Option<Claimed> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims = (token.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(claims).ok())??;
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn signed(claims: &Value) -> String {
        format!("e30.{}.AAAA", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn only_what_may_be_a_sidecar_s_token_is_asked_about() {
        let claims =
            |aud: Value, exp: i64, bound: Value| signed(&json!({"aud": aud, "exp": exp, "kubernetes.io": bound}));
        let (ours, pod) = (
            json!(["pilotfish.dev"]),
            json!({"namespace": "shop", "pod": {"name": "web", "uid": "1"}}),
        );
        let good = claims(ours.clone(), NOW + 1, pod.clone());
        let none = Err("the token is none that Kubernetes makes");
        let unbound = Err("the token is bound to no pod; it must be the one that is projected into the pod");
        for (token, expected) in [
            (good.clone(), Ok(())),
            (claims(json!("pilotfish.dev"), NOW, pod.clone()), Ok(())),
            (claims(ours.clone(), NOW - LEEWAY, pod.clone()), Ok(())),
            (
                claims(ours.clone(), NOW - LEEWAY - 1, pod.clone()),
                Err("the token has expired"),
            ),
            (
                claims(json!(["vault"]), NOW, pod),
                Err("the token is not for the audience pilotfish.dev"),
            ),
            (claims(ours.clone(), NOW, json!({})), unbound),
            (signed(&json!({"aud": ours, "exp": NOW})), unbound),
            (signed(&json!({})), none),
            (format!("{good}.AAAA"), none),
            ("hello".to_owned(), none),
            ("a.b.c".to_owned(), none),
            (format!("{}{good}", "e".repeat(LONGEST)), none),
            (String::new(), none),
        ] {
            assert_eq!(check(&token, NOW), expected, "{token:.200}");
        }
    }
}
