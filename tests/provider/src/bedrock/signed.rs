//! Who may call: an API key, or a signature (version 4) that is made here once more and compared.

use super::error::Error;
use crate::received::Received;
use ring::{digest, hmac};

/// Checks the `Authorization` of a request. Without any keys every API key is taken, and no signature.
pub(super) fn admit(request: &Received, keys: &[String]) -> Result<(), Error> {
    let Some(authorization) = request.header("authorization") else {
        return Err(denied(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ));
    };
    if let Some(key) = authorization.strip_prefix("Bearer ") {
        let known = keys.is_empty() || keys.iter().any(|known| known == key.trim());
        return match known {
            true => Ok(()),
            false => Err(denied(
                "AccessDeniedException",
                "Authentication failed: Please make sure your API Key is valid.",
            )),
        };
    }
    let Some(parts) = authorization.strip_prefix("AWS4-HMAC-SHA256 ").and_then(Parts::of) else {
        return Err(denied(
            "IncompleteSignatureException",
            "Authorization header is not complete.",
        ));
    };
    let secret = keys
        .iter()
        .find_map(|key| key.strip_prefix(parts.key_id)?.strip_prefix(':'));
    let Some(secret) = secret else {
        return Err(denied(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    };
    match parts.signature == expected(request, &parts, secret) {
        true => Ok(()),
        false => Err(denied(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        )),
    }
}

fn denied(kind: &'static str, message: &str) -> Error {
    Error::new(403, kind, message)
}

/// What the header says.
struct Parts<'a> {
    key_id: &'a str,
    /// `20270115/us-east-1/bedrock/aws4_request`
    scope: &'a str,
    headers: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Parts<'a>> {
        let part = |name: &str| {
            text.split(", ")
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let (key_id, scope) = part("Credential")?.split_once('/')?;
        Some(Parts {
            key_id,
            scope: Some(scope).filter(|scope| scope.ends_with("/bedrock/aws4_request"))?,
            headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        })
    }
}

fn expected(request: &Received, parts: &Parts<'_>, secret: &str) -> String {
    let date = request.header("x-amz-date").unwrap_or_default();
    let mut canonical = format!("{}\n{}\n\n", request.method, encoded(request.path()));
    for name in parts.headers.split(';') {
        let value = request.header(name).unwrap_or_default();
        canonical.push_str(&format!("{name}:{}\n", value.trim()));
    }
    canonical.push_str(&format!("\n{}\n{}", parts.headers, hash(&request.body)));
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
        parts.scope,
        hash(canonical.as_bytes())
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in parts.scope.split('/') {
        key = mac(&key, part);
    }
    hex(&mac(&key, &to_sign))
}

/// A path that is encoded once more, slashes aside.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
