//! A server that refuses to be asked for a stream's usage. Who calls it did not ask for that: it must not fail of it.

use crate::dialect::foreign::removed;
use crate::dialect::splice::PassThrough;
use crate::dialect::{Class, Dialect, Fault};
use crate::json;
use bytes::Bytes;

const FIELD: &str = "stream_options";

/// What an upstream answered is a refusal of this field.
pub fn refuses_count(dialect: Dialect, fault: &Fault) -> bool {
    let names = |text: Option<&str>| text.is_some_and(|text| text.contains(FIELD));
    let is_named = names(Some(&fault.message)) || names(fault.param.as_deref());
    dialect == Dialect::Chat && fault.class == Class::Client && is_named
}

/// A request without it; `None` where it has none.
pub fn without_count(request: &Bytes) -> Option<Bytes> {
    let object = json::parse(request).ok()?;
    object.get(FIELD)?;
    let members = object.members().iter();
    let spans = removed(members.map(|member| (object.member_span(member), member.key() == FIELD)));
    let splices = spans.into_iter().map(|span| (span, Vec::new())).collect();
    Some(
        PassThrough::of(request.len(), splices)
            .into_pieces(request)
            .concat()
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::decode_error;
    use http::HeaderMap;

    #[test]
    fn a_refusal_names_the_field() {
        let unknown = r#"{"error_code":"BAD_REQUEST","message":"json: unknown field \"stream_options\""}"#;
        let extra = r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
        for (status, body, expected) in [
            (400, unknown, true),
            (422, extra, true),
            (500, unknown, false),
            (400, r#"{"message":"json: unknown field \"seed\""}"#, false),
        ] {
            let fault = decode_error(Dialect::Chat, status, &HeaderMap::new(), body.as_bytes());
            assert_eq!(refuses_count(Dialect::Chat, &fault), expected, "{fault:?}");
            assert!(!refuses_count(Dialect::Messages, &fault));
        }
    }

    #[test]
    fn a_request_without_it_is_otherwise_the_same() {
        for (request, expected) in [
            (
                r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"seed":1}"#,
                Some(r#"{"model":"m","stream":true,"seed":1}"#),
            ),
            (r#"{"stream_options":null, "model":"m"}"#, Some(r#"{"model":"m"}"#)),
            (r#"{"model":"m"}"#, None),
        ] {
            let without = without_count(&Bytes::from_static(request.as_bytes()));
            assert_eq!(without.as_deref(), expected.map(str::as_bytes));
        }
    }
}
