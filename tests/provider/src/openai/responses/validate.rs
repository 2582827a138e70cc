//! The rules of a Responses request that no single field shows.

use super::super::error::{self, Error};
use super::super::strict::loose;
use super::shapes;
use crate::json::Json;
use crate::model::Model;
use crate::shape;
use crate::signature;

type Checked = Result<(), Error>;

/// Everything but the model's name and the length of the prompt.
pub(super) fn responses(request: &Json, model: &Model, account: &str) -> Checked {
    if model.traits.dimensions > 0 {
        return Err(error::no_chat_model());
    }
    shape::check(request, &shapes::RESPONSES)?;
    kept(request)?;
    ids(request)?;
    encrypted(request, account)?;
    conversation(request)?;
    tools(request)?;
    for_model(request, model)
}

/// Nothing is kept here, so nothing can be gone on with.
fn kept(request: &Json) -> Checked {
    if let Some(id) = request.text_of("previous_response_id") {
        let sentence = format!("Previous response with id '{id}' not found.");
        return Err(Error::invalid("previous_response_id", sentence).code("previous_response_not_found"));
    }
    let reference = request
        .list_of("input")
        .iter()
        .find(|item| item.text_of("type") == Some("item_reference"));
    match reference.and_then(|item| item.text_of("id")) {
        Some(id) => Err(Error::invalid("input", format!("Item with id '{id}' not found."))),
        None => Ok(()),
    }
}

/// Ids say what they are of.
fn ids(request: &Json) -> Checked {
    for (index, item) in request.list_of("input").iter().enumerate() {
        let prefix = match item.text_of("type") {
            Some("function_call") => "fc",
            Some("custom_tool_call") => "ctc",
            Some("reasoning") => "rs",
            Some("function_call_output" | "custom_tool_call_output") => continue,
            _ => "msg",
        };
        if let Some(id) = item.text_of("id").filter(|id| !id.starts_with(prefix)) {
            let param = format!("input[{index}].id");
            let sentence = format!("Invalid '{param}': '{id}'. Expected an ID that begins with '{prefix}'.");
            return Err(Error::invalid(&param, sentence).code("invalid_value"));
        }
    }
    Ok(())
}

/// What another account's model reasoned nobody can read.
fn encrypted(request: &Json, account: &str) -> Checked {
    let contents = request.list_of("input").iter();
    let mut contents = contents.filter_map(|item| item.text_of("encrypted_content"));
    let Some(data) = contents.find(|data| !signature::decrypts(account, data)) else {
        return Ok(());
    };
    let letters: Vec<char> = data.chars().collect();
    let end = |from: usize| letters.iter().skip(from).take(4).collect::<String>();
    let sentence = format!(
        "The encrypted content {}...{} could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
        end(0),
        end(letters.len().saturating_sub(4))
    );
    Err(Error::new(400, "invalid_request_error", sentence).code("invalid_encrypted_content"))
}

/// Each call has its output, and each output its call.
fn conversation(request: &Json) -> Checked {
    paired(request, "function_call", "function_call_output", "function call")?;
    paired(
        request,
        "custom_tool_call",
        "custom_tool_call_output",
        "custom tool call",
    )
}

fn paired(request: &Json, call: &str, output: &str, shown: &str) -> Checked {
    let ids = |kind| -> Vec<&str> {
        let items = request.list_of("input").iter();
        let items = items.filter(|item| item.text_of("type") == Some(kind));
        items.filter_map(|item| item.text_of("call_id")).collect()
    };
    let (calls, outputs) = (ids(call), ids(output));
    let lone = |ids: &[&str], others: &[&str]| ids.iter().find(|id| !others.contains(id)).map(|id| (*id).to_owned());
    let sentence = match (lone(&calls, &outputs), lone(&outputs, &calls)) {
        (Some(id), _) => format!("No tool output found for {shown} {id}."),
        (None, Some(id)) => format!("No tool call found for {shown} output with call_id {id}."),
        (None, None) => return Ok(()),
    };
    Err(Error::invalid("input", sentence))
}

fn tools(request: &Json) -> Checked {
    for (index, tool) in request.list_of("tools").iter().enumerate() {
        let Some(schema) = tool.given("parameters") else {
            continue;
        };
        let name = tool.text_of("name").unwrap_or_default();
        // Without a word a schema is made strict where it can be.
        let is_strict = tool.get("strict") == Some(&Json::Bool(true));
        if let Some(why) = is_strict.then(|| loose(schema, "()")).flatten() {
            let sentence = format!("Invalid schema for function '{name}': {why}");
            return Err(
                Error::invalid(&format!("tools[{index}].parameters"), sentence).code("invalid_function_parameters")
            );
        }
    }
    let chosen = request.get("tool_choice").and_then(|choice| choice.text_of("name"));
    let declared = |name: &str| {
        request
            .list_of("tools")
            .iter()
            .any(|tool| tool.text_of("name") == Some(name))
    };
    match chosen {
        Some(name) if !declared(name) => Err(Error::invalid(
            "tool_choice",
            format!("Tool choice 'function' not found in 'tools' parameter: '{name}'."),
        )),
        _ => Ok(()),
    }
}

fn for_model(request: &Json, model: &Model) -> Checked {
    let unsupported = |param: &str| {
        let sentence = format!("Unsupported parameter: '{param}' is not supported with this model.");
        Err(Error::invalid(param, sentence).code("unsupported_parameter"))
    };
    if model.traits.reasons {
        return match request.number_of("temperature").or_else(|| request.number_of("top_p")) {
            Some(_) => unsupported("temperature"),
            None => Ok(()),
        };
    }
    if request
        .given("reasoning")
        .is_some_and(|reasoning| !reasoning.fields().is_empty())
    {
        return unsupported("reasoning.effort");
    }
    let includes = |wanted: &Json| wanted.text() == Some("reasoning.encrypted_content");
    match request.list_of("include").iter().any(includes) {
        true => Err(Error::invalid(
            "include",
            "Encrypted content is not supported with this model.",
        )),
        false => Ok(()),
    }
}
