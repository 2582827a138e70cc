//! Tags in the body, for `when.tags`.

use crate::dialect::Asked;
use crate::json::{Raw, Type};
use smallvec::SmallVec;
use std::borrow::Cow;

/// A request's tags, in order.
pub type Tags<'a> = SmallVec<[Cow<'a, str>; 4]>;

impl<'a> Asked<'a> {
    /// `metadata.tags`: an array of strings, or one string with commas (OpenAI's metadata holds strings only).
    pub fn tags(&self) -> Tags<'a> {
        let metadata = self.object.get("metadata").and_then(Raw::object);
        let Some(tags) = metadata.and_then(|metadata| metadata.get("tags")) else {
            return Tags::new();
        };
        match tags.kind() {
            Type::Array => tags.elements().into_iter().flatten().filter_map(Raw::string).collect(),
            Type::String => tags.string().map(split).unwrap_or_default(),
            Type::Null | Type::Bool | Type::Number | Type::Object => Tags::new(),
        }
    }
}

fn split(text: Cow<'_, str>) -> Tags<'_> {
    let tidy = |tag: &str| Some(tag.trim().to_owned()).filter(|tag| !tag.is_empty());
    match text {
        Cow::Borrowed(text) => text
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(Cow::Borrowed)
            .collect(),
        Cow::Owned(text) => text.split(',').filter_map(tidy).map(Cow::Owned).collect(),
    }
}
