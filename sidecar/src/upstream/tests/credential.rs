//! Keys become headers, and nothing else.

use super::*;
use http::header::{HeaderMap, HeaderName};
use pilotfish_wire::{Auth, HeaderValue, ProviderKey};

fn credential(key: &str) -> Credential {
    Credential::new(
        ProviderKey::new(key.to_owned()),
        format!("version of {key}").replace("sk-canary", "it"),
    )
}

fn standing(auth: &Auth, name: Option<&str>, added: &[(&str, HeaderValue)]) -> Result<StandingHeaders, HeaderError> {
    let keys = [
        ("ns/a", credential("sk-canary")),
        ("ns/b", credential("sk-canary-b\n")),
        ("ns/bad", credential("a\nb")),
    ];
    let added = added
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    StandingHeaders::new(auth, name, &added, |name| {
        keys.iter().find(|(known, _)| *known == name).map(|(_, key)| key)
    })
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::Value(text.to_owned())
}

fn secret(name: &str) -> HeaderValue {
    HeaderValue::Credential(name.to_owned())
}

#[test]
fn a_key_is_presented_as_the_deployment_says() {
    for (auth, name, added, expected) in [
        (Auth::None, None, vec![], vec![]),
        (Auth::None, Some("ns/a"), vec![], vec![]),
        (
            Auth::Bearer,
            Some("ns/a"),
            vec![],
            vec![("authorization", "Bearer sk-canary")],
        ),
        (
            Auth::Header("x-api-key".to_owned()),
            Some("ns/b"),
            vec![],
            vec![("x-api-key", "sk-canary-b")],
        ),
        (
            Auth::Bearer,
            Some("ns/a"),
            vec![("x-plain", value("v")), ("x-secret", secret("ns/b"))],
            vec![
                ("authorization", "Bearer sk-canary"),
                ("x-plain", "v"),
                ("x-secret", "sk-canary-b"),
            ],
        ),
    ] {
        let mut headers = HeaderMap::new();
        // What a client sent under the same name never gets through beside it.
        headers.append("x-plain", "client's".parse().unwrap());
        headers.append("x-plain", "client's".parse().unwrap());
        if added.is_empty() {
            headers.clear();
        }
        standing(&auth, name, &added).unwrap().apply(&mut headers);
        let mut found: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

#[test]
fn headers_that_cannot_be_made_are_refused_without_quoting_a_value() {
    let bearer = (Auth::Bearer, Some("ns/a"));
    for ((auth, name), added, sentence) in [
        (
            (Auth::Bearer, None),
            vec![],
            "the deployment presents a key but names no credential",
        ),
        (
            (Auth::Bearer, Some("ns/gone")),
            vec![],
            "the credential \"ns/gone\" is missing",
        ),
        (
            bearer.clone(),
            vec![("x", secret("ns/gone"))],
            "the credential \"ns/gone\" is missing",
        ),
        (
            bearer.clone(),
            vec![("x y", value(""))],
            "\"x y\" cannot be a header's name",
        ),
        (
            bearer.clone(),
            vec![("host", value("h"))],
            "the header \"host\" belongs to the connection and cannot be set",
        ),
        (
            bearer.clone(),
            vec![("x", value("a\r\nb"))],
            "the value for the header \"x\" has a line break or another character that no header can carry",
        ),
        (
            (Auth::Bearer, Some("ns/bad")),
            vec![],
            "the value for the header \"authorization\" has a line break or another character that no header can carry",
        ),
    ] {
        assert_eq!(standing(&auth, name, &added).unwrap_err().to_string(), sentence);
    }
}

#[test]
fn no_debug_shows_a_key() {
    let standing = standing(&Auth::Bearer, Some("ns/a"), &[("x-secret", secret("ns/b"))]).unwrap();
    let mut headers = HeaderMap::new();
    standing.apply(&mut headers);
    let shown = format!("{:?} {standing:#?} {headers:#?}", credential("sk-canary"));
    assert!(shown.contains("x-secret") && shown.contains("version of it"), "{shown}");
    assert!(!shown.contains("sk-canary"), "{shown}");
}

#[test]
fn a_new_key_is_a_new_version() {
    let version = |auth: &Auth, name, added: &[(&str, HeaderValue)]| {
        standing(auth, name, added).unwrap().credential_version().to_owned()
    };
    let a = version(&Auth::Bearer, Some("ns/a"), &[]);
    assert_eq!(version(&Auth::None, None, &[("x", value("v"))]), "");
    assert_eq!(version(&Auth::Header("x".to_owned()), Some("ns/a"), &[]), a);
    assert_ne!(version(&Auth::Bearer, Some("ns/b"), &[]), a);
    assert_ne!(version(&Auth::Bearer, Some("ns/a"), &[("x", secret("ns/b"))]), a);
}

/// Presents `sk-canary` and, in a header that its owner added, `sk-canary-b`.
fn two_keys() -> StandingHeaders {
    standing(&Auth::Bearer, Some("ns/a"), &[("x-secret", secret("ns/b"))]).unwrap()
}

#[test]
fn a_key_that_is_quoted_back_is_redacted() {
    for (quoting, expected) in [
        ("", ""),
        ("no key at all", "no key at all"),
        ("wrong key: sk-canary", "wrong key: [redacted]"),
        ("Bearer sk-canary, sk-canary.", "Bearer [redacted], [redacted]."),
        ("sk-canary-b is not sk-canary-c", "[redacted] is not [redacted]-c"),
        ("sk-canarsk-canary", "sk-canar[redacted]"),
    ] {
        assert_eq!(two_keys().redacted(quoting.into()), expected);
        assert_eq!(two_keys().redacted_text(quoting.to_owned()), expected);
    }
}

#[test]
fn a_placeholder_is_no_key_to_be_redacted() {
    let placeholder = Credential::new(ProviderKey::new("EMPTY".to_owned()), "1");
    let standing = StandingHeaders::new(&Auth::Bearer, Some("ns/a"), &Default::default(), |_| Some(&placeholder));
    let sentence = "EMPTY is not a valid key";
    assert_eq!(standing.unwrap().redacted_text(sentence.to_owned()), sentence);
}

#[test]
fn a_header_that_quotes_a_key_is_taken_out() {
    let mut headers = HeaderMap::new();
    headers.append("x-echo", "fine".parse().unwrap());
    headers.append("x-echo", "Bearer sk-canary".parse().unwrap());
    headers.append("x-other", "Bearer sk-other".parse().unwrap());
    two_keys().redact_headers(&mut headers);
    let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["x-other"]);
}

/// What botocore signs at the same time with the same keys.
#[test]
fn a_call_is_signed_as_aws_s_own_sdk_signs_it() {
    let signature = |token: Option<&str>| {
        let mut keys = serde_json::json!({"accessKeyId": "AKIDEXAMPLE",
            "secretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"});
        if let Some(token) = token {
            keys["sessionToken"] = token.into();
        }
        let credential = Credential::new(ProviderKey::new(keys.to_string()), "v1");
        let auth = Auth::SigV4 {
            region: "us-east-1".to_owned(),
            service: "bedrock".to_owned(),
        };
        let standing = StandingHeaders::new(&auth, Some("ns/aws"), &BTreeMap::new(), |_| Some(&credential)).unwrap();
        let endpoint = Endpoint::parse("https://bedrock-runtime.us-east-1.amazonaws.com", None, "").unwrap();
        let body = OutBody::new([Bytes::from_static(b"{\"messages\""), Bytes::from_static(b":[]}")]);
        let mut request = http::Request::post("/model/anthropic.claude-v1%3A0/converse")
            .header("content-type", "application/json")
            .header("user-agent", "not signed")
            .body(body)
            .unwrap();
        standing.sign(&mut request, &endpoint, 1_800_000_000).unwrap();
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(header("x-amz-date").as_deref(), Some("20270115T080000Z"));
        assert_eq!(header("x-amz-security-token").as_deref(), token);
        assert!(request.headers().get("authorization").unwrap().is_sensitive());
        assert!(!format!("{standing:?}").contains("wJalr"));
        let told = standing.redacted_text("it was wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        assert_eq!(told, "it was [redacted]");
        header("authorization").unwrap()
    };
    let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-east-1/bedrock/aws4_request, SignedHeaders=";
    assert_eq!(
        signature(None),
        format!(
            "{start}content-type;host;x-amz-date, \
             Signature=ed71574f9c6ebbc882083125e91ca71d95b22afcad718bcd0b8e2ef770f5e1b5"
        )
    );
    assert_eq!(
        signature(Some("tok/en==")),
        format!(
            "{start}content-type;host;x-amz-date;x-amz-security-token, \
             Signature=3236821651d2394289f18074e31eff2e3719d4b93b1bd62d1633064954965c75"
        )
    );
}

#[test]
fn a_credential_that_is_no_aws_key_is_refused_without_being_quoted() {
    let credential = Credential::new(ProviderKey::new("sk-canary".to_owned()), "v1");
    let auth = Auth::SigV4 {
        region: "us-east-1".to_owned(),
        service: "bedrock".to_owned(),
    };
    let error = StandingHeaders::new(&auth, Some("ns/aws"), &BTreeMap::new(), |_| Some(&credential)).unwrap_err();
    assert_eq!(error, HeaderError::NotAws);
}
