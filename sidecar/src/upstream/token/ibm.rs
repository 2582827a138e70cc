//! IBM Cloud's: an API key, exchanged for a token.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pilotfish_wire::ProviderKey;

/// What is exchanged.
pub(super) struct ApiKey(ProviderKey);

impl ApiKey {
    pub(super) fn of(key: &ProviderKey) -> Self {
        // Secrets made with `echo` end in a line break, which is no part of the key.
        let key = key.expose().trim_end_matches(['\r', '\n']);
        Self(ProviderKey::new(key.to_owned()))
    }

    /// What is posted for a token.
    pub(super) fn form(&self) -> String {
        let key = utf8_percent_encode(self.0.expose(), NON_ALPHANUMERIC);
        format!("grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey={key}")
    }
}
