//! Pictures, sound and documents as Gemini's parts.

use crate::dialect::item::{File, Source};
use crate::dialect::text::Text;
use crate::json::ObjectWriter;

/// Types by the end of a URL, for Vertex AI, which fetches but wants to know the type first.
const TYPES: &[(&str, &str)] = &[
    (".gif", "image/gif"),
    (".heic", "image/heic"),
    (".jpeg", "image/jpeg"),
    (".jpg", "image/jpeg"),
    (".mp3", "audio/mp3"),
    (".mp4", "video/mp4"),
    (".pdf", "application/pdf"),
    (".png", "image/png"),
    (".wav", "audio/wav"),
    (".webp", "image/webp"),
];

/// Why this source cannot be a part.
pub(super) fn refusal(source: &Source<'_>, fetches: bool) -> Option<&'static str> {
    match source {
        Source::Base64 { .. } | Source::Plain(_) => None,
        Source::Url(url) if is_google_s(&url.plain()) => None,
        Source::Url(url) if fetches => match media_type(&url.plain()) {
            Some(_) => None,
            None => Some("the provider fetches only what its URL names the type of"),
        },
        Source::Url(_) => Some("the provider does not fetch by URL"),
        Source::Upload => Some("the upload is only with its provider"),
    }
}

fn is_google_s(url: &str) -> bool {
    const PLACES: [&str; 4] = [
        "gs://",
        "https://generativelanguage.googleapis.com/",
        "https://www.youtube.com/",
        "https://youtu.be/",
    ];
    PLACES.iter().any(|place| url.starts_with(place))
}

fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
    let found = TYPES.iter().find(|(end, _)| path.ends_with(end));
    found.map(|(_, media_type)| *media_type)
}

/// Writes a part that [`refusal`] has nothing against.
pub(super) fn write(source: &Source<'_>, name: Option<&Text<'_>>, part: &mut ObjectWriter<'_>) {
    match source {
        Source::Base64 { media_type, data } => {
            let mut blob = part.object("inlineData");
            media_type.write(blob.member("mimeType"));
            data.write(blob.member("data"));
        }
        Source::Url(url) => {
            let mut file = part.object("fileData");
            if let Some(media_type) = media_type(&url.plain()) {
                file.string("mimeType", media_type);
            }
            url.write(file.member("fileUri"));
        }
        Source::Plain(text) => match name {
            None => text.write(part.member("text")),
            Some(name) => {
                let mut string = part.member("text").text();
                name.push_to(&mut string);
                string.push("\n\n");
                text.push_to(&mut string);
            }
        },
        // Refused before.
        Source::Upload => {}
    }
}

/// A document as a part; Google's have no names.
pub(super) fn write_file(file: &File<'_>, part: &mut ObjectWriter<'_>) {
    write(&file.source, file.name.as_ref(), part);
}
