//! Finding a member in one event's JSON without parsing it: what a pass-through chunk costs.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// A key, quotes included, as it stands in JSON. Inside a string its quotes would be escaped, so a hit is a whole key,
/// or a whole string value, which no colon follows. (A key spelt with escapes is not found; nobody writes one.)
pub(super) struct Key(LazyLock<Finder<'static>>);

macro_rules! key {
    ($name:literal) => {
        Key(LazyLock::new(|| Finder::new(concat!('"', $name, '"'))))
    };
}

pub(super) static USAGE: Key = key!("usage");
pub(super) static ERROR: Key = key!("error");
pub(super) static FINISH_REASON: Key = key!("finish_reason");
pub(super) static REASONING: Key = key!("reasoning");
pub(super) static REASONING_CONTENT: Key = key!("reasoning_content");
pub(super) static REASONING_DETAILS: Key = key!("reasoning_details");
pub(super) static TOOL_CALLS: Key = key!("tool_calls");

impl Key {
    /// Some member with this key, at any depth, has a value other than `null`.
    pub(super) fn is_set(&self, json: &[u8]) -> bool {
        self.0.find_iter(json).any(|at| {
            let behind = json.get(at + self.0.needle().len()..).unwrap_or_default();
            let value = behind.trim_ascii_start().strip_prefix(b":");
            value.is_some_and(|value| !value.trim_ascii_start().starts_with(b"null"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::USAGE;

    #[test]
    fn only_a_member_that_is_set_counts() {
        let cases = [
            (r#"{"usage":{"prompt_tokens":1}}"#, true),
            (r#"{"a":[{"usage" : 1}]}"#, true),
            (r#"{"usage":null,"x_groq":{"usage":{}}}"#, true),
            (r#"{"usage":null}"#, false),
            (r#"{"usage" :  null}"#, false),
            (r#"{"content":"usage"}"#, false),
            (r#"{"content":"\"usage\":1"}"#, false),
            (r#"{"content":"usage: {}"}"#, false),
            ("", false),
        ];
        for (json, expected) in cases {
            assert_eq!(USAGE.is_set(json.as_bytes()), expected, "{json}");
        }
    }
}
