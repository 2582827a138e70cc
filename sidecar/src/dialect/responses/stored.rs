//! Responses that their provider keeps, and requests that go on from one.

use super::sealed;
use crate::dialect::loss::given;
use crate::dialect::{Asked, ClientDialect, Fault, Operation};
use crate::json::{self, Object, Raw};
use std::borrow::Cow;

/// The field that names one.
pub const PREVIOUS: &str = "previous_response_id";

/// The code for one that is not there.
pub const UNKNOWN: &str = "previous_response_not_found";

/// What ids of other APIs begin with, which keep nothing: translated answers have them.
const KEPT_BY_NOBODY: [&str; 2] = ["msg_", "chatcmpl-"];

/// The response that a request goes on from.
pub fn previous<'a>(asked: &Asked<'a>) -> Option<Cow<'a, str>> {
    let is_response = asked.dialect == ClientDialect::Responses && asked.operation == Operation::Generate;
    given(&asked.object, PREVIOUS).filter(|_| is_response)?.string()
}

/// The id says that no provider keeps what it names.
pub fn is_kept_by_nobody(id: &str) -> bool {
    KEPT_BY_NOBODY.iter().any(|prefix| id.starts_with(prefix))
}

/// The provider says to a request that goes on from a response that it does not have it. OpenAI has a code for it, vLLM
/// and xAI a 404 that is about a response.
pub fn is_unknown(fault: &Fault) -> bool {
    let Fault {
        message, code, param, ..
    } = fault;
    let message = message.to_lowercase();
    let is_missing = message.contains("response") && message.contains("not found");
    let is_about_it = fault.status == Some(404) || param.as_deref() == Some(PREVIOUS);
    code.as_deref() == Some(UNKNOWN) || is_missing && is_about_it
}

/// What only the provider of an answer can read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Of the response, if it is kept there.
    pub id: Option<String>,
    /// What its reasoning items hold.
    pub sealed: Vec<String>,
}

/// The same of a whole answer.
pub fn kept_of_answer(answer: &[u8]) -> Kept {
    json::parse(answer).map(|response| kept(&response)).unwrap_or_default()
}

pub(in crate::dialect) fn kept(response: &Object<'_>) -> Kept {
    Kept {
        id: id(response),
        sealed: sealed::contents(response, "output"),
    }
}

fn id(response: &Object<'_>) -> Option<String> {
    let is_kept = given(response, "store").and_then(Raw::bool) != Some(false);
    let id = given(response, "id").filter(|_| is_kept)?.string()?;
    Some(id.into_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_unknown_in_the_words_of_each_provider() {
        let told = |status, body: &str| {
            crate::dialect::decode_error(
                crate::dialect::Dialect::Responses,
                status,
                &http::HeaderMap::new(),
                body.as_bytes(),
            )
        };
        for (status, body, expected) in [
            (
                400,
                r#"{"error":{"message":"m","code":"previous_response_not_found"}}"#,
                true,
            ),
            (
                400,
                r#"{"error":{"message":"Previous response with id 'X' not found.","param":"previous_response_id"}}"#,
                true,
            ),
            (
                404,
                r#"{"error":{"message":"Response with id 'X' not found.","param":"response_id","code":404}}"#,
                true,
            ),
            (
                404,
                r#"{"code":"not-found","error":"Response with ID X not found"}"#,
                true,
            ),
            (404, r#"{"error":{"message":"Item with id 'X' not found."}}"#, false),
            (
                400,
                r#"{"error":{"message":"the response format is not found","param":"text"}}"#,
                false,
            ),
        ] {
            assert_eq!(is_unknown(&told(status, body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn only_what_is_kept_has_an_id() {
        for (answer, id) in [
            (r#"{"id":"resp_1","store":true}"#, Some("resp_1")),
            (r#"{"id":"resp_1"}"#, Some("resp_1")),
            (r#"{"id":"resp_1","store":false}"#, None),
            (r#"{"id":"","store":true}"#, None),
            ("[]", None),
        ] {
            assert_eq!(kept_of_answer(answer.as_bytes()).id.as_deref(), id, "{answer}");
        }
    }

    #[test]
    fn what_is_encrypted_is_found_among_the_items() {
        let answer = br#"{"id":"r","output":[{"type":"reasoning","encrypted_content":"a"},{"type":"message"},
            {"type":"reasoning","encrypted_content":null},{"type":"reasoning","encrypted_content":"b\u0063"}]}"#;
        assert_eq!(kept_of_answer(answer).sealed, ["a", "bc"]);
    }

    #[test]
    fn an_id_of_another_api_names_nothing_that_is_kept() {
        assert!(is_kept_by_nobody("msg_01") && is_kept_by_nobody("chatcmpl-1"));
        assert!(!is_kept_by_nobody("resp_1") && !is_kept_by_nobody("01933f2e-7b1c"));
    }
}
