//! The forms of a Responses stream: its events, and the items and parts that they tell of.

use super::open::{Call, Kind, Open, Remarks};
use crate::dialect::item::Reasoning;
use crate::dialect::responses::carried;
use crate::json::{self, ObjectWriter};

/// Writes one event; its `type` is its name.
pub(super) fn event(name: &str, sequence: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let mut data = ObjectWriter::new(out);
    data.string("type", name);
    data.u64("sequence_number", sequence);
    write(&mut data);
    data.end();
    out.extend_from_slice(b"\n\n");
}

/// Which item an event is about.
pub(super) fn locate(data: &mut ObjectWriter<'_>, id: &str, index: usize) {
    data.string("item_id", id);
    data.u64("output_index", index as u64);
}

/// A member that was written before.
pub(super) fn copy(written: &[u8], key: &'static str, data: &mut ObjectWriter<'_>) {
    match json::parse_value(written) {
        Ok(value) => data.raw(key, value),
        Err(_) => data.null(key),
    }
}

pub(super) fn write_part(kind: Kind, text: &str, remarks: &Remarks, part: &mut ObjectWriter<'_>) {
    part.string("type", kind.part());
    part.string(kind.key(), text);
    if kind == Kind::Text {
        list("annotations", &remarks.annotations, part);
        list("logprobs", &remarks.logprobs, part);
    }
}

/// `elements` are JSON with commas between them.
pub(super) fn list(key: &'static str, elements: &[u8], object: &mut ObjectWriter<'_>) {
    if elements.is_empty() {
        return object.array(key).end();
    }
    copy(&[b"[", elements, b"]"].concat(), key, object);
}

/// `parts` are JSON with commas between them.
pub(super) fn write_message(id: &str, status: &str, parts: &[u8], item: &mut ObjectWriter<'_>) {
    item.string("type", "message");
    item.string("id", id);
    item.string("status", status);
    item.string("role", "assistant");
    let list = [b"[", parts, b"]"].concat();
    copy(&list, "content", item);
}

pub(super) fn write_summary(text: &str, part: &mut ObjectWriter<'_>) {
    part.string("type", "summary_text");
    part.string("text", text);
}

pub(super) fn write_thought(id: &str, text: &str, returned: Option<&Reasoning<'_>>, item: &mut ObjectWriter<'_>) {
    item.string("type", "reasoning");
    item.string("id", id);
    let mut summary = item.array("summary");
    if !text.is_empty() {
        write_summary(text, &mut summary.object());
    }
    summary.end();
    if let Some(reasoning) = returned {
        carried::write(reasoning, item);
    }
}

pub(super) fn write_call(open: &Open<Call>, status: &str, item: &mut ObjectWriter<'_>) {
    let (kind, key) = match open.inside.custom {
        true => ("custom_tool_call", "input"),
        false => ("function_call", "arguments"),
    };
    item.string("type", kind);
    item.string("id", &open.id);
    item.string("status", status);
    item.string("call_id", &open.inside.id);
    item.string("name", &open.inside.name);
    item.string(key, &open.inside.arguments);
}
