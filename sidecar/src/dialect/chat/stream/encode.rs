//! Steps into a chat stream.

use crate::dialect::chat::request::{FORMAT, google, write_detail};
use crate::dialect::chat::response::{write_citation, write_head, write_image};
use crate::dialect::chat::{finish, usage};
use crate::dialect::item::{Finish, Reasoning, Remark, Source, Step};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Usage};
use crate::json::{ObjectWriter, to_one_line};

/// What follows the delta of a chunk that is not the last.
const TAIL: &[u8] = b",\"logprobs\":null,\"finish_reason\":null}]}\n\n";

/// Writes chunks: the same id, time and model on all, from the head that is written once.
#[derive(Debug)]
pub(in crate::dialect) struct Encoder {
    exchange: Exchange,
    /// `data: {"id":…,"object":…,"created":…,"model":…` as it stands before `,"choices"`.
    head: Vec<u8>,
    /// Reasoning blocks so far, and whether one is open.
    details: usize,
    thinking: bool,
    /// Google's signature that waits for its call.
    signed: Option<String>,
    /// It said that it refuses.
    refuses: bool,
    usage: Option<Usage>,
    images: usize,
    /// How likely the tokens of the next text are, as a JSON array.
    measured: Vec<u8>,
    /// The calls of custom tools.
    customs: Vec<usize>,
}

impl Encoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            head: Vec::new(),
            details: 0,
            thinking: false,
            signed: None,
            refuses: false,
            usage: None,
            images: 0,
            measured: Vec::new(),
            customs: Vec::new(),
        }
    }

    pub(in crate::dialect) fn step(&mut self, step: Step<'_>, out: &mut Vec<u8>) {
        match step {
            Step::Start { id, model, created } => self.start(id.as_ref(), model.as_ref(), created, out),
            Step::Text(text) => {
                let start = out.len();
                self.delta(out, |delta| text.write(delta.member("content")));
                self.measure(start, out);
            }
            Step::Remark(Remark::Logprobs(measured)) => {
                self.measured.clear();
                self.measured.extend_from_slice(measured.openai().as_bytes());
            }
            Step::Remark(Remark::Citation(citation)) => {
                let start = out.len();
                self.delta(out, |delta| {
                    write_citation(&citation, 0, &mut delta.array("annotations"))
                });
                one_line(start, out);
            }
            Step::CustomCall { call, id, name } => self.custom_call(call, &id, &name, out),
            Step::Refusal(text) => {
                self.refuses = true;
                self.delta(out, |delta| text.write(delta.member("refusal")));
            }
            Step::Thinking(text) => self.think(&text, out),
            Step::Signature(signature) => self.sign(&signature, out),
            Step::Reasoning(reasoning) => self.reason(&reasoning, out),
            Step::Call { call, id, name } => self.call(call, &id, &name, out),
            Step::Arguments { call, json } => self.delta(out, |delta| {
                let mut list = delta.array("tool_calls");
                let mut entry = list.object();
                entry.u64("index", call as u64);
                let (kind, key) = match self.customs.contains(&call) {
                    true => ("custom", "input"),
                    false => ("function", "arguments"),
                };
                json.write(entry.object(kind).member(key));
            }),
            Step::Image(source) => self.image(&source, out),
            // Such a loss does not get here.
            Step::CallEnd { .. } | Step::Lost(_) => {}
            Step::Finish(finish) => self.finish(&finish, out),
            Step::Usage(counted) => self.usage = Some(counted),
            Step::End => self.end(out),
        }
    }

    fn start(&mut self, id: Option<&Text<'_>>, model: Option<&Text<'_>>, created: Option<u64>, out: &mut Vec<u8>) {
        self.head.extend_from_slice(b"data: ");
        let mut object = ObjectWriter::new(&mut self.head);
        write_head(&self.exchange, id, model, created, "chat.completion.chunk", &mut object);
        object.end();
        // The object goes on in every chunk.
        self.head.pop();
        self.delta(out, |delta| {
            delta.string("role", "assistant");
            delta.string("content", "");
        });
    }

    fn delta(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":");
        write(&mut ObjectWriter::new(out));
        out.extend_from_slice(TAIL);
    }

    /// For showing and, so that it can be returned with its signature, as an entry: clients join entries by index.
    fn think(&mut self, text: &Text<'_>, out: &mut Vec<u8>) {
        self.thinking = true;
        self.delta(out, |delta| {
            text.write(delta.member("reasoning_content"));
            let mut list = delta.array("reasoning_details");
            let mut entry = list.object();
            entry.string("type", "reasoning.text");
            text.write(entry.member("text"));
            entry.u64("index", self.details as u64);
        });
    }

    fn sign(&mut self, signature: &Text<'_>, out: &mut Vec<u8>) {
        let begins = !std::mem::replace(&mut self.thinking, false);
        self.delta(out, |delta| {
            let mut list = delta.array("reasoning_details");
            let mut entry = list.object();
            entry.string("type", "reasoning.text");
            if begins {
                entry.string("text", "");
            }
            signature.write(entry.member("signature"));
            // Once, and only where there is a signature: clients that join entries append one string to the other.
            entry.string("format", FORMAT);
            entry.u64("index", self.details as u64);
        });
        self.details += 1;
    }

    fn reason(&mut self, reasoning: &Reasoning<'_>, out: &mut Vec<u8>) {
        self.details += usize::from(std::mem::replace(&mut self.thinking, false));
        if let Reasoning::Foreign(entry) = reasoning {
            self.signed = Some(entry.to_string());
        }
        let start = out.len();
        self.delta(out, |delta| {
            write_detail(reasoning, self.details, &mut delta.array("reasoning_details").object());
        });
        // Another maker's entry is copied as it was written.
        one_line(start, out);
        self.details += 1;
    }

    fn call(&mut self, call: usize, id: &Text<'_>, name: &Text<'_>, out: &mut Vec<u8>) {
        let signed = self.signed.take();
        let own = signed.as_deref().and_then(|entry| google::of_call(entry, &id.plain()));
        self.delta(out, |delta| {
            let mut list = delta.array("tool_calls");
            let mut entry = list.object();
            entry.u64("index", call as u64);
            id.write(entry.member("id"));
            entry.string("type", "function");
            let mut function = entry.object("function");
            function.string("name", self.exchange.client_name(&name.plain()));
            function.string("arguments", "");
            function.end();
            if let Some(signature) = &own {
                google::write(signature, &mut entry);
            }
        });
    }

    /// Puts what was measured into the chunk that begins at `start`.
    fn measure(&mut self, start: usize, out: &mut Vec<u8>) {
        if self.measured.is_empty() {
            return;
        }
        out.truncate(out.len().saturating_sub(TAIL.len()));
        out.extend_from_slice(b",\"logprobs\":{\"content\":");
        out.append(&mut self.measured);
        out.extend_from_slice(b",\"refusal\":null},\"finish_reason\":null}]}\n\n");
        one_line(start, out);
    }

    fn custom_call(&mut self, call: usize, id: &Text<'_>, name: &Text<'_>, out: &mut Vec<u8>) {
        self.customs.push(call);
        self.delta(out, |delta| {
            let mut list = delta.array("tool_calls");
            let mut entry = list.object();
            entry.u64("index", call as u64);
            id.write(entry.member("id"));
            entry.string("type", "custom");
            let mut custom = entry.object("custom");
            custom.string("name", self.exchange.client_name(&name.plain()));
            custom.string("input", "");
        });
    }

    fn image(&mut self, source: &Source<'_>, out: &mut Vec<u8>) {
        let index = self.images;
        self.images += 1;
        self.delta(out, |delta| write_image(source, index, &mut delta.array("images")));
    }

    fn finish(&self, finish: &Finish<'_>, out: &mut Vec<u8>) {
        if let Finish::Refused(Some(explanation)) = finish {
            self.delta(out, |delta| explanation.write(delta.member("refusal")));
        }
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"");
        out.extend_from_slice(finish::word(finish, self.refuses).as_bytes());
        out.extend_from_slice(b"\"}]}\n\n");
    }

    fn end(&self, out: &mut Vec<u8>) {
        write_end(&self.head, self.usage.filter(|_| self.exchange.include_usage), out);
    }
}

/// What ends a stream whose chunks begin with `head`, with the usage that the client asked for.
pub(in crate::dialect) fn write_end(head: &[u8], usage: Option<Usage>, out: &mut Vec<u8>) {
    if let Some(counted) = usage {
        out.extend_from_slice(head);
        out.extend_from_slice(b",\"choices\":[],\"usage\":");
        usage::write(&counted, &mut ObjectWriter::new(out));
        out.extend_from_slice(b"}\n\n");
    }
    out.extend_from_slice(b"data: [DONE]\n\n");
}

/// Puts the event that begins at `start` on one line: what was copied may have more.
fn one_line(start: usize, out: &mut [u8]) {
    let written = out.len().saturating_sub(b"\n\n".len());
    to_one_line(out.get_mut(start..written).unwrap_or_default());
}
