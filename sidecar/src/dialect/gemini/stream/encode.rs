//! Steps into a Gemini stream: each chunk an answer with what is new in it, the last one with the reason and the usage.

use crate::dialect::gemini::response::{write_call, write_finish, write_image, write_tail, write_thought};
use crate::dialect::gemini::signature;
use crate::dialect::item::{Arguments, Finish, Reasoning, Remark, Step};
use crate::dialect::measured::Measured;
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault, Loss, Usage, unsaid};
use crate::json::{ArrayWriter, ObjectWriter, parse_value, to_one_line};

/// Most that is held of calls whose arguments are not complete, bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(in crate::dialect) struct Encoder {
    exchange: Exchange,
    id: Option<String>,
    model: Option<String>,
    /// Calls whose arguments still come: Gemini's are never in pieces.
    open: Vec<Open>,
    /// One that ended without being whole: cut off, unless the model went on.
    doubtful: Option<Open>,
    unsaid: Option<Loss>,
    held: usize,
    /// A signature of Google's that waits for its call.
    waiting: Option<String>,
    /// How likely the next text's tokens were, as OpenAI's dialects have it.
    measured: Option<String>,
    finish: Finish<'static>,
    usage: Option<Usage>,
}

#[derive(Debug)]
struct Open {
    call: usize,
    id: String,
    name: String,
    arguments: String,
    /// Google's signature of it, as it was carried.
    signed: Option<String>,
}

impl Encoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            id: None,
            model: None,
            open: Vec::new(),
            doubtful: None,
            unsaid: None,
            held: 0,
            waiting: None,
            measured: None,
            finish: Finish::Stop,
            usage: None,
        }
    }

    /// What the last step said that cannot be told.
    pub(in crate::dialect) fn unsaid(&mut self) -> Option<Loss> {
        self.unsaid.take()
    }

    pub(in crate::dialect) fn step(&mut self, step: Step<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        if !matches!(step, Step::Finish(_) | Step::Usage(_)) {
            self.believe(out);
        }
        match step {
            Step::Start { id, model, created: _ } => {
                self.id = id.map(|id| id.plain().into_owned());
                self.model = model.map(|model| model.plain().into_owned());
            }
            Step::Text(text) | Step::Refusal(text) => {
                let measured = self.measured.take();
                let write = |parts: &mut ArrayWriter<'_>| text.write(parts.object().member("text"));
                self.event(out, (None, measured.as_deref()), write);
            }
            Step::Remark(Remark::Logprobs(measured)) => self.measured = Some(measured.openai().into_owned()),
            Step::Reasoning(Reasoning::Foreign(entry)) if signature::read(&entry).is_some() => {
                self.waiting = Some(entry.into_owned());
            }
            Step::Thinking(_) | Step::Signature(_) | Step::Reasoning(_) if !self.exchange.shows_reasoning => {}
            Step::Thinking(text) => self.think(&Reasoning::Unsigned(text), out),
            Step::Signature(signature) => self.think(
                &Reasoning::Signed {
                    text: Text::from(""),
                    signature,
                },
                out,
            ),
            Step::Reasoning(reasoning) => self.think(&reasoning, out),
            Step::Call { call, id, name } => self.begin(call, &id, &name),
            Step::Arguments { call, json } => return self.add(call, &json),
            Step::CallEnd { call } => self.call_end(call, out),
            Step::Image(source) => self.chunk(out, |parts| write_image(&source, parts)),
            // None of these gets here.
            Step::Lost(_) | Step::Remark(Remark::Citation(_)) | Step::CustomCall { .. } => {}
            Step::Finish(finish) => {
                while let Some(open) = self.open.first() {
                    self.call_end(open.call, out);
                }
                match finish.is_cut() && self.doubtful.take().is_some() {
                    true => self.unsaid = Some(unsaid::cut_call()),
                    false => self.believe(out),
                }
                self.finish = finish.into_owned();
            }
            Step::Usage(counted) => self.usage = Some(counted),
            Step::End => self.end(out),
        }
        Ok(())
    }

    fn think(&self, reasoning: &Reasoning<'_>, out: &mut Vec<u8>) {
        self.chunk(out, |parts| write_thought(reasoning, parts));
    }

    fn begin(&mut self, call: usize, id: &Text<'_>, name: &Text<'_>) {
        self.open.push(Open {
            call,
            id: id.plain().into_owned(),
            name: self.exchange.client_name(&name.plain()).to_owned(),
            arguments: String::new(),
            signed: self.waiting.take(),
        });
    }

    fn add(&mut self, call: usize, json: &Text<'_>) -> Result<(), Fault> {
        let Some(open) = self.open.iter_mut().find(|open| open.call == call) else {
            return Ok(());
        };
        let piece = json.plain();
        self.held += piece.len();
        if self.held > MOST_BYTES {
            return Err(Fault::malformed("the answer's tool calls are longer than can be held"));
        }
        open.arguments.push_str(&piece);
        Ok(())
    }

    fn call_end(&mut self, call: usize, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|open| open.call == call) else {
            return;
        };
        let open = self.open.remove(at);
        self.held -= open.arguments.len();
        self.believe(out);
        match Arguments::Quoted(Text::Plain(open.arguments.as_str().into())).are_whole() {
            true => self.tell(open, out),
            false => self.doubtful = Some(open),
        }
    }

    /// The model went on after a call that is not whole, or meant to end there: this is what it said.
    fn believe(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.doubtful.take() {
            self.tell(open, out);
        }
    }

    fn tell(&self, open: Open, out: &mut Vec<u8>) {
        let Open {
            call: _,
            id,
            name,
            arguments,
            signed,
        } = open;
        let carried = signed.as_deref().and_then(signature::read);
        let signature = carried.map(|carried| carried.signature);
        let arguments = Arguments::Quoted(Text::from(arguments));
        let (start, end) = (out.len(), b"\r\n\r\n".len());
        self.chunk(out, |parts| {
            write_call(&Text::from(id), &name, &arguments, signature.as_ref(), parts);
        });
        let written = out.len().saturating_sub(end);
        to_one_line(out.get_mut(start..written).unwrap_or_default());
    }

    fn chunk(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut ArrayWriter<'_>)) {
        self.event(out, (None, None), write);
    }

    fn end(&self, out: &mut Vec<u8>) {
        self.event(out, (Some(&self.finish), None), |parts| {
            parts.object().string("text", "")
        });
    }

    fn event(
        &self,
        out: &mut Vec<u8>,
        (finish, measured): (Option<&Finish<'_>>, Option<&str>),
        write: impl FnOnce(&mut ArrayWriter<'_>),
    ) {
        out.extend_from_slice(b"data: ");
        let mut body = ObjectWriter::new(out);
        let mut candidates = body.array("candidates");
        let mut candidate = candidates.object();
        let mut content = candidate.object("content");
        write(&mut content.array("parts"));
        content.string("role", "model");
        content.end();
        if let Some(finish) = finish {
            write_finish(finish, &mut candidate);
        }
        candidate.u64("index", 0);
        let measured = measured.and_then(|list| parse_value(list.as_bytes()).ok());
        if let Some(list) = measured {
            Measured::OpenAi(list).write_google(&mut candidate);
        }
        candidate.end();
        candidates.end();
        let counted = self.usage.as_ref().filter(|_| finish.is_some());
        write_tail(
            &self.exchange,
            counted,
            borrowed(&self.model).as_ref(),
            borrowed(&self.id).as_ref(),
            &mut body,
        );
        body.end();
        out.extend_from_slice(b"\r\n\r\n");
    }
}

fn borrowed(text: &Option<String>) -> Option<Text<'_>> {
    text.as_deref().map(|text| Text::Plain(text.into()))
}
