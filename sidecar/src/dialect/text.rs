//! Strings on their way from one JSON text into another.

use crate::json::{Raw, StringWriter, Type, ValueWriter};
use std::borrow::Cow;

/// A string: as some JSON wrote it, so that it is copied without looking at it, or one of our own.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    /// A JSON string with its quotes and escapes.
    Json(Raw<'a>),
    /// Characters.
    Plain(Cow<'a, str>),
}

impl<'a> Text<'a> {
    /// A JSON string, if `value` is one.
    pub(super) fn of(value: Raw<'a>) -> Option<Self> {
        (value.kind() == Type::String).then_some(Self::Json(value))
    }

    /// Its characters.
    pub(super) fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Json(raw) => raw.string().unwrap_or_default(),
            Self::Plain(text) => Cow::Borrowed(text),
        }
    }

    /// How many those are.
    pub(super) fn characters(&self) -> u64 {
        self.plain().chars().count() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Json(raw) => raw.text() == "\"\"",
            Self::Plain(text) => text.is_empty(),
        }
    }

    /// Nothing but white space. Looks no further than the first other character.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Json(raw) => match raw.text().as_bytes() {
                [b'"', b' ' | b'\\' | b'"', ..] => self.plain().trim().is_empty(),
                _ => false,
            },
            Self::Plain(text) => text.trim().is_empty(),
        }
    }

    pub(super) fn write(&self, value: ValueWriter<'_>) {
        match self {
            Self::Json(raw) => value.raw(*raw),
            Self::Plain(text) => value.string(text),
        }
    }

    /// Appends it to a longer string.
    pub(super) fn push_to(&self, string: &mut StringWriter<'_>) {
        match self {
            Self::Json(raw) => string.copy(*raw),
            Self::Plain(text) => string.push(text),
        }
    }
}

impl From<&'static str> for Text<'_> {
    fn from(text: &'static str) -> Self {
        Self::Plain(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Plain(Cow::Owned(text))
    }
}
