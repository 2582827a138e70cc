//! An Anthropic answer into the item form.

use crate::dialect::item::{Arguments, Call, Finish, Part, Reasoning, Remark, Reply};
use crate::dialect::loss::given;
use crate::dialect::messages::{cited, finish, usage};
use crate::dialect::text::Text;
use crate::dialect::{Fault, Losses, unsaid};
use crate::json::{Object, Raw};

pub(in crate::dialect) fn decode(body: &[u8]) -> Result<Reply<'_>, Fault> {
    let answer = super::parse(body)?;
    let content = answer.get("content").and_then(Raw::elements);
    let content = content.ok_or_else(|| Fault::malformed("the answer has no array content"))?;
    let (mut parts, mut lost) = (Vec::with_capacity(4), Losses::new());
    let (mut remarks, mut texts) = (Vec::new(), 0);
    let mut content = content.in_turn();
    while let Some((_, block)) = content.advance() {
        let block = block.ok_or_else(|| Fault::malformed("the answer has a block that is no object"))?;
        let part = part(block, &mut lost)?;
        if let Some(Part::Text(text)) = &part {
            let cited = cited::of(block, text, &mut lost);
            remarks.extend(cited.map(|citation| (texts, Remark::Citation(citation))));
            texts += 1;
        }
        parts.extend(part);
    }
    let calls = parts.iter().any(|part| matches!(part, Part::Call(_)));
    let finish = finish::read(&answer).unwrap_or(if calls { Finish::Calls } else { Finish::Stop });
    Ok(Reply {
        id: word(&answer, "id"),
        model: word(&answer, "model"),
        created: None,
        parts,
        remarks,
        finish,
        usage: usage::of(&answer),
        lost,
    })
}

/// A block; one that only Anthropic's own tools make is lost.
fn part<'a>(block: &Object<'a>, lost: &mut Losses) -> Result<Option<Part<'a>>, Fault> {
    let text = |key: &str| given(block, key).and_then(Text::of);
    let kind = block.get("type").and_then(Raw::string).unwrap_or_default();
    let need = |key: &str| text(key).ok_or_else(|| Fault::malformed(format!("the answer has a {kind} without {key}")));
    Ok(match &*kind {
        "text" => Some(need("text")?).filter(|text| !text.is_empty()).map(Part::Text),
        "thinking" => Some(Part::Reasoning(match word(block, "signature") {
            Some(signature) => Reasoning::Signed {
                text: need("thinking")?,
                signature,
            },
            None => Reasoning::Unsigned(need("thinking")?),
        })),
        "redacted_thinking" => Some(Part::Reasoning(Reasoning::Sealed(need("data")?))),
        "tool_use" => {
            let arguments = given(block, "input").map_or(Arguments::Quoted(Text::from("{}")), Arguments::Object);
            Some(Part::Call(Call {
                id: need("id")?,
                name: need("name")?,
                arguments,
            }))
        }
        kind => {
            lost.push(unsaid::foreign(kind));
            None
        }
    })
}

/// A string that says something.
fn word<'a>(object: &Object<'a>, key: &str) -> Option<Text<'a>> {
    given(object, key).and_then(Text::of).filter(|text| !text.is_empty())
}
