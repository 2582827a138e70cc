//! Whose a `thoughtSignature` is.
//!
//! A signature of Google's travels through other dialects as an entry of `reasoning_details`, in the shape that
//! OpenRouter gives it: `{"type":"reasoning.encrypted","data":…,"format":"google-gemini-v1","id":…}`, the id being that
//! of the tool call it belongs to. Reasoning of other makers travels through Gemini's dialect in the same field that
//! its clients return unread, with a mark in front that says that it is not Google's.

use crate::dialect::item::Reasoning;
use crate::dialect::text::Text;
use crate::json::{self, ObjectWriter, Raw};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// The `format` of Google's entries.
const FORMAT: &str = "google-gemini-v1";

/// What Google's documentation has clients send in place of a signature that they do not have.
pub(in crate::dialect) const ABSENT: &str = "skip_thought_signature_validator";

/// What every foreign signature begins with, before it is base64.
const MARK: &str = "pilotfish:";

/// The same as base64; what follows is still undecided.
pub(in crate::dialect) const MARK_BASE64: &str = "cGlsb3RmaXNoO";

/// SDKs decode the field and encode it anew, with the padding or without it.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a signature of a client's turns out to be.
#[derive(Debug)]
pub(in crate::dialect) enum Signature<'a> {
    /// Google's own.
    Google(Text<'a>),
    /// The signature of the thought that it stands beside, or behind.
    Thought(Text<'static>),
    /// Reasoning that has no text.
    Whole(Reasoning<'static>),
}

impl<'a> Signature<'a> {
    pub(in crate::dialect) fn of(text: Text<'a>) -> Self {
        match unmarked(&text.plain()) {
            Some(found) => found,
            None => Self::Google(text),
        }
    }
}

fn unmarked(signature: &str) -> Option<Signature<'static>> {
    if !signature.starts_with(MARK_BASE64) {
        return None;
    }
    let standard: String = signature
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let plain = String::from_utf8(TOLERANT.decode(standard).ok()?).ok()?;
    let (kind, text) = plain.strip_prefix(MARK)?.split_once(':')?;
    let text = text.to_owned();
    match kind {
        "s" => Some(Signature::Thought(Text::from(text))),
        "r" => Some(Signature::Whole(Reasoning::Sealed(Text::from(text)))),
        "f" => Some(Signature::Whole(Reasoning::Foreign(Cow::Owned(text)))),
        _ => None,
    }
}

/// Another maker's reasoning as a signature; nothing for what has none.
pub(in crate::dialect) fn marked(reasoning: &Reasoning<'_>) -> Option<String> {
    let (kind, text) = match reasoning {
        Reasoning::Unsigned(_) => return None,
        Reasoning::Signed { signature, .. } => ("s", signature.plain()),
        Reasoning::Sealed(data) => ("r", data.plain()),
        Reasoning::Foreign(entry) => ("f", Cow::Borrowed(&**entry)),
    };
    Some(STANDARD.encode(format!("{MARK}{kind}:{text}")))
}

/// A signature of Google's, of the tool call `call` or of what was said, as other dialects carry it.
pub(in crate::dialect) fn carried(signature: &Text<'_>, call: Option<&str>) -> Reasoning<'static> {
    let mut out = Vec::new();
    let mut entry = ObjectWriter::new(&mut out);
    entry.string("type", "reasoning.encrypted");
    signature.write(entry.member("data"));
    entry.string("format", FORMAT);
    if let Some(call) = call {
        entry.string("id", call);
    }
    entry.end();
    Reasoning::Foreign(Cow::Owned(String::from_utf8(out).unwrap_or_default()))
}

/// A signature of Google's, as it was carried.
#[derive(Debug)]
pub(in crate::dialect) struct Carried<'e> {
    pub(in crate::dialect) signature: Text<'e>,
    /// The tool call it belongs to.
    pub(in crate::dialect) call: Option<Cow<'e, str>>,
}

/// Reads an entry of `reasoning_details`; `None` for another maker's.
pub(in crate::dialect) fn read(entry: &str) -> Option<Carried<'_>> {
    let entry = json::parse(entry.as_bytes()).ok()?;
    let word = |key| entry.get(key).and_then(Raw::string);
    if word("format").as_deref() != Some(FORMAT) {
        return None;
    }
    Some(Carried {
        signature: entry.get("data").and_then(Text::of).filter(|data| !data.is_empty())?,
        call: word("id"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_found_again_in_either_alphabet() {
        let signed = |signature: &str| Reasoning::Signed {
            text: Text::from("t"),
            signature: Text::from(signature.to_owned()),
        };
        for signature in ["", "EqQB+/==", "é~~~???"] {
            let marked = marked(&signed(signature)).unwrap();
            assert!(marked.starts_with(MARK_BASE64));
            let url_safe = marked.replace('+', "-").replace('/', "_");
            for spelt in [&*marked, &url_safe, url_safe.trim_end_matches('=')] {
                match Signature::of(Text::from(spelt.to_owned())) {
                    Signature::Thought(found) => assert_eq!(found.plain(), signature),
                    other => panic!("{other:?}"),
                }
            }
        }
        let own = Signature::of(Text::from("CiQB"));
        assert!(matches!(own, Signature::Google(text) if text.plain() == "CiQB"));
    }

    #[test]
    fn googles_own_is_carried_with_its_call() {
        let Reasoning::Foreign(entry) = carried(&Text::from("CiQB"), Some("call_1")) else {
            panic!("an entry");
        };
        let found = read(&entry).unwrap();
        assert_eq!(found.signature.plain(), "CiQB");
        assert_eq!(found.call.as_deref(), Some("call_1"));
        assert!(read(r#"{"type":"reasoning.encrypted","data":"x","format":"openai-responses-v1"}"#).is_none());
    }
}
