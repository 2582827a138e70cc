//! The rules of a chat completion that no single field shows: what excludes what, and what must follow what.

use super::error::{self, Error};
use super::strict::loose;
use super::{conversation, shapes};
use crate::json::Json;
use crate::model::Model;
use crate::shape::{self, Kind, Segment, kind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) type Checked = Result<(), Error>;

/// Everything but the model's name and the length of the prompt.
pub(super) fn chat(request: &Json, model: &Model) -> Checked {
    if model.traits.dimensions > 0 {
        return Err(error::no_chat_model());
    }
    shape::check(request, &shapes::CHAT)?;
    for (index, message) in request.list_of("messages").iter().enumerate() {
        self::message(message, index)?;
    }
    conversation::validate(request.list_of("messages"))?;
    options(request)?;
    tools(request)?;
    response_format(request)?;
    for_model(request, model)
}

/// One message, by its role.
fn message(message: &Json, index: usize) -> Checked {
    let at = |error: shape::Violation| {
        let mut path = vec![Segment::Key("messages".to_owned()), Segment::Index(index)];
        path.extend(error.path);
        Error::from(shape::Violation {
            path,
            wrong: error.wrong,
        })
    };
    let shape = match message.text_of("role") {
        Some("system" | "developer") => &shapes::INSTRUCTION,
        Some("assistant") => &shapes::ASSISTANT,
        Some("tool") => &shapes::TOOL,
        Some("function") => &shapes::FUNCTION,
        // A role that is missing, no text or none of ours: the shape says so.
        _ => &shapes::USER,
    };
    shape::check(message, shape).map_err(at)?;
    if message.text_of("role") == Some("assistant") {
        return assistant_says_something(message, index);
    }
    message
        .list_of("content")
        .iter()
        .enumerate()
        .try_for_each(|(part, value)| image(value, index, part))
}

fn assistant_says_something(message: &Json, index: usize) -> Checked {
    let says = ["content", "tool_calls", "function_call", "refusal", "audio"];
    if says.iter().any(|key| message.given(key).is_some()) {
        return Ok(());
    }
    let sentence = "Invalid value for 'content': expected a string, got null.";
    Err(Error::invalid(&format!("messages.[{index}].content"), sentence))
}

fn image(part: &Json, message: usize, index: usize) -> Checked {
    let Some(url) = part.get("image_url").and_then(|image| image.text_of("url")) else {
        return Ok(());
    };
    let param = format!("messages[{message}].content[{index}].image_url.url");
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(());
    }
    let wanted = "Expected a base64-encoded data URL with an image MIME type (e.g. \
                  'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')";
    let invalid = |got: &str| {
        Err(Error::invalid(&param, format!("Invalid '{param}'. {wanted}, but got {got}.")).code("invalid_value"))
    };
    let Some((mime, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) else {
        return invalid("a value without the 'data:' prefix");
    };
    if !["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&mime) {
        return invalid(&format!("unsupported MIME type '{mime}'"));
    }
    match STANDARD.decode(data) {
        Ok(bytes) if !bytes.is_empty() => Ok(()),
        _ => invalid("an invalid base64-encoded value"),
    }
}

/// Options that need another option, or exclude one.
fn options(request: &Json) -> Checked {
    if request.given("stream_options").is_some() && !request.is_set("stream") {
        let sentence = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Error::invalid("stream_options", sentence));
    }
    if request.given("top_logprobs").is_some() && !request.is_set("logprobs") {
        let sentence = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.";
        return Err(Error::invalid("top_logprobs", sentence));
    }
    if request.given("max_tokens").is_some() && request.given("max_completion_tokens").is_some() {
        let sentence = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Error::invalid("max_tokens", sentence).code("invalid_parameter_combination"));
    }
    if request
        .get("metadata")
        .is_some_and(|metadata| metadata.fields().len() > 16)
    {
        let sentence = "Invalid 'metadata': too many properties. Expected an object with at most 16 properties.";
        return Err(Error::invalid("metadata", sentence).code("object_above_max_properties"));
    }
    Ok(())
}

fn tools(request: &Json) -> Checked {
    let tools = request.list_of("tools");
    for key in ["tool_choice", "parallel_tool_calls"] {
        if tools.is_empty() && request.given(key).is_some() {
            let sentence = format!("Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified.");
            return Err(Error::invalid(key, sentence));
        }
    }
    for (index, tool) in tools.iter().enumerate() {
        tool.get("function")
            .map_or(Ok(()), |function| parameters(function, index))?;
    }
    let chosen = request.get("tool_choice").and_then(named);
    let declared = |name: &str| tools.iter().any(|tool| named(tool) == Some(name));
    match chosen {
        Some(name) if !declared(name) => {
            let sentence = format!("Invalid value for 'tool_choice': no tool named '{name}' was specified in 'tools'.");
            Err(Error::invalid("tool_choice", sentence))
        }
        _ => Ok(()),
    }
}

/// What a tool is called, where it is declared and where it is chosen.
fn named(tool: &Json) -> Option<&str> {
    let mut kinds = ["function", "custom"].into_iter().filter_map(|kind| tool.get(kind));
    kinds.find_map(|tool| tool.text_of("name"))
}

fn parameters(function: &Json, index: usize) -> Checked {
    let Some(schema) = function.get("parameters") else {
        return Ok(());
    };
    let name = function.text_of("name").unwrap_or_default();
    let invalid = |why: String| {
        let sentence = format!("Invalid schema for function '{name}': {why}");
        Err(Error::invalid(&format!("tools[{index}].function.parameters"), sentence)
            .code("invalid_function_parameters"))
    };
    if schema.text_of("type") != Some("object") {
        let got = schema.text_of("type").unwrap_or("None");
        return invalid(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'."
        ));
    }
    match function.is_set("strict").then(|| loose(schema, "()")).flatten() {
        Some(why) => invalid(why),
        None => Ok(()),
    }
}

fn response_format(request: &Json) -> Checked {
    let Some(format) = request.get("response_format") else {
        return Ok(());
    };
    match format.text_of("type") {
        Some("json_object") if !says_json(request) => {
            let sentence = "'messages' must contain the word 'json' in some form, to use 'response_format' of type \
                            'json_object'.";
            Err(Error::invalid("messages", sentence))
        }
        Some("json_schema") => format.get("json_schema").map_or(Ok(()), json_schema),
        _ => Ok(()),
    }
}

fn says_json(request: &Json) -> bool {
    request
        .list_of("messages")
        .iter()
        .any(|message| message.compact().to_lowercase().contains("json"))
}

fn json_schema(format: &Json) -> Checked {
    let Some(schema) = format.get("schema") else {
        let param = "response_format.json_schema.schema";
        return Err(
            Error::invalid(param, format!("Missing required parameter: '{param}'.")).code("missing_required_parameter")
        );
    };
    let name = format.text_of("name").unwrap_or_default();
    let invalid = |why: String| {
        Err(Error::invalid(
            "response_format",
            format!("Invalid schema for response_format '{name}': {why}"),
        ))
    };
    if schema.text_of("type") != Some("object") {
        let got = schema.text_of("type").unwrap_or("None");
        return invalid(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'."
        ));
    }
    match format.is_set("strict").then(|| loose(schema, "()")).flatten() {
        Some(why) => invalid(why),
        None => Ok(()),
    }
}

/// What depends on the model.
fn for_model(request: &Json, model: &Model) -> Checked {
    let limit = model.max_output_tokens;
    for key in ["max_tokens", "max_completion_tokens"] {
        if let Some(asked) = request.count_of(key).filter(|asked| *asked > limit) {
            let sentence = format!(
                "{key} is too large: {asked}. This model supports at most {limit} completion tokens, whereas you \
                 provided {asked}."
            );
            return Err(Error::invalid(key, sentence).code("invalid_value"));
        }
    }
    if !model.traits.sees {
        text_alone(request)?;
    }
    let effort = request.text_of("reasoning_effort");
    match model.traits.reasons {
        true if model.traits.rests && matches!(effort.unwrap_or("none"), "none") => Ok(()),
        true => reasoning(request),
        false if request.given("reasoning_effort").is_some() => Err(Error::new(
            400,
            "invalid_request_error",
            "Unrecognized request argument supplied: reasoning_effort",
        )),
        false => Ok(()),
    }
}

/// What OpenAI's older models answer to what came after them.
fn text_alone(request: &Json) -> Checked {
    for (index, message) in request.list_of("messages").iter().enumerate() {
        for (at, part) in message.list_of("content").iter().enumerate() {
            let kind = part.text_of("type").unwrap_or_default();
            if kind != "text" {
                let sentence = format!("Invalid content type. {kind} is only supported by certain models.");
                return Err(Error::invalid(
                    &format!("messages.[{index}].content.[{at}].type"),
                    sentence,
                ));
            }
        }
    }
    let format = request.get("response_format").and_then(|format| format.text_of("type"));
    if format == Some("json_schema") {
        let sentence = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
        return Err(Error::invalid("response_format", sentence));
    }
    Ok(())
}

fn reasoning(request: &Json) -> Checked {
    if request.given("max_tokens").is_some() {
        let sentence = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                        'max_completion_tokens' instead.";
        return Err(Error::invalid("max_tokens", sentence).code("unsupported_parameter"));
    }
    for key in ["stop", "logprobs", "top_logprobs", "logit_bias"] {
        let set = request
            .given(key)
            .is_some_and(|value| kind(value) != Kind::Boolean || request.is_set(key));
        if set {
            let sentence = format!("Unsupported parameter: '{key}' is not supported with this model.");
            return Err(Error::invalid(key, sentence).code("unsupported_parameter"));
        }
    }
    for (key, default) in [
        ("temperature", 1.0),
        ("top_p", 1.0),
        ("presence_penalty", 0.0),
        ("frequency_penalty", 0.0),
    ] {
        if let Some(got) = request
            .number_of(key)
            .filter(|got| (got - default).abs() > f64::EPSILON)
        {
            let sentence = format!(
                "Unsupported value: '{key}' does not support {got} with this model. Only the default ({default}) value \
                 is supported."
            );
            return Err(Error::invalid(key, sentence).code("unsupported_value"));
        }
    }
    Ok(())
}
