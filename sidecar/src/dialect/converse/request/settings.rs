//! Everything beside tools and conversation.

use super::maker::{Maker, TopK};
use super::tools::{has_calls, write_name};
use crate::dialect::item::{Format, Knob, Request, Settings, Thinking, Tier, ToolChoice, Turned};
use crate::dialect::lack::{self, Lack};
use crate::dialect::loss::Ledger;
use crate::dialect::messages::thinking;
use crate::dialect::text::Text;
use crate::dialect::{Upstream, schema};
use crate::json::{self, ObjectWriter, Raw};

/// What has to be decided before anything is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Claude's.
    thinking: thinking::Plan<'a>,
    effort: Option<Text<'a>>,
    max_tokens: Option<Result<u64, Raw<'a>>>,
    schema: Option<Raw<'a>>,
    /// The schema cannot be enforced, or there is none.
    pub(super) asks_for_json: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn of(request: &Request<'a>, upstream: &Upstream<'_>, maker: &Maker, ledger: &mut Ledger) -> Self {
        let settings = &request.settings;
        let max_tokens = max_tokens(settings, upstream, ledger);
        let like_claude = maker.is_anthropic || upstream.has("ReasoningBudget") == Some(true);
        let (thinking, effort) = if like_claude {
            let known = max_tokens.and_then(Result::ok);
            let plan = thinking::plan(request, upstream, known, ledger);
            (plan, plan.effort())
        } else {
            (thinking::Plan::Nothing, effort(settings, upstream, ledger))
        };
        let schema = settings.format.and_then(|format| format.fitting(&schema::ANTHROPIC));
        Self {
            thinking,
            effort,
            max_tokens,
            schema,
            asks_for_json: settings.format.is_some() && schema.is_none(),
        }
    }
}

/// The client's cap if it is a number that fits; what else it wrote is the upstream's to refuse. Without one, Bedrock's
/// is the model's own, which leaves room for any budget.
fn max_tokens<'a>(
    settings: &Settings<'a>,
    upstream: &Upstream<'_>,
    ledger: &mut Ledger,
) -> Option<Result<u64, Raw<'a>>> {
    let raw = settings.max_output?;
    let Some(wanted) = raw.u64() else { return Some(Err(raw)) };
    match upstream.capabilities.max_output_tokens {
        Some(most) if wanted > most => {
            ledger.hint(settings.names.max_output, "the model's own limit is lower");
            Some(Ok(most))
        }
        _ => Some(Ok(wanted)),
    }
}

/// An effort is common to all models that reason; a budget is Claude's alone.
fn effort<'a>(settings: &Settings<'a>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Option<Text<'a>> {
    let why = match settings.thinking? {
        Thinking::Off | Thinking::Effort(None) => return None,
        Thinking::Effort(_) | Thinking::Budget(_) if upstream.reasons() == Some(false) => "the model lacks reasoning",
        Thinking::Effort(Some(effort)) if effort.text() == "\"minimal\"" => {
            ledger.hint(settings.names.thinking, "the least effort that there is, is asked for");
            return Some(Text::from("low"));
        }
        Thinking::Effort(Some(effort)) => return Some(Text::Json(effort)),
        Thinking::Budget(_) => "only Claude has a budget in the converse dialect",
    };
    ledger.hint(settings.names.thinking, why);
    None
}

/// Writes what stands before tools and conversation.
pub(super) fn write(
    request: &Request<'_>,
    plan: &Plan<'_>,
    maker: &Maker,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let settings = &request.settings;
    write_inference(settings, plan, maker, body, ledger);
    write_additional(request, plan, maker, body, ledger);
    write_output(settings, plan, body, ledger);
    if maker.is_anthropic && !settings.stop.is_empty() {
        // Otherwise it is not told at which one the answer ended.
        body.array("additionalModelResponseFieldPaths").string("/stop_sequence");
    }
    match settings.tier {
        Some(Tier::Standard) => body.object("serviceTier").string("type", "default"),
        Some(Tier::Named(name)) if matches!(name.text(), "\"flex\"" | "\"priority\"") => {
            body.object("serviceTier").raw("type", name);
        }
        Some(Tier::Named(_)) => ledger.hint(settings.names.tier, "the converse dialect has no such tier"),
        Some(Tier::Auto) | None => {}
    }
    lack::report(request, &[Lack::EndUser, Lack::Metadata], ledger);
}

/// What all models have in common. Its temperature ends at 1; of Claude's, not both of it and `top_p` may be set, and
/// while it thinks neither.
fn write_inference(
    settings: &Settings<'_>,
    plan: &Plan<'_>,
    maker: &Maker,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let knob = |wanted| settings.knobs.iter().copied().find(|turned| turned.knob == wanted);
    let (mut temperature, mut top_p) = (knob(Knob::Temperature), knob(Knob::TopP));
    if plan.thinking.thinks() {
        for turned in [temperature.take(), top_p.take()].into_iter().flatten() {
            if turned.value.f64() != Some(1.0) {
                ledger.hint(turned.name, "there is no sampling while the model thinks");
            }
        }
    }
    if let (true, Some(_), Some(top_p)) = (
        maker.is_anthropic,
        temperature,
        top_p.take_if(|_| temperature.is_some()),
    ) {
        ledger.hint(top_p.name, "the model takes temperature or top_p");
    }
    let stop = usable_stop(settings, ledger);
    if plan.max_tokens.is_none() && temperature.is_none() && top_p.is_none() && stop.is_empty() {
        return;
    }
    let mut inference = body.object("inferenceConfig");
    match plan.max_tokens {
        Some(Ok(number)) => inference.u64("maxTokens", number),
        Some(Err(raw)) => inference.raw("maxTokens", raw),
        None => {}
    }
    if let Some(Turned { name, value, .. }) = temperature {
        match value.f64() {
            Some(number) if number > 1.0 => {
                ledger.hint(name, "the converse dialect's temperature ends at 1");
                inference.u64("temperature", 1);
            }
            _ => inference.raw("temperature", value),
        }
    }
    if let Some(top_p) = top_p {
        inference.raw("topP", top_p.value);
    }
    if !stop.is_empty() {
        let mut list = inference.array("stopSequences");
        stop.iter().for_each(|stop| stop.write(list.element()));
    }
}

fn usable_stop<'s, 'a>(settings: &'s Settings<'a>, ledger: &mut Ledger) -> Vec<&'s Text<'a>> {
    let usable: Vec<_> = settings.stop.iter().filter(|stop| !stop.is_blank()).collect();
    if usable.len() < settings.stop.len() {
        ledger.meaning(
            settings.names.stop,
            "the converse dialect has no stop sequence of white space alone",
        );
    }
    usable
}

/// What only some makers' models take, in their own form.
fn write_additional(
    request: &Request<'_>,
    plan: &Plan<'_>,
    maker: &Maker,
    body: &mut ObjectWriter<'_>,
    ledger: &mut Ledger,
) {
    let top_k = top_k(&request.settings, plan, maker, ledger);
    lose_knobs(&request.settings, ledger);
    let choice = claude_s_choice(request, maker);
    if top_k.is_none() && !plan.thinking.thinks() && choice.is_none() {
        return;
    }
    let mut fields = body.object("additionalModelRequestFields");
    match (top_k, maker.top_k) {
        (Some(value), TopK::Field(name)) => fields.raw(name, value),
        (Some(value), TopK::Nova) => fields.object("inferenceConfig").raw("topK", value),
        (Some(_), TopK::None) | (None, _) => {}
    }
    thinking::write(plan.thinking, &mut fields);
    if let Some(choice) = choice {
        write_choice(choice, &mut fields);
    }
}

fn top_k<'a>(settings: &Settings<'a>, plan: &Plan<'_>, maker: &Maker, ledger: &mut Ledger) -> Option<Raw<'a>> {
    let turned = settings.knobs.iter().find(|turned| turned.knob == Knob::TopK)?;
    let why = match maker.top_k {
        _ if plan.thinking.thinks() => "there is no sampling while the model thinks",
        TopK::Field(_) | TopK::Nova => return Some(turned.value),
        TopK::None => "the converse dialect has none for this model",
    };
    ledger.hint(turned.name, why);
    None
}

fn lose_knobs(settings: &Settings<'_>, ledger: &mut Ledger) {
    for Turned { knob, name, value: _ } in settings.knobs.iter().copied() {
        match knob {
            Knob::Temperature | Knob::TopP | Knob::TopK => {}
            Knob::Seed
            | Knob::FrequencyPenalty
            | Knob::PresencePenalty
            | Knob::LogitBias
            | Knob::Logprobs
            | Knob::TopLogprobs
            | Knob::Choices
            | Knob::Verbosity
            | Knob::CacheKey
            | Knob::CacheRetention => ledger.lose(knob.grade(), name, "the converse dialect has no such field"),
        }
    }
}

/// What Converse's own choice cannot say and Claude's can: one call at a time, or none of those that are declared.
/// It is then all of the choice; Converse's is left out.
pub(super) fn claude_s_choice<'r, 'a>(request: &'r Request<'a>, maker: &Maker) -> Option<&'r ToolChoice<'a>> {
    if !maker.is_anthropic {
        return None;
    }
    if request.tools.is_empty() {
        return has_calls(request).then_some(&ToolChoice::None);
    }
    let one_at_a_time = request.settings.parallel_calls == Some(false);
    match &request.settings.tool_choice {
        Some(ToolChoice::None) => Some(&ToolChoice::None),
        Some(choice) if one_at_a_time => Some(choice),
        None if one_at_a_time => Some(&ToolChoice::Auto),
        Some(_) | None => None,
    }
}

fn write_choice(choice: &ToolChoice<'_>, fields: &mut ObjectWriter<'_>) {
    let mut object = fields.object("tool_choice");
    match choice {
        ToolChoice::None => return object.string("type", "none"),
        ToolChoice::Auto => object.string("type", "auto"),
        ToolChoice::Required => object.string("type", "any"),
        ToolChoice::Named(name) => {
            object.string("type", "tool");
            write_name(name, &mut object);
        }
    }
    object.bool("disable_parallel_tool_use", true);
}

fn write_output(settings: &Settings<'_>, plan: &Plan<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    match settings.format {
        Some(Format::Json | Format::Schema { schema: None, .. }) => ledger.hint(
            settings.names.format,
            "the converse dialect can only be asked for any JSON object",
        ),
        Some(Format::Schema { schema: Some(_), .. }) if plan.schema.is_none() => ledger.meaning(
            settings.names.format,
            "the converse dialect cannot enforce properties of any name, nesting without end or a choice of objects",
        ),
        Some(Format::Schema { .. }) | None => {}
    }
    if plan.schema.is_none() && plan.effort.is_none() {
        return;
    }
    let mut config = body.object("outputConfig");
    if let Some(effort) = &plan.effort {
        effort.write(config.member("effort"));
    }
    if let (Some(schema), Some(Format::Schema { name, description, .. })) = (plan.schema, settings.format) {
        let mut format = config.object("textFormat");
        format.string("type", "json_schema");
        let mut structure = format.object("structure");
        let mut inner = structure.object("jsonSchema");
        // The schema is a string here.
        let mut closed = Vec::with_capacity(schema.text().len());
        schema::Fitting::of(&schema::ANTHROPIC, settings.names.answer_schema, ledger)
            .write(schema, json::ValueWriter::new(&mut closed));
        inner.string("schema", &String::from_utf8_lossy(&closed));
        for (key, value) in [("name", name), ("description", description)] {
            if let Some(value) = value {
                inner.raw(key, value);
            }
        }
    }
}
