//! What a deployment must be able to do for a request.

use crate::dialect::{Asked, ClientDialect, Needs, gemini};
use crate::json::{Raw, Type};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The start of a string that names an image. Built once: it is looked for in every body that a window or a feature is
/// asked of.
static IMAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"image"));

impl Asked<'_> {
    /// Walks the messages only when the body names an image type at all.
    pub fn needs(&self) -> Needs {
        Needs {
            tools: self.declares_tools(),
            vision: self.holds_image(),
        }
    }

    /// It begins or continues a conversation that its provider holds (Anthropic's `thread`). Another dialect has none.
    pub fn is_in_thread(&self) -> bool {
        self.dialect == ClientDialect::Messages && self.object.get("thread").is_some_and(|thread| !thread.is_null())
    }

    pub(in crate::dialect) fn declares_tools(&self) -> bool {
        ["tools", "functions"]
            .iter()
            .any(|key| self.object.get(key).is_some_and(|list| !is_empty(list)))
    }

    fn holds_image(&self) -> bool {
        let list = match self.dialect {
            ClientDialect::Chat | ClientDialect::Messages => "messages",
            ClientDialect::Responses => "input",
            ClientDialect::Gemini => return gemini::request::holds_image(&self.object),
        };
        let Some(messages) = self.object.get(list) else {
            return false;
        };
        // Quotes inside strings are escaped, so this finds only whole keys and whole values.
        let text = messages.text().as_bytes();
        let is_whole = |at: usize| {
            let behind = text.get(at + IMAGE.needle().len()..).unwrap_or_default();
            behind.starts_with(b"\"") || behind.starts_with(b"_url\"")
        };
        if !IMAGE.find_iter(text).any(is_whole) {
            return false;
        }
        messages
            .elements()
            .into_iter()
            .flatten()
            .any(|message| content_holds_image(message, 0))
    }
}

/// Deeper than any message is nested, so that a hostile body costs one walk and not one a level.
const DEEPEST: u8 = 8;

/// Looks into the `content` of a message, a tool result, a document's source.
fn content_holds_image(holder: Raw<'_>, depth: u8) -> bool {
    let Some(object) = holder.object() else { return false };
    let kind = object.get("type").and_then(Raw::string).unwrap_or_default();
    if matches!(&*kind, "image" | "image_url" | "input_image") {
        return true;
    }
    let inside = |key| {
        object.get(key).is_some_and(|value: Raw<'_>| match value.kind() {
            Type::Array => value
                .elements()
                .into_iter()
                .flatten()
                .any(|part| content_holds_image(part, depth + 1)),
            Type::Object => content_holds_image(value, depth + 1),
            Type::Null | Type::Bool | Type::Number | Type::String => false,
        })
    };
    depth < DEEPEST && (inside("content") || inside("source") || inside("output"))
}

/// One object is one tool, to Google.
fn is_empty(list: Raw<'_>) -> bool {
    list.kind() != Type::Object && list.elements().is_none()
        || list
            .text()
            .as_bytes()
            .get(1..)
            .is_some_and(|rest| rest.trim_ascii_start() == b"]")
}
