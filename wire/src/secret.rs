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

    /// The secret itself. For building an `Authorization` header, and for nothing else.
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
