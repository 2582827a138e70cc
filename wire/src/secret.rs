//! The one type that holds a provider key.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// A provider's key, header value or other secret text. Not `Clone`, its `Debug` says nothing, and the memory is wiped
/// when it is dropped. Only the operator's `push` serialises it; only the sidecar's `upstream` reads it.
pub struct ProviderKey(Zeroizing<String>);

impl ProviderKey {
    /// Takes the secret text over; the caller keeps no copy.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself. For building an `Authorization` header or a signature, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderKey(redacted)")
    }
}

impl Serialize for ProviderKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProviderKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The keys of an AWS account: one credential, whose text is this as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsKeys {
    /// Names the key; no secret.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: ProviderKey,
    /// Of keys that expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<ProviderKey>,
}

impl AwsKeys {
    /// The credential's text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("strings alone are JSON")
    }

    /// Reads a credential's text; nothing of it is quoted where it is none.
    pub fn of(credential: &ProviderKey) -> Option<Self> {
        serde_json::from_str(credential.expose()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing_of_the_secret() {
        let key = ProviderKey::new("sk-canary".to_owned());
        assert_eq!(format!("{key:?}"), "ProviderKey(redacted)");
        assert_eq!(format!("{key:#?}"), "ProviderKey(redacted)");
    }
}
