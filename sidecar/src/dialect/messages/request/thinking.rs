//! How much a Claude is made to think, in Anthropic's own dialect and where another one passes its fields on.
//!
//! Two ways exist: `adaptive` with an effort, and the older budget in tokens. Which one a model takes is a capability:
//! `Reasoning` and `ReasoningBudget` among its features; one that lists neither does not think. Where no features are
//! listed nothing is known, and the wish goes on in the form in which it came, an effort in the newer way.

use crate::dialect::Upstream;
use crate::dialect::item::{Item, Part, Reasoning, Request, Role, Thinking, ToolChoice};
use crate::dialect::loss::Ledger;
use crate::dialect::text::Text;
use crate::json::{ObjectWriter, Raw};

/// Thinking tokens for an effort, where only a budget can be given.
const BUDGETS: &[(&str, u64)] = &[
    ("minimal", 1_024),
    ("low", 2_048),
    ("medium", 8_192),
    ("high", 16_384),
    ("xhigh", 32_768),
    ("max", 65_536),
];
const MEDIUM_BUDGET: u64 = 8_192;

/// The API's own lower bound.
const LEAST_BUDGET: u64 = 1_024;

/// What will be written.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) enum Plan<'a> {
    Nothing,
    Adaptive(Option<Raw<'a>>),
    Budget(u64),
}

impl<'a> Plan<'a> {
    pub(in crate::dialect) fn thinks(self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Anthropic's word for the effort.
    pub(in crate::dialect) fn effort(self) -> Option<Text<'a>> {
        match self {
            Self::Adaptive(Some(effort)) if effort.text() == "\"minimal\"" => Some(Text::from("low")),
            Self::Adaptive(effort) => effort.map(Text::Json),
            Self::Nothing | Self::Budget(_) => None,
        }
    }
}

/// Decides for a request whose cap is `max_tokens`.
pub(in crate::dialect) fn plan<'a>(
    request: &Request<'a>,
    upstream: &Upstream<'_>,
    max_tokens: Option<u64>,
    ledger: &mut Ledger,
) -> Plan<'a> {
    let wish = match request.settings.thinking {
        None => return Plan::Nothing,
        Some(Thinking::Off) => {
            if upstream.refuses("ThinkingOff") {
                ledger.hint(
                    request.settings.names.thinking,
                    "the model cannot be kept from thinking",
                );
            }
            return Plan::Nothing;
        }
        Some(wish) => wish,
    };
    let mut refuse = |why| {
        ledger.hint(request.settings.names.thinking, why);
        Plan::Nothing
    };
    if matches!(
        request.settings.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Named(_))
    ) {
        return refuse("there is no thinking before a forced tool call");
    }
    let most = max_tokens.unwrap_or(u64::MAX);
    let tokens = match (wish, upstream.has("Reasoning"), upstream.has("ReasoningBudget")) {
        (_, Some(false), Some(false)) => return refuse("the model lacks reasoning"),
        (Thinking::Effort(effort), Some(false), _) => budget(effort).min(most / 2),
        (Thinking::Effort(effort), Some(true) | None, _) => {
            if effort.is_some_and(|effort| effort.text() == "\"minimal\"") {
                refuse("the least effort that there is, is asked for");
            }
            return Plan::Adaptive(effort);
        }
        (Thinking::Budget(_), Some(true), Some(false)) => {
            refuse("the model takes no budget and thinks as much as it sees fit");
            return Plan::Adaptive(None);
        }
        // The cap includes what is thought, and must be larger.
        (Thinking::Budget(tokens), ..) => tokens.u64().unwrap_or(0).min(most.saturating_sub(1)),
        (Thinking::Off, ..) => return Plan::Nothing,
    };
    if tokens < LEAST_BUDGET {
        return refuse("the output cap leaves no room for thinking");
    }
    if continues_unsigned_loop(&request.items) {
        return refuse("the tool loop goes on without the signed thinking that began it");
    }
    Plan::Budget(tokens)
}

/// Thinking tokens for an effort.
pub(in crate::dialect) fn budget(effort: Option<Raw<'_>>) -> u64 {
    let effort = effort.and_then(Raw::string).unwrap_or_default();
    BUDGETS
        .iter()
        .find(|(name, _)| *name == effort)
        .map_or(MEDIUM_BUDGET, |(_, tokens)| *tokens)
}

/// With a budget, a turn that called tools must begin with its thinking; most chat clients drop it.
fn continues_unsigned_loop(items: &[Item<'_>]) -> bool {
    let is_assistant = |item: &Item<'_>| item.role == Role::Assistant;
    let Some(last) = items.iter().rposition(is_assistant) else {
        return false;
    };
    let before = items.get(..last).unwrap_or_default();
    let first = before
        .iter()
        .rposition(|item| !is_assistant(item))
        .map_or(0, |at| at + 1);
    let turn = items.get(first..=last).unwrap_or_default();
    let signed = |item: &Item<'_>| {
        matches!(
            item.part,
            Part::Reasoning(Reasoning::Signed { .. } | Reasoning::Sealed(_))
        )
    };
    turn.iter().any(|item| matches!(item.part, Part::Call(_))) && !turn.first().is_some_and(signed)
}

pub(in crate::dialect) fn write(plan: Plan<'_>, body: &mut ObjectWriter<'_>) {
    let mut thinking = match plan {
        Plan::Nothing => return,
        Plan::Adaptive(_) | Plan::Budget(_) => body.object("thinking"),
    };
    match plan {
        Plan::Nothing => {}
        Plan::Adaptive(_) => {
            thinking.string("type", "adaptive");
            // Without it newer models return signatures alone.
            thinking.string("display", "summarized");
        }
        Plan::Budget(tokens) => {
            thinking.string("type", "enabled");
            thinking.u64("budget_tokens", tokens);
        }
    }
}
