//! What a token endpoint answers.

use crate::upstream::UpstreamBody;
use http_body::Body as _;
use pilotfish_wire::ProviderKey;
use serde::Deserialize;
use std::future::poll_fn;
use std::pin::Pin;

/// Longest answer that is read, bytes.
const LONGEST: usize = 64 * 1024;
/// Longest code that is shown, bytes.
const LONGEST_CODE: usize = 64;
/// The life of a token of which nothing is said, seconds: less than any that is known.
const USUAL_LIFE: i64 = 300;

/// A token and when it ends, seconds since the Unix epoch.
pub(super) struct Granted {
    pub(super) token: ProviderKey,
    pub(super) ends_at: i64,
}

#[derive(Deserialize)]
struct Answer {
    access_token: ProviderKey,
    expires_in: Option<i64>,
}

/// OAuth's errors name themselves, IBM's have a code of their own.
#[derive(Deserialize)]
struct Refusal {
    #[serde(alias = "errorCode")]
    error: String,
}

/// The whole body, or why there is none.
pub(super) async fn bounded(mut body: UpstreamBody) -> Result<Vec<u8>, String> {
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| error.to_string())?;
        read.extend_from_slice(&frame.into_data().unwrap_or_default());
        if read.len() > LONGEST {
            return Err(format!("its answer is longer than {LONGEST} bytes"));
        }
    }
    Ok(read)
}

pub(super) fn granted(body: &[u8], now: i64) -> Option<Granted> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let ends_at = now.saturating_add(answer.expires_in.unwrap_or(USUAL_LIFE).max(0));
    Some(Granted {
        token: answer.access_token,
        ends_at,
    })
}

/// `: invalid_grant`, where it is such a word: a sentence could quote what was sent.
pub(super) fn code(body: &[u8]) -> String {
    let word = |code: &String| {
        let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        plain && (1..=LONGEST_CODE).contains(&code.len())
    };
    let refusal = serde_json::from_slice::<Refusal>(body).ok();
    let code = refusal.map(|refusal| refusal.error).filter(word);
    code.map_or_else(String::new, |code| format!(": {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_and_what_is_refused_are_read() {
        let granted = |body: &str| {
            granted(body.as_bytes(), 100).map(|granted| (granted.token.expose().to_owned(), granted.ends_at))
        };
        let one = |ends_at| Some(("t".to_owned(), ends_at));
        assert_eq!(
            granted(r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#),
            one(3699)
        );
        assert_eq!(granted(r#"{"access_token":"t"}"#), one(400));
        assert_eq!(granted(r#"{"access_token":"t","expires_in":-5}"#), one(100));
        assert_eq!(granted(r#"{"expires_in":3599}"#), None);
        for (body, expected) in [
            (
                r#"{"error":"invalid_grant","error_description":"Invalid JWT: eyJ…"}"#,
                ": invalid_grant",
            ),
            (
                r#"{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found."}"#,
                ": BXNIM0415E",
            ),
            (r#"{"error":"the key sk-1 is wrong"}"#, ""),
            ("<html>", ""),
        ] {
            assert_eq!(code(body.as_bytes()), expected);
        }
    }
}
