//! Steps into an Anthropic stream: blocks one after the other, each begun before its deltas and ended after them.

use super::parked::{Kind, Lot, Parked};
use crate::dialect::item::{Finish, Reasoning, Step};
use crate::dialect::messages::response::{write_head, write_reasoning};
use crate::dialect::messages::{finish, usage};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault, Loss, Usage, unsaid};
use crate::json::{ObjectWriter, ValueWriter};

#[derive(Debug)]
pub(in crate::dialect) struct Encoder {
    exchange: Exchange,
    open: Open,
    /// The open block's index, or the next one's.
    index: u64,
    lot: Lot,
    usage: Option<Usage>,
    finish: Finish<'static>,
    unsaid: Option<Loss>,
}

/// The block that deltas go into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Thinking,
    Call(usize),
}

impl Encoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        let exchange = exchange.clone();
        Self {
            exchange,
            open: Open::Nothing,
            index: 0,
            lot: Lot::default(),
            usage: None,
            finish: Finish::Stop,
            unsaid: None,
        }
    }

    /// What the last step said that came where it could not be told.
    pub(in crate::dialect) fn unsaid(&mut self) -> Option<Loss> {
        self.unsaid.take()
    }

    pub(in crate::dialect) fn step(&mut self, step: Step<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        match step {
            Step::Start { id, model, created: _ } => self.start(id.as_ref(), model.as_ref(), out),
            Step::Text(text) | Step::Refusal(text) => return self.text(&text, out),
            Step::Thinking(_) | Step::Signature(_) | Step::Reasoning(_) if !self.exchange.shows_reasoning => {}
            Step::Thinking(_) | Step::Signature(_) | Step::Reasoning(_) if matches!(self.open, Open::Call(_)) => {
                self.unsaid = Some(unsaid::hint(
                    "reasoning",
                    "the messages dialect does not think in the middle of a call",
                ));
            }
            Step::Thinking(text) => self.think(&text, out),
            Step::Signature(signature) => self.sign(&signature, out),
            Step::Reasoning(reasoning) => self.reason(&reasoning, out),
            Step::Call { call, id, name } => {
                let name = self.exchange.client_name(&name.plain()).to_owned();
                match self.open {
                    Open::Call(_) => self.lot.call(call, &id, name),
                    Open::Nothing | Open::Text | Open::Thinking => self.call(call, &id, &name, out),
                }
            }
            Step::Arguments { call, json } => match self.open {
                Open::Call(open) if open == call => {
                    self.delta("input_json_delta", "partial_json", out, |at| json.write(at))
                }
                _ => return self.lot.arguments(call, &json),
            },
            Step::CallEnd { call } => match self.open {
                Open::Call(open) if open == call => self.call_end(out),
                _ => self.lot.complete(call),
            },
            Step::Finish(finish) => self.finish(finish, out),
            Step::Usage(counted) => self.usage = Some(counted),
            // None of these gets here.
            Step::Image(_) | Step::Lost(_) | Step::Remark(_) | Step::CustomCall { .. } => {}
            Step::End => self.end(out),
        }
        Ok(())
    }

    /// Usage is not known yet; `message_delta` tells it, and the SDKs take it from there.
    fn start(&mut self, id: Option<&Text<'_>>, model: Option<&Text<'_>>, out: &mut Vec<u8>) {
        let exchange = &self.exchange;
        event("message_start", out, |data| {
            let mut message = data.object("message");
            write_head(exchange, id, model, &mut message);
            message.array("content").end();
            message.null("stop_reason");
            message.null("stop_sequence");
            usage::write(&Usage::default(), &mut message.object("usage"));
        });
    }

    fn text(&mut self, text: &Text<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        if let Open::Call(_) = self.open {
            return self.lot.text(text);
        }
        self.open_as(Open::Text, out);
        self.delta("text_delta", "text", out, |value| text.write(value));
        Ok(())
    }

    fn think(&mut self, text: &Text<'_>, out: &mut Vec<u8>) {
        self.open_as(Open::Thinking, out);
        self.delta("thinking_delta", "thinking", out, |value| text.write(value));
    }

    /// Closes its block: the SDKs keep one signature for each.
    fn sign(&mut self, signature: &Text<'_>, out: &mut Vec<u8>) {
        self.open_as(Open::Thinking, out);
        self.delta("signature_delta", "signature", out, |value| signature.write(value));
        self.close(out);
    }

    fn reason(&mut self, reasoning: &Reasoning<'_>, out: &mut Vec<u8>) {
        self.close(out);
        self.block(out, |block| write_reasoning(reasoning, block));
        self.stop(out);
    }

    fn call(&mut self, call: usize, id: &Text<'_>, name: &str, out: &mut Vec<u8>) {
        self.close(out);
        self.block(out, |block| {
            block.string("type", "tool_use");
            id.write(block.member("id"));
            block.string("name", name);
            block.object("input").end();
        });
        self.open = Open::Call(call);
    }

    /// Ends the open call and goes on with what waited for it, up to a call that is not complete itself.
    fn call_end(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        while let Some(Parked { kind, text }) = self.lot.next() {
            let text = Text::from(text);
            match kind {
                Kind::Text => {
                    self.open_as(Open::Text, out);
                    self.delta("text_delta", "text", out, |value| text.write(value));
                }
                Kind::Call {
                    call,
                    id,
                    name,
                    complete,
                } => {
                    self.call(call, &Text::from(id), &name, out);
                    if !text.is_empty() {
                        self.delta("input_json_delta", "partial_json", out, |value| text.write(value));
                    }
                    if !complete {
                        return;
                    }
                    self.close(out);
                }
            }
        }
    }

    fn finish(&mut self, finish: Finish<'_>, out: &mut Vec<u8>) {
        while self.open != Open::Nothing {
            self.call_end(out);
        }
        self.finish = finish.into_owned();
    }

    fn end(&self, out: &mut Vec<u8>) {
        event("message_delta", out, |data| {
            finish::write(&self.finish, &mut data.object("delta"));
            usage::write(&self.usage.unwrap_or_default(), &mut data.object("usage"));
        });
        event("message_stop", out, |_| {});
    }

    /// Makes `wanted` the open block, beginning it if another one was open.
    fn open_as(&mut self, wanted: Open, out: &mut Vec<u8>) {
        if self.open == wanted {
            return;
        }
        self.close(out);
        self.block(out, |block| match wanted {
            Open::Thinking => write_reasoning(&Reasoning::Unsigned(Text::from("")), block),
            Open::Text | Open::Nothing | Open::Call(_) => {
                block.string("type", "text");
                block.string("text", "");
            }
        });
        self.open = wanted;
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.open, Open::Nothing) != Open::Nothing {
            self.stop(out);
        }
    }

    fn block(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        event("content_block_start", out, |data| {
            data.u64("index", self.index);
            write(&mut data.object("content_block"));
        });
    }

    fn stop(&mut self, out: &mut Vec<u8>) {
        event("content_block_stop", out, |data| data.u64("index", self.index));
        self.index += 1;
    }

    /// By far the most frequent event, so its constant parts are copied.
    fn delta(&self, kind: &str, key: &str, out: &mut Vec<u8>, write: impl FnOnce(ValueWriter<'_>)) {
        out.extend_from_slice(b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
        ValueWriter::new(out).u64(self.index);
        out.extend_from_slice(b",\"delta\":{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\",\"");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        write(ValueWriter::new(out));
        out.extend_from_slice(b"}}\n\n");
    }
}

/// Writes one event; its `type` is its name.
fn event(name: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let mut data = ObjectWriter::new(out);
    data.string("type", name);
    write(&mut data);
    data.end();
    out.extend_from_slice(b"\n\n");
}
