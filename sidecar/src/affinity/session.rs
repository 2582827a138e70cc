//! Which conversation a request belongs to, from whatever name its client gives it.
//!
//! The first of these that is not empty decides: the policy's headers, the names in use (`NAMES`) in their order, the
//! body's hint, the conversation's root. An id that is too long, or not UTF-8, means no session at all: the next name
//! in line might be shared by conversations that the client meant to keep apart.

use http::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

/// Longest session id, bytes.
pub const LONGEST: usize = 255;

/// A request's conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session<'a> {
    /// The client named it.
    Named {
        /// At most [`LONGEST`] bytes, never empty.
        id: Cow<'a, str>,
        /// Who named it.
        source: Source<'a>,
    },
    /// Known by how it began: the hash of system prompt and first user message, 16 hex digits.
    Rooted(String),
    /// Nothing names it.
    Unnamed,
    /// It was named, but the name is too long or not UTF-8.
    Refused(Source<'a>),
}

/// Where a session id was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// In this header.
    Header(&'a HeaderName),
    /// In the body.
    Body,
}

impl Session<'_> {
    /// The text to be hashed, if there is a session.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Named { id, source: _ } => Some(id),
            Self::Rooted(id) => Some(id),
            Self::Unnamed | Self::Refused(_) => None,
        }
    }
}

/// How a header that carries a session id is recognised.
#[derive(Clone, Copy, Debug)]
enum Name {
    /// This one.
    Exactly(&'static str),
    /// `x-<vendor>-session-id`; of several vendors the alphabetically first.
    OfVendor,
}

/// The names in use, first found first: ours, LiteLLM's, those that several gateways and harnesses share, those of one.
const NAMES: [Name; 15] = [
    Name::Exactly("x-pilotfish-session-id"),
    Name::Exactly("x-litellm-session-id"),
    Name::Exactly("x-session-id"),
    Name::Exactly("x-session-affinity"),
    Name::OfVendor,
    Name::Exactly("x-opencode-session"),
    Name::Exactly("x-grok-conv-id"),
    Name::Exactly("x-conversation-id"),
    Name::Exactly("x-session-token"),
    Name::Exactly("x-amp-thread-id"),
    Name::Exactly("helicone-session-id"),
    Name::Exactly("session-id"),
    Name::Exactly("session_id"),
    Name::Exactly("conversation-id"),
    Name::Exactly("conversation_id"),
];

/// Finds the request's session. The closures run only when no header names one: `body_hint` reads the body's own field
/// (`metadata.session_id`, `prompt_cache_key`, …), `conversation_root` hashes its beginning if that is long enough.
pub fn session_id<'a>(
    policy_headers: &[HeaderName],
    headers: &'a HeaderMap,
    body_hint: impl FnOnce() -> Option<Cow<'a, str>>,
    conversation_root: impl FnOnce() -> Option<u64>,
) -> Session<'a> {
    if let Some((name, value)) = of_policy(policy_headers, headers).or_else(|| well_known(headers)) {
        return named(std::str::from_utf8(value).ok().map(Cow::Borrowed), Source::Header(name));
    }
    if let Some(id) = body_hint().filter(|id| !id.trim_ascii().is_empty()) {
        return named(Some(id), Source::Body);
    }
    conversation_root().map_or(Session::Unnamed, |root| Session::Rooted(format!("{root:016x}")))
}

fn named<'a>(id: Option<Cow<'a, str>>, source: Source<'a>) -> Session<'a> {
    match id.filter(|id| id.len() <= LONGEST) {
        Some(id) => Session::Named { id, source },
        None => Session::Refused(source),
    }
}

/// The first of the policy's headers that holds something.
fn of_policy<'a>(names: &[HeaderName], headers: &'a HeaderMap) -> Option<(&'a HeaderName, &'a [u8])> {
    let holds = |wanted: &HeaderName| {
        headers
            .iter()
            .map(trimmed)
            .find(|(name, id)| *name == wanted && !id.is_empty())
    };
    names.iter().find_map(holds)
}

/// The best of [`NAMES`] in one pass: most requests carry none, and a dozen look-ups would each hash a name.
fn well_known(headers: &HeaderMap) -> Option<(&HeaderName, &[u8])> {
    let ranked = headers
        .iter()
        .filter_map(|header| Some((rank(header.0.as_str())?, trimmed(header))));
    let best = ranked
        .filter(|(_, (_, id))| !id.is_empty())
        .min_by_key(|(rank, (name, _))| (*rank, name.as_str()));
    best.map(|(_, found)| found)
}

fn trimmed<'a>((name, value): (&'a HeaderName, &'a HeaderValue)) -> (&'a HeaderName, &'a [u8]) {
    (name, value.as_bytes().trim_ascii())
}

/// The place of a header's name among [`NAMES`]; its first and last byte spare nearly all headers the comparison.
fn rank(name: &str) -> Option<usize> {
    let possible = matches!(name.as_bytes(), [b'c' | b'h' | b's' | b'x', .., b'd' | b'n' | b'y']);
    possible
        .then(|| NAMES.iter().position(|known| known.is(name)))
        .flatten()
}

impl Name {
    fn is(self, name: &str) -> bool {
        match self {
            Self::Exactly(known) => known == name,
            Self::OfVendor => name
                .strip_prefix("x-")
                .and_then(|rest| rest.strip_suffix("-session-id"))
                .is_some_and(|vendor| !vendor.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests;
