//! A whole answer to a client that asked for a stream: told as one, because its SDK would read no event in it.
//!
//! Some servers ignore `stream`. Their answer goes through the same decoder as any whole answer, and through the same
//! encoder as any stream.

use super::item::{Arguments, Call, Part, Reasoning, Remark, Reply, Step};
use super::text::Text;
use super::translate::decode;
use super::translator::{Sink, Translator};
use super::{Answer, Exchange, Fault, Reasoned};

/// The upstream's whole answer as a stream in the client's dialect, which may be the upstream's own.
pub fn retell_response(exchange: &Exchange, body: &[u8]) -> Result<Answer, Fault> {
    let reply = decode(exchange, body)?;
    let (usage, reasoned) = (reply.usage, Reasoned::of(&reply.parts));
    let mut translator = Translator::new(exchange);
    let mut out = Vec::with_capacity(body.len());
    translator.steps(&mut out, |sink| tell(reply, sink))?;
    Ok(Answer {
        body: out,
        usage,
        reasoned,
        losses: translator.losses(),
    })
}

fn tell(reply: Reply<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let Reply {
        id,
        model,
        created,
        parts,
        remarks,
        finish,
        usage,
        lost,
    } = reply;
    sink(Step::Start { id, model, created })?;
    // Some dialects say at once what they were asked.
    usage.map_or(Ok(()), |usage| sink(Step::Usage(usage)))?;
    lost.into_iter().try_for_each(|loss| sink(Step::Lost(loss)))?;
    let (mut texts, mut calls) = (0, 0);
    for part in parts {
        match part {
            Part::Text(text) => {
                say(text, (&remarks, texts), sink)?;
                texts += 1;
            }
            Part::Call(call) => {
                tell_call(call, calls, sink)?;
                calls += 1;
            }
            Part::Refusal(text) => sink(Step::Refusal(text))?,
            Part::Reasoning(reasoning) => think(reasoning, sink)?,
            Part::Image(source) => sink(Step::Image(source))?,
            // No decoder of answers makes these.
            Part::Audio(_) | Part::File(_) | Part::Result(_) | Part::Raw(_) => {}
        }
    }
    sink(Step::Finish(finish))?;
    sink(Step::End)
}

/// A text, between how likely it was and what it cites.
fn say(text: Text<'_>, (remarks, number): (&[(usize, Remark<'_>)], usize), sink: &mut Sink<'_>) -> Result<(), Fault> {
    let own = || {
        remarks
            .iter()
            .filter(|(of, _)| *of == number)
            .map(|(_, remark)| *remark)
    };
    let is_cited = |remark: &Remark<'_>| matches!(remark, Remark::Citation(_));
    own()
        .filter(|remark| !is_cited(remark))
        .try_for_each(|remark| sink(Step::Remark(remark)))?;
    sink(Step::Text(text))?;
    own().filter(is_cited).try_for_each(|remark| sink(Step::Remark(remark)))
}

fn think(reasoning: Reasoning<'_>, sink: &mut Sink<'_>) -> Result<(), Fault> {
    match reasoning {
        Reasoning::Unsigned(text) => sink(Step::Thinking(text)),
        Reasoning::Signed { text, signature } => {
            if !text.is_empty() {
                sink(Step::Thinking(text))?;
            }
            sink(Step::Signature(signature))
        }
        whole @ (Reasoning::Sealed(_) | Reasoning::Foreign(_)) => sink(Step::Reasoning(whole)),
    }
}

fn tell_call(told: Call<'_>, call: usize, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let Call { id, name, arguments } = told;
    let (step, json) = match arguments {
        Arguments::Object(raw) => (Step::Call { call, id, name }, Text::Plain(raw.text().into())),
        Arguments::Quoted(text) => (Step::Call { call, id, name }, text),
        Arguments::Free(text) => (Step::CustomCall { call, id, name }, text),
    };
    sink(step)?;
    if !json.is_empty() {
        sink(Step::Arguments { call, json })?;
    }
    sink(Step::CallEnd { call })
}

#[cfg(test)]
mod tests;
