//! The settings of a chat client whose bytes pass through to a provider that refuses OpenAI's words for them. A client
//! writes for OpenAI; where it is sent must not decide whether its request is understood.

use super::provider::{Manners, manners};
use crate::dialect::Upstream;
use crate::dialect::foreign::removed;
use crate::dialect::loss::Ledger;
use crate::json::{Member, Object, write_string};
use std::ops::Range;

const OLDER_CAP: &str = "max_tokens";
const NEWER_CAP: &str = "max_completion_tokens";

/// Settings of OpenAI's alone that change no answer's meaning.
const HINTS: &[&str] = &[
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "user",
    "verbosity",
];

const WHY: &str = "the provider refuses fields of OpenAI's";

/// What is written otherwise, and what goes.
pub(in crate::dialect) fn respelt(
    request: &Object<'_>,
    upstream: &Upstream<'_>,
    ledger: &mut Ledger,
) -> Vec<(Range<usize>, Vec<u8>)> {
    let manners = manners(upstream.provider);
    let members = request.members();
    let renamed = members.iter().filter_map(|member| {
        let name = other_name(member, request, upstream, &manners)?;
        let mut key = Vec::with_capacity(name.len() + 3);
        write_string(&mut key, name);
        key.push(b':');
        Some((request.member_span(member).start..request.span(member.value).start, key))
    });
    let mut splices: Vec<_> = renamed.collect();
    if manners.has_openai_fields {
        return splices;
    }
    let goes = |member: &Member<'_>| HINTS.contains(&&*member.key());
    // What the stream is asked to tell is told there without being asked.
    let lost = members.iter().filter(|member| !member.value.is_null() && goes(member));
    for member in lost.filter(|member| member.key() != "stream_options") {
        ledger.hint(member.key().into_owned(), WHY);
    }
    let spans = members.iter().map(|member| (request.member_span(member), goes(member)));
    splices.extend(removed(spans).into_iter().map(|range| (range, Vec::new())));
    splices
}

/// How this provider calls it, if otherwise.
fn other_name(
    member: &Member<'_>,
    request: &Object<'_>,
    upstream: &Upstream<'_>,
    manners: &Manners,
) -> Option<&'static str> {
    let cap = manners.cap_name(upstream);
    match &*member.key() {
        "seed" if manners.seed != "seed" => Some(manners.seed),
        NEWER_CAP if cap == OLDER_CAP && !manners.has_openai_fields => {
            request.get(OLDER_CAP).is_none().then_some(OLDER_CAP)
        }
        // OpenAI's older models take both names, and so do servers that are compatible with it.
        OLDER_CAP if cap == NEWER_CAP && (!manners.is_openai || upstream.has("Reasoning") == Some(true)) => {
            request.get(NEWER_CAP).is_none().then_some(NEWER_CAP)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::json;
    use pilotfish_wire::Capabilities;

    fn sent(provider: &str, reasons: Option<bool>, body: &str) -> (String, Vec<String>) {
        let capabilities = Capabilities {
            features: reasons.map(|reasons| {
                if reasons {
                    vec!["Reasoning".to_owned()]
                } else {
                    Vec::new()
                }
            }),
            ..Capabilities::default()
        };
        let upstream = Upstream {
            dialect: Dialect::Chat,
            provider,
            model: "m",
            capabilities: &capabilities,
        };
        let mut ledger = Ledger::default();
        let request = json::parse(body.as_bytes()).unwrap();
        let mut splices = respelt(&request, &upstream, &mut ledger);
        splices.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut body = body.to_owned();
        for (range, fresh) in splices {
            body.replace_range(range, &String::from_utf8(fresh).unwrap());
        }
        let losses = ledger.into_losses().iter().map(|loss| loss.field.to_string()).collect();
        (body, losses)
    }

    #[test]
    fn mistral_is_told_in_its_own_words() {
        let body = r#"{"user":"u","max_completion_tokens": 5,"seed":1,"stream":true,"stream_options":{"include_usage":true},"store":null,"messages":[]}"#;
        let expected = r#"{"max_tokens":5,"random_seed":1,"stream":true,"messages":[]}"#;
        assert_eq!(sent("mistral_ai", None, body), (expected.into(), vec!["user".into()]));
        assert_eq!(sent("mistral_ai", None, expected), (expected.into(), vec![]));
        for provider in ["openai", "openai_compatible", "groq"] {
            assert_eq!(sent(provider, Some(true), body), (body.into(), vec![]), "{provider}");
        }
    }

    #[test]
    fn the_output_cap_has_the_name_that_the_model_knows() {
        let (older, newer) = (r#"{"max_tokens":5}"#, r#"{"max_completion_tokens":5}"#);
        for (provider, reasons, body, expected) in [
            ("openai", Some(true), older, newer),
            ("openai", Some(false), older, older),
            ("openai", None, older, older),
            ("cerebras", None, older, newer),
            ("snowflake", None, older, newer),
            ("groq", None, newer, newer),
            ("vllm", None, older, older),
            ("vllm", None, newer, newer),
        ] {
            assert_eq!(sent(provider, reasons, body).0, expected, "{provider}");
        }
        let both = r#"{"max_tokens":5,"max_completion_tokens":6}"#;
        for provider in ["mistral_ai", "snowflake"] {
            assert_eq!(sent(provider, None, both).0, both, "{provider}");
        }
    }
}
