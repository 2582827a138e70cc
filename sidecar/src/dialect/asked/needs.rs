//! What a deployment must be able to do for a request.

use crate::dialect::{Asked, ClientDialect, Needs, gemini};
use crate::json::{Raw, Type};
use memchr::memmem::{self, Finder};
use std::sync::LazyLock;

/// The start of a string that names an image. Built once: it is looked for in every body that a window or a feature is
/// asked of.
static IMAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"image"));

/// What may be said beside text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Something to be seen.
    Image,
    /// Something to be heard.
    Sound,
    /// A document, such as a PDF.
    Document,
}

impl Medium {
    /// The types of parts that hold it.
    const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Image => &["image", "image_url", "input_image"],
            Self::Sound => &["input_audio"],
            Self::Document => &["document", "file", "input_file"],
        }
    }

    /// What the media types of it begin with.
    pub(in crate::dialect) const fn family(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Sound => "audio",
            Self::Document => "application",
        }
    }
}

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

    /// Whether something of this kind was said, or shown.
    pub fn holds(&self, medium: Medium) -> bool {
        let list = match self.dialect {
            ClientDialect::Chat | ClientDialect::Messages => "messages",
            ClientDialect::Responses => "input",
            ClientDialect::Gemini => return gemini::request::holds(&self.object, medium),
        };
        let Some(messages) = self.object.get(list) else {
            return false;
        };
        let names = |kind: &&str| memmem::find(messages.text().as_bytes(), kind.as_bytes()).is_some();
        let walk = || {
            let mut said = messages.elements().into_iter().flatten();
            said.any(|message| content_holds(message, medium.kinds(), 0))
        };
        medium.kinds().iter().any(names) && walk()
    }

    fn holds_image(&self) -> bool {
        let list = match self.dialect {
            ClientDialect::Chat | ClientDialect::Messages => "messages",
            ClientDialect::Responses => "input",
            ClientDialect::Gemini => return gemini::request::holds(&self.object, Medium::Image),
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
        IMAGE.find_iter(text).any(is_whole) && self.holds(Medium::Image)
    }
}

/// Deeper than any message is nested, so that a hostile body costs one walk and not one a level.
const DEEPEST: u8 = 8;

/// Looks into the `content` of a message, a tool result, a document's source.
fn content_holds(holder: Raw<'_>, kinds: &[&str], depth: u8) -> bool {
    let Some(object) = holder.object() else { return false };
    let kind = object.get("type").and_then(Raw::string).unwrap_or_default();
    if kinds.contains(&&*kind) {
        return true;
    }
    let inside = |key| {
        object.get(key).is_some_and(|value: Raw<'_>| match value.kind() {
            Type::Array => value
                .elements()
                .into_iter()
                .flatten()
                .any(|part| content_holds(part, kinds, depth + 1)),
            Type::Object => content_holds(value, kinds, depth + 1),
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
