//! Images and documents in Anthropic's form.

use crate::dialect::item::{File, Source};
use crate::dialect::media::not_seen;
use crate::dialect::text::Text;
use crate::json::ObjectWriter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The `source` of an image.
pub(super) fn write_source(source: &Source<'_>, block: &mut ObjectWriter<'_>) {
    let mut object = block.object("source");
    match source {
        Source::Base64 { media_type, data } => {
            object.string("type", "base64");
            media_type.write(object.member("media_type"));
            data.write(object.member("data"));
        }
        Source::Url(url) => {
            object.string("type", "url");
            url.write(object.member("url"));
        }
        Source::Plain(text) => write_plain(text, &mut object),
        // Refused before.
        Source::Upload => {}
    }
}

/// Why a file cannot be a document.
pub(super) fn refusal(file: &File<'_>) -> Option<&'static str> {
    match &file.source {
        Source::Base64 { media_type, data } => match kind(media_type) {
            Kind::Document => None,
            Kind::Image => not_seen(&file.source),
            Kind::Text if decode(data).is_some() => None,
            Kind::Text | Kind::Other => Some("the messages dialect takes PDF, text and images only"),
        },
        Source::Url(_) | Source::Plain(_) => None,
        Source::Upload => Some("the upload is only with its provider"),
    }
}

/// A file that [`refusal`] has nothing against.
pub(super) fn write_document(file: &File<'_>, block: &mut ObjectWriter<'_>) {
    match &file.source {
        Source::Base64 { media_type, .. } if matches!(kind(media_type), Kind::Image) => {
            block.string("type", "image");
            return write_source(&file.source, block);
        }
        Source::Base64 { media_type, data } if matches!(kind(media_type), Kind::Text) => {
            block.string("type", "document");
            write_plain(
                &decode(data).unwrap_or_else(|| Text::from("")),
                &mut block.object("source"),
            );
        }
        source => {
            block.string("type", "document");
            write_source(source, block);
        }
    }
    if let Some(name) = &file.name {
        name.write(block.member("title"));
    }
}

fn write_plain(text: &Text<'_>, object: &mut ObjectWriter<'_>) {
    object.string("type", "text");
    object.string("media_type", "text/plain");
    text.write(object.member("data"));
}

enum Kind {
    Document,
    Image,
    Text,
    Other,
}

fn kind(media_type: &Text<'_>) -> Kind {
    match &*media_type.plain() {
        "application/pdf" => Kind::Document,
        "application/json" | "application/xml" => Kind::Text,
        other if other.starts_with("image/") => Kind::Image,
        other if other.starts_with("text/") => Kind::Text,
        _ => Kind::Other,
    }
}

/// Text that was sent as bytes.
fn decode(data: &Text<'_>) -> Option<Text<'static>> {
    let bytes = STANDARD.decode(&*data.plain()).ok()?;
    String::from_utf8(bytes).ok().map(Text::from)
}
