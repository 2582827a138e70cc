//! Images and documents: bytes in a format of Converse's, never addresses.

use crate::dialect::item::{File, Source};
use crate::dialect::text::Text;
use crate::json::ObjectWriter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Media types and Converse's words for them.
const IMAGES: &[(&str, &str)] = &[
    ("image/gif", "gif"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
];
const DOCUMENTS: &[(&str, &str)] = &[
    ("application/json", "txt"),
    ("application/msword", "doc"),
    ("application/pdf", "pdf"),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/xml", "txt"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/markdown", "md"),
];

/// What a document without a name is called. Neutral: the model reads it.
const NAMELESS: &str = "document";
/// Longest name of a document, characters; the limit is 200, and a number may come behind.
const LONGEST_NAME: usize = 180;

/// What can be sent.
pub(super) enum Medium {
    Image(&'static str),
    Document(&'static str),
}

/// What an image becomes, or why it cannot be sent.
pub(super) fn image(source: &Source<'_>) -> Result<Medium, &'static str> {
    match source {
        Source::Base64 { media_type, .. } => find(IMAGES, &media_type.plain())
            .map(Medium::Image)
            .ok_or("the converse dialect takes images in GIF, JPEG, PNG and WebP only"),
        Source::Url(_) => Err("the converse dialect takes images as bytes, not by URL"),
        Source::Upload | Source::Plain(_) => Err("the upload is only with its provider"),
    }
}

/// What a file becomes, or why it cannot be sent.
pub(super) fn file(file: &File<'_>) -> Result<Medium, &'static str> {
    match &file.source {
        Source::Base64 { media_type, .. } => {
            let kind = media_type.plain();
            let image = || find(IMAGES, &kind).map(Medium::Image);
            let text = || kind.starts_with("text/").then_some(Medium::Document("txt"));
            find(DOCUMENTS, &kind)
                .map(Medium::Document)
                .or_else(image)
                .or_else(text)
                .ok_or("the converse dialect takes PDF, text, office documents and images only")
        }
        Source::Plain(_) => Ok(Medium::Document("txt")),
        Source::Url(_) => Err("the converse dialect takes documents as bytes, not by URL"),
        Source::Upload => Err("the upload is only with its provider"),
    }
}

fn find(table: &[(&str, &'static str)], kind: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, format)| *format)
}

/// Names that were given to documents: no two may have the same one.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, u32>);

impl Names {
    /// `name`, or with a number behind it.
    fn unique(&mut self, name: &str) -> String {
        let mut called = name.to_owned();
        while self.0.contains_key(&called) {
            let count = self.0.entry(name.to_owned()).or_default();
            *count += 1;
            called = format!("{name} ({count})");
        }
        self.0.insert(called.clone(), 1);
        called
    }
}

/// Writes what [`image`] or [`file`] found.
pub(super) fn write(
    medium: &Medium,
    name: Option<&Text<'_>>,
    source: &Source<'_>,
    names: &mut Names,
    block: &mut ObjectWriter<'_>,
) {
    let mut object = match medium {
        Medium::Image(_) => block.object("image"),
        Medium::Document(_) => block.object("document"),
    };
    match medium {
        Medium::Image(format) => object.string("format", format),
        Medium::Document(format) => {
            object.string("format", format);
            let name = name.map(Text::plain);
            object.string("name", &names.unique(&spelt(name.as_deref().unwrap_or_default())));
        }
    }
    let mut inner = object.object("source");
    match source {
        Source::Base64 { data, .. } => data.write(inner.member("bytes")),
        Source::Plain(text) => inner.string("bytes", &STANDARD.encode(&*text.plain())),
        // Refused before.
        Source::Url(_) | Source::Upload => {}
    }
}

/// A name of letters, digits, hyphens, brackets and single blanks.
fn spelt(name: &str) -> Cow<'static, str> {
    let mut spelt = String::with_capacity(name.len().min(LONGEST_NAME));
    for letter in name.chars().take(LONGEST_NAME) {
        match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '(' | ')' | '[' | ']' => spelt.push(letter),
            letter if letter.is_whitespace() && spelt.ends_with(' ') => {}
            letter if letter.is_whitespace() => spelt.push(' '),
            _ => spelt.push('-'),
        }
    }
    match spelt.trim() {
        "" => Cow::Borrowed(NAMELESS),
        name => Cow::Owned(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, spelt};

    #[test]
    fn a_document_s_name_is_spelt_as_converse_wants_it() {
        for (name, expected) in [
            ("report.pdf", "report-pdf"),
            ("Q3  [final]\t(2).docx", "Q3 [final] (2)-docx"),
            ("", "document"),
            ("  ", "document"),
            ("é", "-"),
        ] {
            assert_eq!(spelt(name), expected, "{name:?}");
        }
        assert_eq!(spelt(&"a".repeat(300)).len(), 180);
    }

    #[test]
    fn no_two_documents_have_one_name() {
        let mut names = Names::default();
        let called: Vec<_> = ["a", "b", "a (2)", "a", "a"].map(|name| names.unique(name)).into();
        assert_eq!(called, ["a", "b", "a (2)", "a (3)", "a (4)"]);
    }
}
