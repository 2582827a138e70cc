//! New keys, from the system's random numbers.

use crate::compile::PREFIX;
use rustls::crypto::ring::default_provider;

/// What a key is made of besides its prefix: it is selected by a double click and needs no escape anywhere.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Characters after the prefix. Each has 5.95 bits: 238 in all.
const LENGTH: usize = 40;
/// Bytes below this are equally often each character; others are drawn again.
const FAIR: u8 = 248;
/// At most so many characters after the prefix are shown: 36 bits of 238.
const SHOWN: usize = 6;

/// The system has no random numbers to give.
#[derive(Debug, thiserror::Error)]
#[error("the system has no random bytes")]
pub(super) struct NoRandomness;

/// A new key.
pub(super) fn key() -> Result<String, NoRandomness> {
    let mut key = PREFIX.to_owned();
    while key.len() < PREFIX.len() + LENGTH {
        let mut bytes = [0; LENGTH];
        let filled = default_provider().secure_random.fill(&mut bytes);
        filled.map_err(|_| NoRandomness)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        let characters = fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        key.extend(characters.take(PREFIX.len() + LENGTH - key.len()));
    }
    Ok(key)
}

/// The start of `key`, enough to recognise it by and never enough to use it: at most a quarter of what is secret. `None`
/// for what is no key.
pub(crate) fn recognisable(key: &str) -> Option<&str> {
    let secret = key.strip_prefix(PREFIX)?;
    let shown = (secret.len() / 4).min(SHOWN);
    key.get(..PREFIX.len() + shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::is_key;
    use std::collections::BTreeSet;

    #[test]
    fn keys_are_keys_and_no_two_are_equal() {
        let keys: BTreeSet<String> = (0..1000).map(|_| key().unwrap()).collect();
        assert_eq!(keys.len(), 1000);
        assert!(keys.iter().all(|key| is_key(key) && key.len() == 46));
        let characters: BTreeSet<char> = keys.iter().flat_map(|key| key.chars().skip(PREFIX.len())).collect();
        assert_eq!(characters.len(), 62);
    }

    #[test]
    fn the_start_of_a_key_tells_it_apart_and_gives_little_away() {
        let cases = [
            ("sk-pf-0123456789012345678901234567890123456789", Some("sk-pf-012345")),
            ("sk-pf-0123456789012345", Some("sk-pf-0123")),
            ("sk-pf-é", Some("sk-pf-")),
            ("sk-other", None),
        ];
        for (key, expected) in cases {
            assert_eq!(recognisable(key), expected, "{key}");
        }
    }
}
