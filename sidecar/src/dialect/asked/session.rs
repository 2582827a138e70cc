//! Which conversation a request belongs to, as far as its body says.

use crate::dialect::{Asked, ClientDialect, gemini};
use crate::json::{self, Raw};
use std::borrow::Cow;
use xxhash_rust::xxh3::Xxh3;

/// A shorter prompt is cached by no provider, and taking it for a session would send every repetition of one small
/// request to one deployment.
const SHORTEST_ROOT: usize = 4096;

/// Where Claude Code puts its session into `metadata.user_id`.
const SESSION_MARK: &str = "_session_";

impl<'a> Asked<'a> {
    /// The first session id that the body names; whoever finds it too long must not look for another one.
    pub fn session_hint(&self) -> Option<Cow<'a, str>> {
        let metadata = self.object.get("metadata").and_then(Raw::object);
        let of_user = || match self.dialect {
            ClientDialect::Messages => session_of_user(metadata.as_ref()?.get("user_id")?.string()?),
            ClientDialect::Chat | ClientDialect::Gemini | ClientDialect::Responses => None,
        };
        of_user()
            .or_else(|| text(metadata.as_ref()?.get("session_id")?))
            .or_else(|| text(self.object.get("prompt_cache_key")?))
            .or_else(|| conversation(self.object.get("conversation")?))
    }

    /// A hash of the system prompt and the first user message as they are written, when together they are at least
    /// 4 KiB; otherwise nothing.
    pub fn conversation_root(&self) -> Option<u64> {
        let mut root = Root::default();
        let (system, list) = match self.dialect {
            ClientDialect::Chat => (None, "messages"),
            ClientDialect::Messages => (self.object.get("system"), "messages"),
            ClientDialect::Responses => (self.object.get("instructions"), "input"),
            ClientDialect::Gemini => {
                gemini::request::beginning(&self.object).for_each(|text| root.add(text));
                return root.digest();
            }
        };
        root.add_content(system);
        let list = self.object.get(list)?;
        if list.kind() == json::Type::String {
            root.add(list);
        }
        for message in list.elements().into_iter().flat_map(json::Elements::objects).flatten() {
            let role = message.get("role").and_then(Raw::string).unwrap_or_default();
            match &*role {
                "system" | "developer" => root.add_content(message.get("content")),
                "user" => {
                    root.add_content(message.get("content"));
                    break;
                }
                _ => {}
            }
        }
        root.digest()
    }
}

/// `user_…_account_…_session_ID`, or JSON with a `session_id`.
fn session_of_user(user: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if user.starts_with('{') {
        let object = json::parse(user.as_bytes()).ok()?;
        return text(object.get("session_id")?).map(|id| Cow::Owned(id.into_owned()));
    }
    let id = match user {
        Cow::Borrowed(user) => Cow::Borrowed(user.rsplit_once(SESSION_MARK)?.1),
        Cow::Owned(user) => Cow::Owned(user.rsplit_once(SESSION_MARK)?.1.to_owned()),
    };
    Some(id).filter(|id| !id.is_empty())
}

/// An id, or an object with one.
fn conversation(value: Raw<'_>) -> Option<Cow<'_, str>> {
    text(value).or_else(|| text(value.object()?.get("id")?))
}

fn text(value: Raw<'_>) -> Option<Cow<'_, str>> {
    value.string().filter(|text| !text.is_empty())
}

#[derive(Default)]
struct Root {
    hash: Xxh3,
    bytes: usize,
}

impl Root {
    fn digest(&self) -> Option<u64> {
        (self.bytes >= SHORTEST_ROOT).then(|| self.hash.digest())
    }

    fn add_content(&mut self, content: Option<Raw<'_>>) {
        let Some(content) = content else { return };
        match content.elements() {
            None => self.add(content),
            Some(parts) => parts
                .filter_map(|part| part.object()?.get("text"))
                .for_each(|text| self.add(text)),
        }
    }

    /// Length first, so that two texts cannot be told apart only by where one ends.
    fn add(&mut self, text: Raw<'_>) {
        let text = text.text().as_bytes();
        self.hash.update(&(text.len() as u64).to_le_bytes());
        self.hash.update(text);
        self.bytes += text.len();
    }
}
