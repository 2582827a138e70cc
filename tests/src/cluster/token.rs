//! Tokens that the API server's own key has signed, and that the API server would not issue.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, SigningKey};
use serde_json::Value;
use std::path::Path;

/// `token` with other claims, signed by the key in the cluster's `directory`.
pub(super) fn resigned(directory: &Path, token: &str, change: impl FnOnce(&mut Value)) -> Result<String> {
    let [head, claims, _] = <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>())
        .ok()
        .context("a token has three parts")?;
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    change(&mut claims);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let key = KeyPair::from_pem(&std::fs::read_to_string(directory.join("sa.key"))?)?;
    let signature = fixed(&key.sign(signed.as_bytes())?)?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A signature as tokens have it: two numbers of 32 bytes, where DER has a sequence of two integers.
fn fixed(der: &[u8]) -> Result<[u8; 64]> {
    let mut fixed = [0; 64];
    let (halves, mut rest) = (fixed.chunks_exact_mut(32), der.get(2..).context("a sequence")?);
    for half in halves {
        let length = usize::from(*rest.get(1).context("an integer")?);
        let number = rest.get(2..2 + length).context("an integer of this length")?;
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        ensure!(number.len() <= half.len(), "no number of this curve");
        half[32 - number.len()..].copy_from_slice(number);
        rest = &rest[2 + length..];
    }
    Ok(fixed)
}
