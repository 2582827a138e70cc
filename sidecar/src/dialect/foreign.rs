//! What other providers left in a conversation, where it goes on with one that would refuse it: reasoning that the sidecar
//! put into answers in their stead, and ids of calls that are not spelt as this one spells them.
//!
//! A client returns what it was told. Where its request is translated, the encoder leaves out what the upstream cannot
//! use. Where its bytes pass through, this module does: a conversation that began with one provider must go on with any
//! other. Bodies that hold nothing of the kind, which is nearly all of them, cost a search or two.

use super::gemini::request::{UNSIGNED, unsigned_calls};
use super::gemini::spelling;
use super::loss::{Ledger, given};
use super::messages::request::FOREIGN_REASONING;
use super::splice::PassThrough;
use super::turns::PLACEHOLDER;
use super::{Asked, ClientDialect, Grade, Loss, Losses, Operation, Upstream, chat, messages};
use crate::json::{Elements, Member, Object, Raw, write_string};
use bytes::Bytes;
use memchr::memmem::Finder;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::LazyLock;

/// What the sidecar, or an upstream that is passed on, adds to chat's messages and to their calls, for clients that return
/// it.
const CARRIERS: &[&str] = &["reasoning_content", "reasoning_details", "reasoning", "extra_content"];

/// What is looked for in every body that passes through, so each search is built once.
type Words<const N: usize> = LazyLock<[Finder<'static>; N]>;

/// The carriers' names as they stand in bodies that hold one; no other field of chat's begins with these.
static SIGNS: Words<4> = LazyLock::new(|| {
    [
        "reasoning_content",
        "reasoning_details",
        "\"reasoning\"",
        "extra_content",
    ]
    .map(Finder::new)
});
static CALLS: Words<1> = LazyLock::new(|| [Finder::new("\"tool_calls\"")]);
static MADE_UP: Words<1> = LazyLock::new(|| [Finder::new(FOREIGN_REASONING)]);
/// What OpenAI's answers have in each message, whether it says something or not.
const BLANKS: &[&str] = &["refusal", "annotations", "audio", "function_call"];
static NAMES_OF_BLANKS: Words<4> =
    LazyLock::new(|| ["\"refusal\"", "\"annotations\"", "\"audio\"", "\"function_call\""].map(Finder::new));
static IDS: Words<1> = LazyLock::new(|| [Finder::new("\"id\"")]);
/// What a block of an answer's without a signature has, as the usual writers of JSON space it.
static UNSIGNED_BLOCK: Words<2> = LazyLock::new(|| ["\"signature\":\"\"", "\"signature\": \"\""].map(Finder::new));
/// Where a result names its call.
static RESULT_OF_USE: Words<1> = LazyLock::new(|| [Finder::new("\"tool_use_id\"")]);
static RESULT_OF_CALL: Words<1> = LazyLock::new(|| [Finder::new("\"tool_call_id\"")]);

const NOT_BEGUN: &str = "the tool loop goes on without signed thinking that began it";

const WHY: &str = "the upstream would refuse another maker's reasoning";

/// A body that was changed.
pub struct Purged {
    /// The whole body.
    pub body: Bytes,
    /// What went.
    pub losses: Losses,
}

/// A place of the body, and what stands there instead.
type Splice = (Range<usize>, Vec<u8>);
type Splices = SmallVec<[Splice; 2]>;

/// The client's body without what `upstream`, which speaks its dialect, would refuse; `None` where there is nothing.
pub fn without_foreign(asked: &Asked<'_>, upstream: &Upstream<'_>) -> Option<Purged> {
    if !matches!(asked.operation, Operation::Generate | Operation::CountTokens) {
        return None;
    }
    let mut ledger = Ledger::default();
    let mut splices = match asked.dialect {
        ClientDialect::Messages => of_messages(&asked.object, upstream, &mut ledger),
        ClientDialect::Chat => of_chat(&asked.object, upstream, &mut ledger),
        // What is inserted comes with the other splices: [`unsigned`].
        ClientDialect::Gemini => of_gemini(&asked.object, upstream),
        // They are items of their own, which are taken out with the other splices.
        ClientDialect::Responses => Splices::new(),
    };
    if splices.is_empty() {
        return None;
    }
    splices.sort_by_key(|(range, _)| range.start);
    let text = asked.object.text();
    let whole = Bytes::copy_from_slice(text.as_bytes());
    let pieces = PassThrough::of(text.len(), splices).into_pieces(&whole);
    Some(Purged {
        body: pieces.concat().into(),
        losses: ledger.into_losses(),
    })
}

/// Vertex has no field for the ids of calls, by which Gemini's own API pairs them.
fn of_gemini(request: &Object<'_>, upstream: &Upstream<'_>) -> Splices {
    if upstream.provider != "gcp.vertex_ai" || !holds(request, &*IDS) {
        return Splices::new();
    }
    let contents = spelling::given(request, "contents").and_then(Raw::elements);
    let parts = contents
        .into_iter()
        .flat_map(Elements::objects)
        .flatten()
        .filter_map(|content| spelling::given(&content, "parts")?.elements())
        .flat_map(Elements::objects)
        .flatten();
    let paired = parts.filter_map(|part| {
        let called = spelling::given(&part, "functionCall");
        called.or_else(|| spelling::given(&part, "functionResponse"))?.object()
    });
    let ids = paired.flat_map(|paired| {
        let members = paired.members().iter();
        removed(members.map(|member| (request.member_span(member), member.key() == "id")))
    });
    ids.map(|range| (range, Vec::new())).collect()
}

fn holds(request: &Object<'_>, words: &[Finder<'_>]) -> bool {
    let text = request.text().as_bytes();
    words.iter().any(|word| word.find(text).is_some())
}

/// Claude checks each signature, wherever it is hosted. What others sign, or leave unsigned, is their own.
fn checks_signatures(upstream: &Upstream<'_>) -> bool {
    upstream.provider == "anthropic" || upstream.model.contains("claude")
}

fn of_messages(request: &Object<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Splices {
    let mut splices = Splices::new();
    let checks = checks_signatures(upstream);
    if checks {
        splices.extend(other_ids(
            request,
            |id: &str| messages::request::spelt_id(id).into_owned(),
            &RESULT_OF_USE[0],
            ids_of_blocks,
        ));
    }
    let may_go = holds(request, &*MADE_UP) || checks && holds(request, &*UNSIGNED_BLOCK);
    if !may_go {
        return splices;
    }
    let messages = request.get("messages").and_then(Raw::elements).into_iter().flatten();
    let mut goes_on_unsigned = false;
    for (index, message) in messages.enumerate() {
        let Some(message) = message.object() else { continue };
        if !is(&message, "role", "assistant") {
            continue;
        }
        goes_on_unsigned = false;
        let Some(content) = message.get("content") else {
            continue;
        };
        let Some(blocks) = content.elements() else { continue };
        let blocks: Vec<(Raw<'_>, bool)> = blocks.map(|block| (block, is_made_up(block, checks))).collect();
        for (at, _) in blocks.iter().enumerate().filter(|(_, (_, goes))| *goes) {
            ledger.hint(format!("messages[{index}].content[{at}]"), WHY);
        }
        let spans = blocks.iter().map(|(block, goes)| (request.span(*block), *goes));
        let gone = removed(spans);
        if gone.is_empty() {
            continue;
        }
        let mut kept = blocks
            .iter()
            .filter(|(_, goes)| !goes)
            .filter_map(|(block, _)| block.object());
        let first = kept.next();
        goes_on_unsigned = first.as_ref().is_some_and(|first| !is_thinking(first))
            && first
                .iter()
                .cloned()
                .chain(kept)
                .any(|block| is(&block, "type", "tool_use"));
        match first {
            Some(_) => splices.extend(gone.into_iter().map(|range| (range, Vec::new()))),
            None => splices.push((request.span(content), format!("\"{PLACEHOLDER}\"").into_bytes())),
        }
    }
    if goes_on_unsigned && let Some(splice) = without_budget(request) {
        ledger.hint("thinking", NOT_BEGUN);
        splices.push(splice);
    }
    splices
}

/// What a turn is given that another model called tools in, without a word of what it reasoned, where that is refused.
/// `found` is what is put back of what the client has dropped.
pub fn unreasoned<'a>(
    asked: &Asked<'a>,
    upstream: &Upstream<'_>,
    found: &[(Range<usize>, Vec<u8>)],
) -> Vec<(Range<usize>, Vec<u8>)> {
    let stand_in = chat::request::stand_in(upstream.provider);
    let (ClientDialect::Chat, Operation::Generate, Some((name, text))) = (asked.dialect, asked.operation, stand_in)
    else {
        return Vec::new();
    };
    if !holds(&asked.object, &*CALLS) {
        return Vec::new();
    }
    let messages = asked.object.get("messages").and_then(Raw::elements);
    let called = messages
        .into_iter()
        .flatten()
        .filter_map(Raw::object)
        .filter(|message| {
            let calls = given(message, "tool_calls").and_then(Raw::elements);
            is(message, "role", "assistant") && calls.is_some_and(|mut calls| calls.next().is_some())
        });
    let is_found = |message: &Object<'a>| {
        let place = asked.object.span_of(message);
        found.iter().any(|(range, _)| place.contains(&range.start))
    };
    let says = |message: &Object<'_>, key| {
        given(message, key)
            .and_then(Raw::string)
            .is_some_and(|said| said.len() >= text.len())
    };
    let bare = called.filter(|message| !says(message, name) && !is_found(message));
    bare.map(|message| {
        // Who calls it otherwise says it all the same.
        let other = given(&message, "reasoning").filter(|other| other.string().is_some());
        let value = other.map_or_else(|| json_string(text), |other| other.text().as_bytes().to_vec());
        match message.get(name) {
            Some(empty) => (asked.object.span(empty), value),
            None => {
                let brace = asked.object.span_of(&message).start + 1;
                let fresh = [&json_string(name), &b":"[..], &value, b","].concat();
                (brace..brace, fresh)
            }
        }
    })
    .collect()
}

/// With a budget, Claude refuses a tool loop that began without thinking: that of a model that does not think. `found` is
/// what is put back of thinking that the client has dropped.
pub fn without_thinking(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    found: &[(Range<usize>, Vec<u8>)],
) -> Option<(Splice, Loss)> {
    let is_asked = matches!(asked.operation, Operation::Generate | Operation::CountTokens);
    if asked.dialect != ClientDialect::Messages || !is_asked || !checks_signatures(upstream) {
        return None;
    }
    let splice = without_budget(&asked.object)?;
    let messages = asked.object.get("messages")?.elements()?;
    let last = messages.filter(|message| {
        message
            .object()
            .is_some_and(|message| is(&message, "role", "assistant"))
    });
    let last = last.last()?;
    let mut blocks = last.object()?.get("content")?.elements()?.objects().flatten();
    let first = blocks.next()?;
    let calls = std::iter::once(first.clone())
        .chain(blocks)
        .any(|block| is(&block, "type", "tool_use"));
    let place = asked.object.span(last);
    let is_found = found.iter().any(|(range, _)| place.contains(&range.start));
    if is_thinking(&first) || !calls || is_found {
        return None;
    }
    let loss = Loss {
        field: "thinking".into(),
        grade: Grade::Hint,
        why: NOT_BEGUN.into(),
    };
    Some((splice, loss))
}

/// A block of the sidecar's own making.
fn is_made_up(block: Raw<'_>, checks: bool) -> bool {
    let Some(block) = block.object() else { return false };
    let text = |key| given(&block, key).and_then(Raw::string).unwrap_or_default();
    match &*text("type") {
        "redacted_thinking" => text("data").starts_with(FOREIGN_REASONING),
        "thinking" => checks && text("signature").is_empty(),
        _ => false,
    }
}

fn is_thinking(block: &Object<'_>) -> bool {
    is(block, "type", "thinking") || is(block, "type", "redacted_thinking")
}

/// With a budget, a turn that called tools must begin with its thinking.
fn without_budget(request: &Object<'_>) -> Option<(Range<usize>, Vec<u8>)> {
    let thinking = request.get("thinking")?;
    if !is(&thinking.object()?, "type", "enabled") {
        return None;
    }
    Some((request.span(thinking), b"{\"type\":\"disabled\"}".to_vec()))
}

/// What a provider refuses in a message.
struct Strict {
    /// Carriers of reasoning but this one, if any.
    own: Option<Option<&'static str>>,
    /// Members that say nothing.
    blanks: bool,
}

impl Strict {
    fn minds(&self, request: &Object<'_>) -> bool {
        self.own.is_some() && holds(request, &*SIGNS) || self.blanks && holds(request, &*NAMES_OF_BLANKS)
    }

    /// A carrier other than `kept`.
    fn is_carrier(&self, key: &str, kept: Option<&str>) -> bool {
        self.own.is_some() && kept != Some(key) && CARRIERS.contains(&key)
    }

    fn is_blank(&self, key: &str, value: Raw<'_>) -> bool {
        let is_empty = || value.elements().is_some_and(|mut all| all.next().is_none());
        self.blanks && BLANKS.contains(&key) && (value.is_null() || is_empty())
    }
}

/// Who refuses fields it does not know is sent none of the carriers but its own.
fn of_chat(request: &Object<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Splices {
    let spelt = |id: &str| chat::request::passed_id(upstream.provider, id).into_owned();
    let mut splices = other_ids(request, spelt, &RESULT_OF_CALL[0], ids_of_calls);
    splices.extend(chat::request::respelt(request, upstream, ledger));
    let strict = Strict {
        own: chat::request::only_carrier(upstream.provider),
        blanks: chat::request::refuses_blanks(upstream.provider),
    };
    if !strict.minds(request) {
        return splices;
    }
    let messages = request.get("messages").and_then(Raw::elements).into_iter().flatten();
    for (index, message) in messages.enumerate() {
        let Some(message) = message.object() else { continue };
        if !is(&message, "role", "assistant") {
            continue;
        }
        let own = strict.own.flatten();
        let renamed = own.and_then(|own| renamed(request, &message, own));
        let kept = renamed.as_ref().map(|_| "reasoning_content").or(own);
        splices.extend(renamed);
        without(
            request,
            (&message, kept, &strict),
            &format!("messages[{index}]"),
            &mut splices,
            ledger,
        );
        let calls = given(&message, "tool_calls")
            .and_then(Raw::elements)
            .into_iter()
            .flatten();
        for (at, call) in calls.enumerate() {
            let Some(call) = call.object() else { continue };
            let place = format!("messages[{index}].tool_calls[{at}]");
            without(request, (&call, None, &strict), &place, &mut splices, ledger);
        }
    }
    splices
}

/// Reasoning that goes by its older name alone keeps its text.
fn renamed<'a>(request: &Object<'a>, message: &Object<'a>, own: &str) -> Option<(Range<usize>, Vec<u8>)> {
    let mut carriers = message
        .members()
        .iter()
        .filter(|member| CARRIERS.contains(&&*member.key()));
    let (older, None) = (carriers.next()?, carriers.next()) else {
        return None;
    };
    let is_text = older.key() == "reasoning_content" && older.value.string().is_some();
    if !is_text || message.get(own).is_some() {
        return None;
    }
    let key = request.member_span(older).start..request.span(older.value).start;
    let mut fresh = json_string(own);
    fresh.push(b':');
    Some((key, fresh))
}

fn without<'a>(
    request: &Object<'a>,
    (object, kept, strict): (&Object<'a>, Option<&str>, &Strict),
    place: &str,
    splices: &mut Splices,
    ledger: &mut Ledger,
) {
    let members = object.members();
    let is_carrier = |member: &Member<'a>| strict.is_carrier(&member.key(), kept);
    for carrier in members.iter().filter(|member| is_carrier(member)) {
        ledger.hint(format!("{place}.{}", carrier.key()), WHY);
    }
    let goes = |member: &Member<'a>| is_carrier(member) || strict.is_blank(&member.key(), member.value);
    let spans = members.iter().map(|member| (request.member_span(member), goes(member)));
    splices.extend(removed(spans).into_iter().map(|range| (range, Vec::new())));
}

/// A call that another model made has no signature, and says so where signatures are demanded; but for those which
/// `signed` gives theirs back.
pub fn unsigned(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    signed: &[(Range<usize>, Vec<u8>)],
) -> Vec<(Range<usize>, Vec<u8>)> {
    let is_asked = matches!(asked.operation, Operation::Generate | Operation::CountTokens);
    let demands = (upstream.has("ReasoningBudget"), upstream.has("Reasoning")) == (Some(false), Some(true));
    if asked.dialect != ClientDialect::Gemini || !is_asked || !demands {
        return Vec::new();
    }
    let is_signed = |call: &Range<usize>| signed.iter().any(|(place, _)| call.contains(&place.start));
    let calls = unsigned_calls(&asked.object).into_iter();
    let calls = calls.filter(|call| !is_signed(call));
    calls.map(|call| (call.end..call.end, UNSIGNED.to_vec())).collect()
}

/// The ids that `spelt` spells otherwise, in its spelling. Every call has a result, which names it behind `key`: where none of those changes, nothing is looked into.
fn other_ids<'a>(
    request: &Object<'a>,
    spelt: impl Fn(&str) -> String,
    key: &Finder<'_>,
    of_message: impl Fn(&Object<'a>) -> Vec<Raw<'a>>,
) -> Splices {
    let changes = |id: &str| spelt(id) != id;
    if !ids_at(request.text(), key).any(changes) {
        return Splices::new();
    }
    let messages = request.get("messages").and_then(Raw::elements).into_iter().flatten();
    let ids = messages
        .filter_map(Raw::object)
        .flat_map(|message| of_message(&message));
    let spellings = ids.filter_map(|raw| {
        let id = raw.string()?;
        let spelt = spelt(&id);
        (spelt != id).then(|| (request.span(raw), json_string(&spelt)))
    });
    spellings.collect()
}

fn json_string(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    out
}

/// The strings that stand behind `key`, as they are written.
fn ids_at<'t>(text: &'t str, key: &Finder<'_>) -> impl Iterator<Item = &'t str> {
    key.find_iter(text.as_bytes()).filter_map(|at| {
        let behind = text.get(at + key.needle().len()..)?.trim_start().strip_prefix(':')?;
        Some(behind.trim_start().strip_prefix('"')?.split_once('"')?.0)
    })
}

fn ids_of_blocks<'a>(message: &Object<'a>) -> Vec<Raw<'a>> {
    let blocks = given(message, "content").and_then(Raw::elements).into_iter().flatten();
    let id = |block: Object<'a>| match is(&block, "type", "tool_use") {
        true => given(&block, "id"),
        false => given(&block, "tool_use_id"),
    };
    blocks.filter_map(|block| id(block.object()?)).collect()
}

fn ids_of_calls<'a>(message: &Object<'a>) -> Vec<Raw<'a>> {
    let calls = given(message, "tool_calls")
        .and_then(Raw::elements)
        .into_iter()
        .flatten();
    let calls = calls.filter_map(|call| given(&call.object()?, "id"));
    calls.chain(given(message, "tool_call_id")).collect()
}

fn is(object: &Object<'_>, key: &str, word: &str) -> bool {
    given(object, key)
        .and_then(Raw::string)
        .is_some_and(|found| found == word)
}

/// What goes of a list, or of an object's members, with the commas that join it to the others: by where each one stands,
/// and whether it goes.
pub(super) fn removed(all: impl Iterator<Item = (Range<usize>, bool)>) -> SmallVec<[Range<usize>; 2]> {
    let mut found = SmallVec::new();
    let mut all = all.peekable();
    let (mut before, mut any_kept) = (0, false);
    while let Some((span, goes)) = all.next() {
        let behind = all.peek().map_or(span.end, |(next, _)| next.start);
        match (goes, any_kept) {
            (true, true) => found.push(before..span.end),
            (true, false) => found.push(span.start..behind),
            (false, _) => any_kept = true,
        }
        before = span.end;
    }
    found
}

#[cfg(test)]
mod tests;
