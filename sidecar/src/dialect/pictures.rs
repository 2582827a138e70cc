//! Pictures by URL, for upstreams that want their bytes. Nothing is fetched here: a translation says which it wants, and
//! is done again with what the pipeline has got.

use super::item::{Item, Part, Request, Source};
use super::loss::Ledger;
use super::text::Text;
use super::{Dialect, Upstream, gemini};
use std::collections::BTreeMap;

/// What has become of pictures, by their URLs.
#[derive(Debug, Default)]
pub struct Pictures(BTreeMap<String, Result<Picture, &'static str>>);

/// One picture's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// `image/png`, …
    pub media_type: &'static str,
    /// In base64.
    pub base64: String,
}

impl Pictures {
    /// Puts down what became of a picture: itself, or why not.
    pub fn put(&mut self, url: String, picture: Result<Picture, &'static str>) {
        self.0.insert(url, picture);
    }

    /// Whether it is known what became of the picture.
    pub fn knows(&self, url: &str) -> bool {
        self.0.contains_key(url)
    }
}

/// Puts bytes where the upstream wants them and they are there; which URLs it wants bytes for and there are none. A picture
/// that could not be had is lost.
pub(super) fn place(
    request: &mut Request<'_>,
    upstream: &Upstream<'_>,
    pictures: &Pictures,
    ledger: &mut Ledger,
) -> Vec<String> {
    let mut wanted = Vec::new();
    if upstream.has("Vision") != Some(false) {
        place_in(&mut request.items, upstream, pictures, ledger, &mut wanted);
    }
    wanted
}

fn place_in(
    items: &mut Vec<Item<'_>>,
    upstream: &Upstream<'_>,
    pictures: &Pictures,
    ledger: &mut Ledger,
    wanted: &mut Vec<String>,
) {
    items.retain_mut(|item| {
        let source = match &mut item.part {
            Part::Image(source) => source,
            Part::Result(result) => {
                place_in(&mut result.content, upstream, pictures, ledger, wanted);
                return true;
            }
            _ => return true,
        };
        let Some(url) = wants_bytes(source, upstream) else {
            return true;
        };
        match pictures.0.get(&url) {
            Some(Ok(picture)) => {
                *source = Source::Base64 {
                    media_type: Text::from(picture.media_type),
                    data: Text::from(picture.base64.clone()),
                };
                true
            }
            Some(Err(why)) => {
                ledger.meaning(item.field(), why);
                false
            }
            None => {
                wanted.push(url);
                true
            }
        }
    });
}

/// The URL, where the upstream would not fetch it.
fn wants_bytes(source: &Source<'_>, upstream: &Upstream<'_>) -> Option<String> {
    let Source::Url(url) = source else { return None };
    let wants = match upstream.dialect {
        Dialect::Converse | Dialect::Ollama => true,
        Dialect::Gemini => gemini::request::wants_bytes(source, upstream),
        Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Cohere => false,
    };
    wants.then(|| url.plain().into_owned())
}

#[cfg(test)]
mod tests;
