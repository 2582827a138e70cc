//! How likely an answer's tokens were, in the form of OpenAI's dialects and in Google's; each is written in the other.

use super::gemini::spelling;
use super::loss::given;
use crate::json::{self, ArrayWriter, Elements, Object, ObjectWriter, Raw};
use std::borrow::Cow;

/// What an upstream said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measured<'a> {
    /// An array, as both of OpenAI's dialects have it.
    OpenAi(Raw<'a>),
    /// A `logprobsResult`.
    Google(Raw<'a>),
}

impl<'a> Measured<'a> {
    /// Of a candidate of Google's; nothing where no token is measured.
    pub(super) fn of_candidate(candidate: &Object<'a>) -> Option<Self> {
        let measured = Self::Google(spelling::given(candidate, "logprobsResult")?);
        measured.chosen().next().map(|_| measured)
    }

    /// An array in OpenAI's form.
    pub(super) fn openai(self) -> Cow<'a, str> {
        if let Self::OpenAi(list) = self {
            return Cow::Borrowed(list.text());
        }
        let mut out = Vec::new();
        let mut list = ArrayWriter::new(&mut out);
        let mut others = self.others();
        for chosen in self.chosen() {
            let mut token = list.object();
            write_openai(&chosen, &mut token);
            let mut top = token.array("top_logprobs");
            let other = others
                .next()
                .and_then(|top| spelling::given(&top?, "candidates")?.elements());
            for other in other.into_iter().flat_map(Elements::objects).flatten() {
                write_openai(&other, &mut top.object());
            }
        }
        list.end();
        Cow::Owned(String::from_utf8(out).unwrap_or_default())
    }

    /// The member of a candidate in Google's form.
    pub(super) fn write_google(self, candidate: &mut ObjectWriter<'_>) {
        let list = match self {
            Self::Google(result) => return candidate.raw("logprobsResult", result),
            Self::OpenAi(list) => list,
        };
        let tokens = || list.elements().into_iter().flat_map(Elements::objects).flatten();
        let alternatives = |token: &Object<'a>| given(token, "top_logprobs").and_then(Raw::elements);
        let mut result = candidate.object("logprobsResult");
        if tokens().any(|token| alternatives(&token).is_some_and(|mut list| list.next().is_some())) {
            let mut top = result.array("topCandidates");
            for token in tokens() {
                let mut one = top.object();
                let mut candidates = one.array("candidates");
                let others = alternatives(&token).into_iter().flat_map(Elements::objects).flatten();
                others.for_each(|other| write_google(&other, &mut candidates.object()));
            }
        }
        let mut chosen = result.array("chosenCandidates");
        tokens().for_each(|token| write_google(&token, &mut chosen.object()));
    }

    fn chosen(self) -> impl Iterator<Item = Object<'a>> {
        self.list("chosenCandidates").flatten()
    }

    /// What could have stood there instead, token by token.
    fn others(self) -> impl Iterator<Item = Option<Object<'a>>> {
        self.list("topCandidates")
    }

    fn list(self, key: &str) -> impl Iterator<Item = Option<Object<'a>>> + use<'a> {
        let result = match self {
            Self::Google(result) => result.object(),
            Self::OpenAi(_) => None,
        };
        let list = result.and_then(|result| spelling::given(&result, key)?.elements());
        list.into_iter().flat_map(Elements::objects)
    }
}

fn write_openai(token: &Object<'_>, out: &mut ObjectWriter<'_>) {
    let text = spelling::given(token, "token")
        .and_then(Raw::string)
        .unwrap_or_default();
    out.string("token", &text);
    match spelling::given(token, "logProbability") {
        Some(logprob) => out.raw("logprob", logprob),
        // It is left out where it is nought, as every number is.
        None => out.u64("logprob", 0),
    }
    let mut bytes = out.array("bytes");
    text.bytes().for_each(|byte| bytes.element().u64(byte.into()));
}

fn write_google(token: &Object<'_>, out: &mut ObjectWriter<'_>) {
    if let Some(text) = given(token, "token") {
        out.raw("token", text);
    }
    if let Some(logprob) = given(token, "logprob") {
        out.raw("logProbability", logprob);
    }
}

/// The elements of what [`Measured::openai`] wrote.
pub(super) fn elements(list: &str) -> impl Iterator<Item = Raw<'_>> {
    let list = json::parse_value(list.as_bytes()).ok().and_then(Raw::elements);
    list.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOGLE: &str = r#"{"topCandidates":[{"candidates":[{"token":"é","logProbability":-0.5},{"token":"e","logProbability":-1.5}]},
        {"candidates":[{"token":"!"}]}],"chosenCandidates":[{"token":"é","tokenId":7,"logProbability":-0.5},{"token":"!"}]}"#;
    const OPENAI: &str = concat!(
        r#"[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":["#,
        r#"{"token":"é","logprob":-0.5,"bytes":[195,169]},{"token":"e","logprob":-1.5,"bytes":[101]}]},"#,
        r#"{"token":"!","logprob":0,"bytes":[33],"top_logprobs":[{"token":"!","logprob":0,"bytes":[33]}]}]"#,
    );

    fn candidate(measured: Measured<'_>) -> String {
        let mut out = Vec::new();
        let mut candidate = ObjectWriter::new(&mut out);
        measured.write_google(&mut candidate);
        candidate.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_form_is_written_in_the_other() {
        let google = format!(r#"{{"logprobs_result":{GOOGLE}}}"#);
        let object = json::parse(google.as_bytes()).unwrap();
        let measured = Measured::of_candidate(&object).unwrap();
        assert_eq!(measured.openai(), OPENAI);
        assert_eq!(elements(&measured.openai()).count(), 2);
        assert_eq!(candidate(measured), google.replace("logprobs_result", "logprobsResult"));
        let back = candidate(Measured::OpenAi(json::parse_value(OPENAI.as_bytes()).unwrap()));
        let expected = GOOGLE
            .replace(r#","tokenId":7"#, "")
            .replace(r#"{"token":"!"}"#, r#"{"token":"!","logProbability":0}"#);
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(plain(&back), format!(r#"{{"logprobsResult":{}}}"#, plain(&expected)));
    }

    #[test]
    fn where_nothing_is_measured_nothing_is_said() {
        for body in [
            "{}",
            r#"{"logprobsResult":{}}"#,
            r#"{"logprobsResult":{"chosenCandidates":[]}}"#,
        ] {
            assert!(Measured::of_candidate(&json::parse(body.as_bytes()).unwrap()).is_none());
        }
        let none = candidate(Measured::OpenAi(
            json::parse_value(b"[{\"token\":\"a\",\"logprob\":-1}]").unwrap(),
        ));
        assert_eq!(
            none,
            r#"{"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-1}]}}"#
        );
    }
}
