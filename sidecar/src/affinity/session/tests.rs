use super::*;

/// What a request with these headers, in this order, is taken for.
fn found(policy: &[&str], headers: &[(&str, &str)], body: Option<&str>, root: Option<u64>) -> (Option<String>, String) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    let policy: Vec<_> = policy
        .iter()
        .map(|name| HeaderName::from_bytes(name.as_bytes()).unwrap())
        .collect();
    let session = session_id(&policy, &map, || body.map(Cow::Borrowed), || root);
    let from = match &session {
        Session::Named {
            source: Source::Header(name),
            ..
        } => name.as_str().to_owned(),
        Session::Named {
            source: Source::Body, ..
        } => "body".to_owned(),
        Session::Rooted(_) => "root".to_owned(),
        Session::Unnamed => "nothing".to_owned(),
        Session::Refused(source) => format!("refused: {source:?}"),
    };
    (session.id().map(str::to_owned), from)
}

fn check(policy: &[&str], headers: &[(&str, &str)], body: Option<&str>, root: Option<u64>, id: &str, from: &str) {
    let (got, source) = found(policy, headers, body, root);
    assert_eq!(
        (got.as_deref(), source.as_str()),
        (Some(id), from),
        "{policy:?} {headers:?} {body:?} {root:?}"
    );
}

#[test]
fn the_first_name_in_the_documented_order_decides() {
    let mut headers = vec![
        ("x-tenant-chat", "policy"),
        ("x-pilotfish-session-id", "pilotfish"),
        ("x-litellm-session-id", "litellm"),
        ("x-session-id", "plain"),
        ("x-session-affinity", "affinity"),
        ("x-claude-code-session-id", "vendor"),
        ("x-opencode-session", "opencode"),
        ("x-grok-conv-id", "grok"),
        ("x-conversation-id", "conversation"),
        ("x-session-token", "token"),
        ("x-amp-thread-id", "amp"),
        ("helicone-session-id", "helicone"),
        ("session-id", "codex"),
        ("session_id", "older codex"),
        ("conversation-id", "conversation with a hyphen"),
        ("conversation_id", "conversation with an underscore"),
    ];
    while let Some(&(name, id)) = headers.first() {
        check(&["x-tenant-chat"], &headers, Some("body"), Some(1), id, name);
        let backwards: Vec<_> = headers.iter().rev().copied().collect();
        check(&["x-tenant-chat"], &backwards, Some("body"), Some(1), id, name);
        headers.remove(0);
    }
    check(&["x-tenant-chat"], &[], Some("body"), Some(1), "body", "body");
    check(&["x-tenant-chat"], &[], None, Some(0xabc), "0000000000000abc", "root");
    assert_eq!(found(&["x-tenant-chat"], &[], None, None), (None, "nothing".to_owned()));
}

#[test]
fn a_policy_s_headers_are_tried_in_the_policy_s_order() {
    let headers = [("x-second", "2"), ("x-first", "1")];
    check(&["x-first", "x-second"], &headers, None, None, "1", "x-first");
    check(
        &["x-absent", "x-second", "x-first"],
        &headers,
        None,
        None,
        "2",
        "x-second",
    );
}

#[test]
fn every_known_name_passes_the_filter_in_front_of_the_table() {
    for (place, name) in NAMES.iter().enumerate() {
        match name {
            Name::Exactly(name) => assert_eq!(rank(name), Some(place), "{name}"),
            Name::OfVendor => assert_eq!(rank("x-any-vendor-session-id"), Some(place)),
        }
    }
}

#[test]
fn headers_that_are_no_session_are_passed_over() {
    let others = [
        ("x-stainless-retry-count", "0"),
        ("x-request-id", "r"),
        ("x--session-id", "nobody's"),
        ("x-session-id-hash", "h"),
        ("session-identifier", "i"),
        ("content-length", "12"),
    ];
    assert_eq!(found(&[], &others, None, None), (None, "nothing".to_owned()));
}

#[test]
fn of_several_vendors_the_alphabetically_first_decides() {
    for headers in [
        [("x-b-session-id", "b"), ("x-a-session-id", "a")],
        [("x-a-session-id", "a"), ("x-b-session-id", "b")],
    ] {
        check(&[], &headers, None, None, "a", "x-a-session-id");
    }
}

#[test]
fn an_empty_id_is_ignored() {
    check(
        &["x-mine"],
        &[("x-mine", ""), ("x-session-id", "s")],
        None,
        None,
        "s",
        "x-session-id",
    );
    check(
        &["x-mine"],
        &[("x-mine", " \t"), ("x-mine", " second ")],
        None,
        None,
        "second",
        "x-mine",
    );
    check(
        &[],
        &[("x-session-id", ""), ("x-session-affinity", "a")],
        None,
        None,
        "a",
        "x-session-affinity",
    );
    check(
        &[],
        &[("x-session-id", "")],
        Some(""),
        Some(1),
        "0000000000000001",
        "root",
    );
}

#[test]
fn an_id_too_long_or_not_utf_8_is_no_session_rather_than_the_next_one() {
    let (long, longest) = ("l".repeat(256), "l".repeat(255));
    check(&[], &[("x-session-id", &longest)], None, None, &longest, "x-session-id");
    for (policy, header) in [(vec![], "x-session-id"), (vec!["x-mine"], "x-mine")] {
        let headers = [(header, long.as_str()), ("x-session-affinity", "somebody's")];
        let expected = format!("refused: Header({header:?})");
        assert_eq!(found(&policy, &headers, Some("body"), Some(1)), (None, expected));
    }
    assert_eq!(
        found(&[], &[], Some(&long), Some(1)),
        (None, "refused: Body".to_owned())
    );

    let mut map = HeaderMap::new();
    map.insert("x-session-id", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    let name = HeaderName::from_static("x-session-id");
    assert_eq!(
        session_id(&[], &map, || None, || Some(1)),
        Session::Refused(Source::Header(&name))
    );
}

#[test]
fn body_and_root_are_not_read_when_a_header_decides() {
    let mut map = HeaderMap::new();
    map.insert("x-session-id", HeaderValue::from_static("s"));
    let session = session_id(
        &[],
        &map,
        || panic!("the body was read"),
        || panic!("the root was hashed"),
    );
    assert_eq!(session.id(), Some("s"));
}
