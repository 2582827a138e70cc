//! What a dialect can say and this model refuses: taken out of a decoded request before it is encoded.
//!
//! Only translated requests get here. Where the dialects agree the bytes are the client's, and the provider's own
//! refusal is the honest answer.

mod media;

use super::item::{Format, Item, Knob, Names, Part, Request, Role, Settings, Thinking, ToolChoice};
use super::loss::Ledger;
use super::translate::NO_EFFORT;
use super::{Asked, ClientDialect, Dialect, Upstream};
use crate::json::{self, Raw};

/// All efforts, the least first, as JSON.
const EFFORTS: [&str; 7] = [
    "\"none\"",
    "\"minimal\"",
    "\"low\"",
    "\"medium\"",
    "\"high\"",
    "\"xhigh\"",
    "\"max\"",
];

/// Makes the request one that the model takes, as far as is known of it.
pub(super) fn fit(request: &mut Request<'_>, asked: &Asked<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) {
    media::leave(request, upstream, ledger);
    with_allowed_tools(request, upstream, ledger);
    if !takes_custom_tools(upstream) {
        without_custom_tools(request, ledger);
    }
    if upstream.refuses("Sampling") {
        without_sampling(request, "the model takes no sampling parameters", ledger);
    }
    if upstream.refuses("ForcedTools") {
        without_forced_call(request, ledger);
    }
    // Elsewhere a last message of the assistant's asks for nothing.
    let is_prefill = asked.dialect == ClientDialect::Messages;
    if is_prefill && begins_anew(upstream) || upstream.refuses("Prefill") {
        without_prefill(request, ledger);
    }
    if upstream.refuses("Stop") && !request.settings.stop.is_empty() {
        ledger.meaning(request.settings.names.stop, "the model takes no stop sequences");
        request.settings.stop.clear();
    }
    if upstream.refuses("StructuredOutput") {
        without_schema(request, ledger);
    }
    with_known_effort(request, upstream, ledger);
    if upstream.refuses("SamplingWithReasoning") && will_reason(&request.settings, upstream) {
        without_measures(request, ledger);
        without_sampling(
            request,
            "the model takes no sampling parameters while it reasons",
            ledger,
        );
    }
    tell_description(request, upstream, ledger);
    tell_too_short(request, asked, upstream, ledger);
}

/// Leaves only the tools that may be called, where the dialect cannot say which may, which is what it means; what it
/// saves, an unchanged prefix for the provider's cache, is lost.
fn with_allowed_tools(request: &mut Request<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) {
    let must_call = matches!(request.settings.tool_choice, Some(ToolChoice::Required));
    let can_say = match upstream.dialect {
        Dialect::Chat | Dialect::Responses => upstream.is_openai(),
        Dialect::Gemini => must_call,
        Dialect::Messages | Dialect::Converse | Dialect::Ollama | Dialect::Cohere => false,
    };
    let Some(allowed) = request.allowed.take_if(|_| !can_say) else {
        return;
    };
    request.tools.retain(|tool| allowed.allows(tool));
    ledger.hint(allowed.field, "the tools that are not allowed are not declared");
}

/// What is said of a schema beside it guides the model. Its name, which OpenAI demands, only labels it.
fn tell_description(request: &Request<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) {
    let has_none = match upstream.dialect {
        Dialect::Messages | Dialect::Gemini | Dialect::Ollama | Dialect::Cohere => true,
        Dialect::Chat | Dialect::Responses | Dialect::Converse => false,
    };
    let described = matches!(
        request.settings.format,
        Some(Format::Schema {
            description: Some(_),
            ..
        })
    );
    if has_none && described {
        let why = "the upstream's dialect says nothing of a schema";
        ledger.hint(request.settings.names.answer_described, why);
    }
}

/// The effort that is asked for, or the nearest that the model knows.
fn with_known_effort(request: &mut Request<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) {
    if let Some(Thinking::Effort(Some(effort))) = request.settings.thinking
        && let Some(nearest) = nearest(effort, &upstream.capabilities.reasoning_efforts)
    {
        ledger.hint(
            request.settings.names.thinking,
            "the model lacks this effort; the nearest is asked for",
        );
        request.settings.thinking = Some(Thinking::Effort(Some(nearest)));
    }
}

/// Whether the model is going to reason. What it does unasked must be known.
fn will_reason(settings: &Settings<'_>, upstream: &Upstream<'_>) -> bool {
    let unasked = upstream.capabilities.default_reasoning_effort.as_deref();
    match settings.thinking {
        Some(Thinking::Effort(Some(_)) | Thinking::Budget(_)) => true,
        Some(Thinking::Off) => upstream.kept_from_thinking().is_err(),
        Some(Thinking::Effort(None)) | None => unasked.is_some_and(|effort| effort != NO_EFFORT),
    }
}

/// A provider caches no prompt that is shorter than it says, whatever the client marks. An estimate may be too low, but not
/// by half.
fn tell_too_short(request: &Request<'_>, asked: &Asked<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) {
    let Some(least) = upstream.capabilities.cached_from_tokens else {
        return;
    };
    let takes_marks = matches!(upstream.dialect, Dialect::Messages | Dialect::Converse);
    if takes_marks && request.marks_cache() && asked.input_tokens_up_to(least.div_ceil(2)) < least / 2 {
        ledger.hint(
            request.settings.names.cache,
            "the prompt is shorter than what the model's provider caches",
        );
    }
}

/// What of a budget for reasoning the model takes, in tokens.
pub(super) fn budget(wish: u64, names: &Names, upstream: &Upstream<'_>, ledger: &mut Ledger) -> u64 {
    let Some(range) = upstream.capabilities.reasoning_tokens else {
        return wish;
    };
    if wish < range.least {
        ledger.hint(names.thinking, "the model's least budget is larger");
    } else if wish > range.most {
        ledger.hint(names.thinking, "the model's largest budget is smaller");
    }
    wish.max(range.least).min(range.most)
}

/// The least effort that the model is known to take and that is one.
pub(super) fn least_effort(upstream: &Upstream<'_>) -> Option<&'static str> {
    let known = &upstream.capabilities.reasoning_efforts;
    let efforts = EFFORTS.iter().skip(1).map(|effort| effort.trim_matches('"'));
    efforts
        .into_iter()
        .find(|effort| known.iter().any(|known| known == effort))
}

/// Servers that are compatible with OpenAI's know functions only.
fn takes_custom_tools(upstream: &Upstream<'_>) -> bool {
    matches!(upstream.dialect, Dialect::Chat | Dialect::Responses) && upstream.is_openai()
}

/// OpenAI's servers and Cohere's answer with a message of its own to whatever stands last, and Responses has no word for
/// going on.
fn begins_anew(upstream: &Upstream<'_>) -> bool {
    match upstream.dialect {
        Dialect::Responses | Dialect::Cohere => true,
        Dialect::Chat => upstream.is_openai(),
        Dialect::Messages | Dialect::Gemini | Dialect::Converse | Dialect::Ollama => false,
    }
}

fn without_custom_tools(request: &mut Request<'_>, ledger: &mut Ledger) {
    request.tools.retain(|tool| {
        if tool.custom.is_some() {
            let field = format!("{} (custom)", tool.place);
            ledger.meaning(field, "no other dialect has this kind of tool");
        }
        tool.custom.is_none()
    });
}

/// The defaults are no loss.
fn without_sampling(request: &mut Request<'_>, why: &'static str, ledger: &mut Ledger) {
    request.settings.knobs.retain(|turned| {
        let samples = matches!(turned.knob, Knob::Temperature | Knob::TopP | Knob::TopK);
        if samples && turned.value.f64() != Some(1.0) {
            ledger.hint(turned.name, why);
        }
        !samples
    });
}

/// How likely tokens were is a matter of sampling too.
fn without_measures(request: &mut Request<'_>, ledger: &mut Ledger) {
    request.settings.knobs.retain(|turned| {
        let measures = matches!(turned.knob, Knob::Logprobs | Knob::TopLogprobs);
        if measures {
            let why = "the model tells no likelihoods while it reasons";
            ledger.lose(turned.knob.grade(), turned.name, why);
        }
        !measures
    });
}

/// Any JSON object is what is left of a schema.
fn without_schema(request: &mut Request<'_>, ledger: &mut Ledger) {
    let settings = &mut request.settings;
    if matches!(settings.format, Some(Format::Schema { schema: Some(_), .. })) {
        ledger.meaning(settings.names.format, "the model cannot be held to a schema");
        settings.format = Some(Format::Json);
    }
}

fn without_forced_call(request: &mut Request<'_>, ledger: &mut Ledger) {
    let choice = &mut request.settings.tool_choice;
    if matches!(choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
        ledger.meaning(
            request.settings.names.tool_choice,
            "the model refuses to be made to call a tool",
        );
        *choice = Some(ToolChoice::Auto);
    }
}

/// A conversation that ends with words of the assistant's is one whose answer has begun.
fn without_prefill(request: &mut Request<'_>, ledger: &mut Ledger) {
    let said = |item: &Item<'_>| item.role == Role::Assistant && !matches!(item.part, Part::Call(_));
    let kept = request
        .items
        .iter()
        .rposition(|item| !said(item))
        .map_or(0, |at| at + 1);
    if let Some(first) = request.items.get(kept) {
        ledger.meaning(
            first.field(),
            "the model does not go on from the beginning of an answer",
        );
        request.items.truncate(kept);
    }
}

/// The effort nearest to the one wished for, the lesser of two that are equally near, unless the wish is among `known`,
/// or nothing is known, or it is a word that nobody knows. Less than a little is never made none at all.
fn nearest(wish: Raw<'_>, known: &[String]) -> Option<Raw<'static>> {
    let place = |word: &str| EFFORTS.iter().position(|effort| effort.trim_matches('"') == word);
    let word = wish.string()?;
    let at = place(&word)?;
    if known.is_empty() || known.iter().any(|effort| *effort == *word) {
        return None;
    }
    let places = known
        .iter()
        .filter_map(|effort| place(effort))
        .filter(|&place| place > 0);
    let best = places.min_by_key(|&place| (place.abs_diff(at), place))?;
    json::parse_value(EFFORTS.get(best)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_effort_is_asked_for() {
        let cases: [(&str, &[&str], Option<&str>); 8] = [
            ("\"high\"", &[], None),
            ("\"high\"", &["low", "high"], None),
            ("\"max\"", &["low", "medium", "high"], Some("\"high\"")),
            ("\"minimal\"", &["none", "low"], Some("\"low\"")),
            ("\"medium\"", &["low", "high"], Some("\"low\"")),
            ("\"none\"", &["low", "high"], Some("\"low\"")),
            ("\"enormous\"", &["low"], None),
            ("3", &["low"], None),
        ];
        for (wish, known, expected) in cases {
            let known: Vec<String> = known.iter().map(|&word| word.to_owned()).collect();
            let wish = json::parse_value(wish.as_bytes()).unwrap();
            assert_eq!(nearest(wish, &known).map(Raw::text), expected, "{wish:?} {known:?}");
        }
    }
}
