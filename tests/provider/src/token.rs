//! Token endpoints: Google's, which takes what a service account signed or asks nobody at all, and IBM's, which takes
//! an API key.

use crate::answer::{Answer, Body};
use crate::builder::Settings;
use crate::json::compact;
use crate::received::Received;
use crate::serve::Provider;
use crate::step::{Refusal, Style};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a pod of Google's cloud asks who it is.
const METADATA: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Gives out `token-1`, `token-2` and so on. Of its keys the ones that are an RSA public key (PKCS #1, base64) check
/// signatures, and the others are API keys; its models are how long its tokens live, seconds.
pub(crate) struct Tokens {
    settings: Settings,
    given: AtomicU64,
}

impl Provider for Tokens {
    fn answer(&self, request: &Received, _style: Style) -> Answer {
        let admitted = match (request.method.as_str(), request.path()) {
            ("GET", METADATA) => metadata(request),
            ("POST", "/token") => self.google(request),
            ("POST", "/identity/token") => self.ibm(request),
            _ => Err((404, json!({"error": "not_found"}))),
        };
        match admitted {
            Ok(()) => answer(200, &self.token()),
            Err((status, body)) => answer(status, &body),
        }
    }

    fn refuse(&self, _request: &Received, refusal: Refusal) -> Answer {
        let status = match refusal {
            Refusal::Status(status) => status,
            _ => 429,
        };
        answer(status, &json!({"error": "temporarily_unavailable"}))
    }

    fn error_event(&self, _request: &Received, _status: u16) -> Bytes {
        Bytes::new()
    }
}

type Refused = (u16, Value);

fn grant(description: &str) -> Refused {
    (400, json!({"error": "invalid_grant", "error_description": description}))
}

impl Tokens {
    pub(crate) fn new(settings: Settings) -> Tokens {
        Tokens {
            settings,
            given: AtomicU64::new(0),
        }
    }

    fn token(&self) -> Value {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let lives: u64 = self
            .settings
            .models
            .first()
            .and_then(|model| model.name.parse().ok())
            .unwrap_or(3600);
        json!({"access_token": format!("token-{number}"), "expires_in": lives, "token_type": "Bearer"})
    }

    /// RFC 7523, as Google has it.
    fn google(&self, request: &Received) -> Result<(), Refused> {
        let form = form(request);
        if form.get("grant_type").map(String::as_str) != Some("urn:ietf:params:oauth:grant-type:jwt-bearer") {
            return Err((400, json!({"error": "unsupported_grant_type"})));
        }
        let assertion = form.get("assertion").ok_or_else(|| grant("no assertion"))?;
        let (said, signature) = assertion.rsplit_once('.').ok_or_else(|| grant("Invalid JWT"))?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| grant("Invalid JWT"))?;
        let signs = |key: &String| {
            let key = STANDARD.decode(key).unwrap_or_default();
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
            key.verify(said.as_bytes(), &signature).is_ok()
        };
        if !self.settings.keys.iter().any(signs) {
            return Err(grant("Invalid JWT Signature."));
        }
        let (header, claims) = said.split_once('.').ok_or_else(|| grant("Invalid JWT"))?;
        let part = |text: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok() };
        let (header, claims) = part(header).zip(part(claims)).ok_or_else(|| grant("Invalid JWT"))?;
        let span = claims["exp"]
            .as_i64()
            .zip(claims["iat"].as_i64())
            .map(|(exp, iat)| exp - iat);
        let host = request.header("host").unwrap_or_default();
        let holds = header["alg"] == "RS256"
            && claims["scope"] == SCOPE
            && claims["aud"] == format!("http://{host}/token")
            && claims["iss"].as_str().is_some_and(|email| email.contains('@'))
            && span.is_some_and(|span| (1..=3600).contains(&span));
        holds
            .then_some(())
            .ok_or_else(|| grant("Invalid JWT: a claim is wrong"))
    }

    fn ibm(&self, request: &Received) -> Result<(), Refused> {
        let form = form(request);
        let is_key = form.get("apikey").is_some_and(|key| self.settings.accepts(key));
        let is_grant = form
            .get("grant_type")
            .is_some_and(|grant| grant == "urn:ibm:params:oauth:grant-type:apikey");
        match is_key && is_grant {
            true => Ok(()),
            false => Err((
                400,
                json!({"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}),
            )),
        }
    }
}

fn metadata(request: &Received) -> Result<(), Refused> {
    match request.header("metadata-flavor") {
        Some("Google") => Ok(()),
        _ => Err((403, json!({"error": "missing_header"}))),
    }
}

/// The members of a posted form.
fn form(request: &Received) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let members = text.split('&').filter_map(|member| member.split_once('='));
    members
        .filter_map(|(name, value)| Some((name.to_owned(), decoded(value)?)))
        .collect()
}

fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Body::Whole(compact(body).into()),
        bill: None,
    }
}
