//! Keys that a provider quotes back: an error that reads `incorrect API key provided: sk-…` goes to the client, who must
//! not learn whose key it was.
//!
//! Errors and headers are looked through. An answer's content is not: it is the client's byte for byte, and a model
//! that is asked never saw the key it was called with.

use super::StandingHeaders;
use super::token::Token;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use memchr::memmem;

/// What stands where a key stood.
const REDACTED: &[u8] = b"[redacted]";

/// Shorter ones are placeholders (`EMPTY`, `none`), and words of many a sentence.
const SHORTEST: usize = 8;

impl StandingHeaders {
    /// The bytes with no key of these headers in them. Copies only what quotes one.
    pub fn redacted(&self, bytes: Bytes) -> Bytes {
        if !self.are_quoted_in(&bytes) {
            return bytes;
        }
        let mut keys: Vec<&[u8]> = self.telling().collect();
        let token = self.token();
        keys.extend(token.as_deref().map(Token::secret));
        // One key may begin with another; the rest of it must not stay.
        keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        let replaced = keys.into_iter().fold(bytes.to_vec(), |bytes, key| without(&bytes, key));
        replaced.into()
    }

    /// The same for a text.
    pub fn redacted_text(&self, text: String) -> String {
        if !self.are_quoted_in(text.as_bytes()) {
            return text;
        }
        String::from_utf8_lossy(&self.redacted(text.into_bytes().into())).into_owned()
    }

    /// Takes out every header of an answer that quotes a key.
    pub fn redact_headers(&self, headers: &mut HeaderMap) {
        let quoting = headers.iter().filter(|(_, value)| self.are_quoted_in(value.as_bytes()));
        let quoting: Vec<HeaderName> = quoting.map(|(name, _)| name.clone()).collect();
        for name in quoting {
            headers.remove(name);
        }
    }

    fn are_quoted_in(&self, bytes: &[u8]) -> bool {
        // Keys are longer than nearly every header's value: most of the time this compares two lengths.
        let quotes = |key: &[u8]| bytes.len() >= key.len() && memmem::find(bytes, key).is_some();
        self.telling().any(quotes) || self.token().is_some_and(|token| quotes(token.secret()))
    }

    fn telling(&self) -> impl Iterator<Item = &[u8]> {
        self.keys().filter(|key| key.len() >= SHORTEST)
    }
}

fn without(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in memmem::find_iter(bytes, key) {
        kept.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        kept.extend_from_slice(REDACTED);
        from = at + key.len();
    }
    kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
    kept
}
