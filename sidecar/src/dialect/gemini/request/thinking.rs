//! How much a Gemini model is made to think.
//!
//! Models of the third generation take a level, those before a budget in tokens. Which one a model takes is a
//! capability: `ReasoningBudget` among its features, or `Reasoning` alone; one that lists neither does not think. Where
//! nothing is known, the wish goes on in the form in which it came.

use crate::dialect::chat::request::NEAREST_EFFORT;
use crate::dialect::item::{Settings, Thinking, Thoughts};
use crate::dialect::loss::Ledger;
use crate::dialect::{Upstream, fit};
use crate::json::{ObjectWriter, Raw};

/// Thinking tokens for an effort, where only a budget can be given; as Google's own chat endpoint has them.
const BUDGETS: &[(&str, u64)] = &[
    ("minimal", 1_024),
    ("low", 1_024),
    ("medium", 8_192),
    ("high", 24_576),
    ("xhigh", 24_576),
    ("max", 24_576),
];

/// Budgets up to these many tokens are low and medium levels.
const LOW_BUDGET: u64 = 4_096;
const MEDIUM_BUDGET: u64 = 16_384;

/// What a model takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Budget,
    Level,
    Unknown,
    None,
}

fn style(upstream: &Upstream<'_>) -> Style {
    match (upstream.has("ReasoningBudget"), upstream.has("Reasoning")) {
        (Some(true), _) => Style::Budget,
        (_, Some(true)) => Style::Level,
        (Some(false), Some(false)) => Style::None,
        (None, _) | (_, None) => Style::Unknown,
    }
}

/// Calls without a signature must say that they have none.
pub(super) fn demands_signatures(upstream: &Upstream<'_>) -> bool {
    matches!(style(upstream), Style::Level | Style::Unknown)
}

/// Writes `thinkingConfig`. Whoever asks for reasoning is shown some, unless it says otherwise.
pub(super) fn write(
    settings: &Settings<'_>,
    upstream: &Upstream<'_>,
    config: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let name = settings.names.thinking;
    let Some(wish) = settings.thinking else { return };
    match (wish, style(upstream)) {
        (Thinking::Off, Style::None) => {}
        (_, Style::None) => ledger.hint(name, "the model lacks reasoning"),
        (Thinking::Off, Style::Budget) if !upstream.refuses("ThinkingOff") => {
            config.object("thinkingConfig").u64("thinkingBudget", 0);
        }
        (Thinking::Off, style) => {
            ledger.hint(name, "the model cannot be kept from thinking");
            write_least(style, upstream, config);
        }
        (Thinking::Effort(None), _) if settings.thoughts == Thoughts::Unwanted => {}
        (Thinking::Effort(None), _) => config.object("thinkingConfig").bool("includeThoughts", true),
        (Thinking::Effort(Some(effort)), Style::Budget) => {
            write_budget(
                fit::budget(budget(effort), &settings.names, upstream, ledger),
                settings,
                config,
            );
        }
        (Thinking::Effort(Some(effort)), Style::Level | Style::Unknown) => {
            let level = level(effort);
            if effort.string().is_some_and(|effort| effort != level) {
                ledger.hint(name, "the upstream's highest level is asked for");
            }
            write_level(&level, settings, config);
        }
        (Thinking::Budget(tokens), Style::Budget | Style::Unknown) => match tokens.u64() {
            Some(tokens) => {
                write_budget(fit::budget(tokens, &settings.names, upstream, ledger), settings, config);
            }
            // The client's mistake, and the provider's to name.
            None => config.object("thinkingConfig").raw("thinkingBudget", tokens),
        },
        (Thinking::Budget(tokens), Style::Level) => {
            ledger.hint(name, NEAREST_EFFORT);
            write_level(level_of(tokens.u64().unwrap_or(0)), settings, config);
        }
    }
}

/// As little as it can be made to think, if that is known.
fn write_least(style: Style, upstream: &Upstream<'_>, config: &mut ObjectWriter<'_>) {
    let least = upstream.capabilities.reasoning_tokens.map(|range| range.least);
    match (style, least, fit::least_effort(upstream)) {
        (Style::Budget, Some(least), _) => config.object("thinkingConfig").u64("thinkingBudget", least),
        (Style::Level, _, Some(level)) => config.object("thinkingConfig").string("thinkingLevel", level),
        _ => {}
    }
}

fn write_budget(tokens: u64, settings: &Settings<'_>, config: &mut ObjectWriter<'_>) {
    let mut thinking = config.object("thinkingConfig");
    thinking.u64("thinkingBudget", tokens);
    if settings.thoughts != Thoughts::Unwanted {
        thinking.bool("includeThoughts", true);
    }
}

fn write_level(level: &str, settings: &Settings<'_>, config: &mut ObjectWriter<'_>) {
    let mut thinking = config.object("thinkingConfig");
    thinking.string("thinkingLevel", level);
    if settings.thoughts != Thoughts::Unwanted {
        thinking.bool("includeThoughts", true);
    }
}

fn budget(effort: Raw<'_>) -> u64 {
    let effort = effort.string().unwrap_or_default();
    let found = BUDGETS.iter().find(|(name, _)| *name == effort);
    found.map_or(8_192, |(_, tokens)| *tokens)
}

/// Google's word for an effort.
fn level(effort: Raw<'_>) -> std::borrow::Cow<'_, str> {
    match effort.string().unwrap_or_default() {
        effort if effort == "max" || effort == "xhigh" => "high".into(),
        effort => effort,
    }
}

fn level_of(budget: u64) -> &'static str {
    if budget <= LOW_BUDGET {
        "low"
    } else if budget <= MEDIUM_BUDGET {
        "medium"
    } else {
        "high"
    }
}
