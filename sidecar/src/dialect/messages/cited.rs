//! What a text of Anthropic's is based on: a list beside it, of web pages and of the client's own documents. It is about the
//! whole text, which the model ends where a source does.

use crate::dialect::item::{Citation, Mark, Remark, Step};
use crate::dialect::loss::given;
use crate::dialect::text::Text;
use crate::dialect::translator::Sink;
use crate::dialect::{Fault, Loss, Losses, unsaid};
use crate::json::{self, Object, Raw};

/// Most that are held of one text until it ends.
const MOST: usize = 128;

/// The web pages that a block cites, which says `text`; another source is a loss.
pub(super) fn of<'a>(
    block: &Object<'a>,
    text: &Text<'_>,
    lost: &mut Losses,
) -> impl Iterator<Item = Citation<'a>> + use<'a> {
    let listed = || given(block, "citations").and_then(Raw::elements).into_iter().flatten();
    if listed().any(|cited| page(cited).is_none()) {
        lost.push(other());
    }
    // Few cite anything, and to count takes a walk.
    let characters = listed().next().map_or(0, |_| text.characters());
    let pages = listed().filter_map(page);
    pages.map(move |(url, title)| citation((url, title), (0, characters)))
}

/// An address and perhaps a title.
fn page(cited: Raw<'_>) -> Option<(Raw<'_>, Option<Raw<'_>>)> {
    let cited = cited.object()?;
    let is_page = given(&cited, "type")?.string()? == "web_search_result_location";
    let url = given(&cited, "url").filter(|_| is_page)?;
    Some((url, given(&cited, "title")))
}

fn other() -> Loss {
    unsaid::hint("citations", "only citations of web pages are translated")
}

fn citation<'a>((url, title): (Raw<'a>, Option<Raw<'a>>), (start, end): (u64, u64)) -> Citation<'a> {
    Citation {
        url,
        title,
        start: Some(Mark::At(start)),
        end: Some(Mark::At(end)),
    }
}

/// The text of a stream, as far as citations need it: how long it is, and what its open block cites. They may come before
/// the words, so they are told when it ends.
#[derive(Debug, Default)]
pub(super) struct Streamed {
    /// Characters of the client's text so far.
    said: u64,
    /// Where in it the open block begins.
    block: u64,
    /// Addresses and titles, as JSON.
    held: Vec<(String, Option<String>)>,
}

impl Streamed {
    pub(super) fn begin(&mut self) {
        self.block = self.said;
    }

    pub(super) fn say(&mut self, text: &Text<'_>) {
        self.said += text.characters();
    }

    /// The client's text begins anew.
    pub(super) fn restart(&mut self) {
        (self.said, self.block) = (0, 0);
    }

    /// What could not be held.
    pub(super) fn cite(&mut self, delta: &Object<'_>) -> Option<Loss> {
        match given(delta, "citation").and_then(page) {
            Some((url, title)) if self.held.len() < MOST => {
                let owned = |raw: Raw<'_>| raw.text().to_owned();
                self.held.push((owned(url), title.map(owned)));
                None
            }
            _ => Some(other()),
        }
    }

    /// Tells what the block cites that ends here.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) -> Result<(), Fault> {
        let span = (self.block, self.said);
        self.held.drain(..).try_for_each(|(url, title)| {
            let title = title.as_deref().and_then(raw);
            raw(&url).map_or(Ok(()), |url| {
                sink(Step::Remark(Remark::Citation(citation((url, title), span))))
            })
        })
    }
}

fn raw(json: &str) -> Option<Raw<'_>> {
    json::parse_value(json.as_bytes()).ok()
}
