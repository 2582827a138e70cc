//! A tool call's arguments between the form of a string and the form of an object. What is inside is copied as it is
//! written, so a number keeps its spelling and the way there and back is exact.

use super::item::Arguments;
use super::text::Text;
use crate::json::{self, Type, ValueWriter};

/// Where a string that is no object goes, so that an object carries it.
const WRAPPER: &str = "arguments";

/// The one parameter of a custom tool.
const FREE: &str = "input";

impl Arguments<'_> {
    /// Nothing of them is missing. Of free text nobody can tell.
    pub(super) fn are_whole(&self) -> bool {
        match self {
            Self::Object(raw) => raw.kind() == Type::Object,
            Self::Quoted(text) => is_object(&text.plain()),
            Self::Free(_) => true,
        }
    }

    /// As an object: `{}` for an empty string, `{"arguments":"…"}` for one that holds no object.
    pub(super) fn write_object(&self, value: ValueWriter<'_>) {
        match self {
            Self::Object(raw) if raw.kind() == Type::Object => value.raw(*raw),
            Self::Object(raw) => value.object().raw(WRAPPER, *raw),
            Self::Free(text) => text.write(value.object().member(FREE)),
            Self::Quoted(text) => write_unquoted(text, value),
        }
    }

    /// As a string.
    pub(super) fn write_quoted(&self, value: ValueWriter<'_>) {
        match self {
            Self::Object(raw) => value.string(raw.text()),
            Self::Free(text) | Self::Quoted(text) => text.write(value),
        }
    }

    /// As a string that holds an object, for servers that read it into their template.
    pub(super) fn write_quoted_object(&self, value: ValueWriter<'_>) {
        let is_free = matches!(self, Self::Free(_));
        if !is_free && self.are_whole() {
            return self.write_quoted(value);
        }
        let mut object = Vec::new();
        self.write_object(ValueWriter::new(&mut object));
        value.string(&String::from_utf8_lossy(&object));
    }
}

fn is_object(json: &str) -> bool {
    json::parse_value(json.as_bytes()).is_ok_and(|raw| raw.kind() == Type::Object)
}

fn write_unquoted(text: &Text<'_>, value: ValueWriter<'_>) {
    let plain = text.plain();
    if plain.trim().is_empty() {
        return value.object().end();
    }
    match json::parse_value(plain.as_bytes()) {
        Ok(raw) if raw.kind() == Type::Object => value.raw(raw),
        Ok(_) | Err(_) => text.write(value.object().member(WRAPPER)),
    }
}
