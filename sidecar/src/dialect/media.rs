//! What kind of thing a medium is, where more than one dialect has to know.

use super::item::{File, Source};
use super::text::Text;

/// The images that OpenAI's and Anthropic's models see, as their API references list them.
const IMAGES: &[&str] = &["image/gif", "image/jpeg", "image/jpg", "image/png", "image/webp"];

/// Names for files that came without one: OpenAI's servers judge a file by what its name ends in.
const NAMES: &[(&str, &str)] = &[
    ("application/json", "document.json"),
    ("application/msword", "document.doc"),
    ("application/pdf", "document.pdf"),
    ("application/vnd.ms-excel", "document.xls"),
    ("application/vnd.ms-powerpoint", "document.ppt"),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "document.pptx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "document.xlsx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document.docx",
    ),
    ("application/xml", "document.xml"),
    ("text/csv", "document.csv"),
    ("text/html", "document.html"),
    ("text/markdown", "document.md"),
    ("text/plain", "document.txt"),
];

/// Why a file is none for OpenAI's dialects: videos and sounds are not, and what nobody named must be of a known type.
const NO_FILE: &str = "no kind of file that OpenAI's dialects take";

/// Why bytes are no image for a model that sees: an address says nothing.
pub(super) fn not_seen(source: &Source<'_>) -> Option<&'static str> {
    match source {
        Source::Base64 { media_type, .. } if !IMAGES.contains(&&*kind(media_type)) => {
            Some("the model sees images in GIF, JPEG, PNG and WebP only")
        }
        Source::Base64 { .. } | Source::Url(_) | Source::Plain(_) | Source::Upload => None,
    }
}

/// The name under which OpenAI's dialects take a file of these bytes, or why they do not.
pub(super) fn file_name<'f, 'a>(file: &'f File<'a>, media_type: &Text<'_>) -> Result<FileName<'f, 'a>, &'static str> {
    let kind = kind(media_type);
    if kind.starts_with("video/") || kind.starts_with("audio/") {
        return Err(NO_FILE);
    }
    let known = || NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name);
    match &file.name {
        Some(name) => Ok(FileName::Given(name)),
        None => known().map(FileName::Made).ok_or(NO_FILE),
    }
}

/// A file's name: the client's, or one that fits.
pub(super) enum FileName<'f, 'a> {
    Given(&'f Text<'a>),
    Made(&'static str),
}

impl FileName<'_, '_> {
    pub(super) fn write(&self, value: crate::json::ValueWriter<'_>) {
        match self {
            Self::Given(name) => name.write(value),
            Self::Made(name) => value.string(name),
        }
    }
}

/// Lower case, without parameters.
fn kind(media_type: &Text<'_>) -> String {
    let plain = media_type.plain();
    plain.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
