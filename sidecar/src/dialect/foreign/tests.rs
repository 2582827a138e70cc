use super::{unreasoned, unsigned, without_foreign, without_thinking};
use crate::dialect::{Asked, ClientDialect, Dialect, InPath, Operation, Upstream};
use pilotfish_wire::Capabilities;
use std::ops::Range;

fn read(client: ClientDialect, body: &str) -> Asked<'_> {
    let path = InPath {
        model: (client == ClientDialect::Gemini).then(|| "m".into()),
        ..InPath::default()
    };
    Asked::read(client, Operation::Generate, path, body.as_bytes()).unwrap()
}

fn with_upstream<T>(provider: &str, model: &str, what: impl FnOnce(&Upstream<'_>) -> T) -> T {
    let features = model.starts_with("gemini-3").then(|| vec!["Reasoning".to_owned()]);
    let capabilities = Capabilities {
        features,
        ..Capabilities::default()
    };
    let upstream = Upstream {
        dialect: Dialect::Messages,
        provider,
        model,
        capabilities: &capabilities,
    };
    what(&upstream)
}

/// What becomes of `body`, and what was lost.
fn purged(client: ClientDialect, provider: &str, model: &str, body: &str) -> Option<(String, Vec<String>)> {
    let asked = read(client, body);
    let purged = with_upstream(provider, model, |upstream| without_foreign(&asked, upstream))?;
    let losses = purged.losses.iter().map(|loss| loss.field.to_string()).collect();
    Some((String::from_utf8(purged.body.to_vec()).unwrap(), losses))
}

const MADE_UP: &str = r#"{"type":"thinking","thinking":"sum","signature":""}"#;
const MARKED: &str = r#"{"type":"redacted_thinking","data":"pf1:{\"type\":\"reasoning.encrypted\"}"}"#;
const SIGNED: &str = r#"{"type":"thinking","thinking":"sum","signature":"EqQB"}"#;
const CALL: &str = r#"{"type":"tool_use","id":"a","name":"f","input":{}}"#;

fn messages(blocks: &[&str], more: &str) -> String {
    let blocks = blocks.join(", ");
    let said = format!(r#"{{"role":"user","content":"a"}},{{"role":"assistant","content":[{blocks}]}}"#);
    format!(r#"{{"model":"m","messages":[{said}]{more}}}"#)
}

#[test]
fn claude_is_not_sent_thinking_that_it_did_not_sign() {
    let claude = |body: &str| purged(ClientDialect::Messages, "anthropic", "claude-opus-5-5", body);
    for (blocks, kept, lost) in [
        (&[MADE_UP, MARKED, CALL][..], &[CALL][..], &["0", "1"][..]),
        (&[SIGNED, MARKED, CALL], &[SIGNED, CALL], &["1"]),
        (&[SIGNED, CALL, MARKED], &[SIGNED, CALL], &["2"]),
    ] {
        let expected: Vec<_> = lost.iter().map(|at| format!("messages[1].content[{at}]")).collect();
        assert_eq!(claude(&messages(blocks, "")), Some((messages(kept, ""), expected)));
    }
    assert_eq!(claude(&messages(&[SIGNED, CALL], "")), None);
    // A turn must say something.
    let (body, _) = claude(&messages(&[MADE_UP], "")).unwrap();
    assert_eq!(body, messages(&[], "").replace("[]", r#"".""#));
}

#[test]
fn with_a_budget_a_loop_that_lost_its_thinking_goes_on_without_any() {
    let more = r#","thinking":{"type":"enabled","budget_tokens":1024}"#;
    let claude = |body: &str| purged(ClientDialect::Messages, "aws.bedrock", "eu.anthropic.claude-x", body);
    let (body, losses) = claude(&messages(&[MADE_UP, CALL], more)).unwrap();
    assert_eq!(body, messages(&[CALL], r#","thinking":{"type":"disabled"}"#));
    assert_eq!(losses, ["messages[1].content[0]", "thinking"]);
    let (body, losses) = claude(&messages(&[SIGNED, MARKED, CALL], more)).unwrap();
    assert_eq!(body, messages(&[SIGNED, CALL], more));
    assert_eq!(losses, ["messages[1].content[1]"]);
}

/// A model that does not think has left nothing to take out.
#[test]
fn with_a_budget_a_loop_that_began_without_thinking_goes_on_without_any() {
    const TEXT: &str = r#"{"type":"text","text":"a"}"#;
    let enabled = r#","thinking":{"type":"enabled","budget_tokens":1024}"#;
    let adaptive = r#","thinking":{"type":"adaptive"}"#;
    for (model, blocks, more, found, expected) in [
        ("claude-opus-5-5", &[CALL][..], enabled, false, true),
        ("claude-opus-5-5", &[TEXT, CALL], enabled, false, true),
        // The memory has it.
        ("claude-opus-5-5", &[CALL], enabled, true, false),
        ("claude-opus-5-5", &[SIGNED, CALL], enabled, false, false),
        ("claude-opus-5-5", &[TEXT], enabled, false, false),
        ("claude-opus-5-5", &[CALL], adaptive, false, false),
        ("deepseek-chat", &[CALL], enabled, false, false),
    ] {
        let body = messages(blocks, more);
        let asked = read(ClientDialect::Messages, &body);
        let place = body.find("\"content\":[").unwrap() + 11;
        let found: &[_] = if found { &[(place..place, Vec::new())] } else { &[] };
        let splice = with_upstream("deepseek", model, |upstream| without_thinking(&asked, upstream, found));
        let (range, fresh) = match (splice, expected) {
            (Some((splice, _)), true) => splice,
            (splice, _) => {
                assert_eq!(splice.is_some(), expected, "{body}");
                continue;
            }
        };
        assert_eq!(body.get(range), Some(r#"{"type":"enabled","budget_tokens":1024}"#));
        assert_eq!(fresh, br#"{"type":"disabled"}"#);
    }
}

#[test]
fn a_turn_that_reasoned_nothing_says_so_where_it_must_say_something() {
    let call = r#""tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]"#;
    let body = |more: &str| format!(r#"{{"model":"m","messages":[{{{more}"role":"assistant",{call}}}]}}"#);
    let given = |provider: &str, body: &str, found: &[(Range<usize>, Vec<u8>)]| {
        let asked = read(ClientDialect::Chat, body);
        let mut body = body.to_owned();
        for (range, fresh) in with_upstream(provider, "m", |upstream| unreasoned(&asked, upstream, found)) {
            body.replace_range(range, &String::from_utf8(fresh).unwrap());
        }
        body
    };
    for (provider, before, after) in [
        ("deepseek", "", r#""reasoning_content":"","#),
        ("moonshot", "", r#""reasoning_content":" ","#),
        ("moonshot", r#""reasoning_content":"","#, r#""reasoning_content":" ","#),
        (
            "moonshot",
            r#""reasoning_content":null,"#,
            r#""reasoning_content":" ","#,
        ),
        (
            "deepseek",
            r#""reasoning":"hm","#,
            r#""reasoning_content":"hm","reasoning":"hm","#,
        ),
        (
            "deepseek",
            r#""reasoning_content":"hm","#,
            r#""reasoning_content":"hm","#,
        ),
        ("vllm", "", ""),
        ("openai", "", ""),
    ] {
        assert_eq!(given(provider, &body(before), &[]), body(after), "{provider}");
    }
    let place = body("").find("\"role\"").unwrap();
    assert_eq!(given("deepseek", &body(""), &[(place..place, Vec::new())]), body(""));
}

#[test]
fn who_knows_one_name_for_reasoning_is_sent_no_other() {
    let turn = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"assistant",{more}"content":"a"}}]}}"#);
    let cerebras = |more: &str| purged(ClientDialect::Chat, "cerebras", "m", &turn(more));
    let (renamed, losses) = cerebras(r#""reasoning_content": "hm","#).unwrap();
    assert_eq!((renamed, losses), (turn(r#""reasoning":"hm","#), vec![]));
    assert_eq!(cerebras(r#""reasoning":"hm","#), None);
    let (left, losses) = cerebras(r#""reasoning":"hm","reasoning_details":[],"#).unwrap();
    assert_eq!(left, turn(r#""reasoning":"hm","#));
    assert_eq!(losses, ["messages[0].reasoning_details"]);
    let (left, losses) = purged(ClientDialect::Chat, "openai", "m", &turn(r#""reasoning":"hm","#)).unwrap();
    assert_eq!((left, losses), (turn(""), vec!["messages[0].reasoning".to_owned()]));
}

#[test]
fn vertex_is_not_sent_the_ids_of_calls() {
    let body = |id: &str, other: &str| {
        format!(
            r#"{{"contents":[{{"role":"model","parts":[{{"functionCall":{{{id}"name":"f","args":{{"id":1}}}}}}]}},
            {{"role":"user","parts":[{{"function_response":{{"name":"f"{other}}}}}]}}]}}"#
        )
    };
    let with = body(r#""id":"call_1", "#, r#","id":"call_1""#);
    let sent = |provider: &str, body: &str| purged(ClientDialect::Gemini, provider, "gemini-2.5-pro", body);
    assert_eq!(sent("gcp.vertex_ai", &with), Some((body("", ""), vec![])));
    assert_eq!(sent("gcp.vertex_ai", &body("", "")), None);
    assert_eq!(sent("gcp.gemini", &with), None);
}

#[test]
fn what_says_nothing_is_not_sent_to_who_refuses_it() {
    let body = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"assistant"{more},"content":"a"}}]}}"#);
    let blank = body(r#","refusal":null,"annotations":[],"function_call":null,"audio":null"#);
    for provider in ["mistral_ai", "groq", "cerebras", "fireworks", "databricks", "x_ai"] {
        let found = purged(ClientDialect::Chat, provider, "m", &blank);
        assert_eq!(found, Some((body(""), vec![])), "{provider}");
        assert_eq!(
            purged(ClientDialect::Chat, provider, "m", &body(r#","refusal":"no""#)),
            None
        );
    }
    for provider in ["openai", "vllm", "openai_compatible"] {
        assert_eq!(purged(ClientDialect::Chat, provider, "m", &blank), None, "{provider}");
    }
}

/// Servers that sign nothing want what they thought back.
#[test]
fn others_get_their_unsigned_thinking_back_but_not_what_is_marked() {
    let other = |body: &str| purged(ClientDialect::Messages, "deepseek", "deepseek-chat", body);
    assert_eq!(other(&messages(&[MADE_UP, CALL], "")), None);
    let (body, _) = other(&messages(&[MADE_UP, MARKED, CALL], "")).unwrap();
    assert_eq!(body, messages(&[MADE_UP, CALL], ""));
}

#[test]
fn who_refuses_what_it_does_not_know_is_not_sent_the_carriers_of_reasoning() {
    let carried = r#"{"model":"m","messages":[{"reasoning_content":"hm","role":"assistant","content":null,
        "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"},
            "extra_content":{"google":{"thought_signature":"s"}}}], "reasoning_details":[{"type":"x"}]},
        {"role":"user","content":"about reasoning_content","reasoning_content":"mine"}]}"#;
    let expected = r#"{"model":"m","messages":[{"role":"assistant","content":null,
        "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"user","content":"about reasoning_content","reasoning_content":"mine"}]}"#;
    let lost = [
        "messages[0].reasoning_content",
        "messages[0].reasoning_details",
        "messages[0].tool_calls[0].extra_content",
    ];
    for provider in ["openai", "azure.ai.openai", "groq", "mistral_ai", "x_ai"] {
        let found = purged(ClientDialect::Chat, provider, "m", carried).unwrap();
        assert_eq!(
            found,
            (expected.to_owned(), lost.map(str::to_owned).to_vec()),
            "{provider}"
        );
        assert_eq!(purged(ClientDialect::Chat, provider, "m", expected), None);
    }
    for provider in ["deepseek", "openrouter", "vllm"] {
        assert_eq!(purged(ClientDialect::Chat, provider, "m", carried), None, "{provider}");
    }
}

#[test]
fn a_call_of_another_s_says_that_it_has_no_signature_where_one_is_demanded() {
    let call = |id: &str| format!(r#"{{"role":"model","parts":[{{"functionCall":{{"id":"{id}"}}}}]}}"#);
    let body = format!(
        r#"{{"contents":[{},{{"role":"user","parts":[]}},{}]}}"#,
        call("a"),
        call("b")
    );
    let marks = |model: &str, signed: &[(Range<usize>, Vec<u8>)]| {
        with_upstream("gcp.gemini", model, |upstream| {
            unsigned(&read(ClientDialect::Gemini, &body), upstream, signed)
        })
    };
    let after = |id: &str| body.find(&format!("\"{id}\"}}")).unwrap() + 4;
    let places = |found: Vec<(Range<usize>, Vec<u8>)>| found.into_iter().map(|(at, _)| at.start).collect::<Vec<_>>();
    assert_eq!(places(marks("gemini-3-pro", &[])), [after("a"), after("b")]);
    // Its own signature comes back to one of them.
    let first = body.find("\"functionCall").unwrap();
    assert_eq!(
        places(marks("gemini-3-pro", &[(first..first, b"signature".to_vec())])),
        [after("b")]
    );
    for model in ["gemini-2.5-flash", "unknown"] {
        assert_eq!(marks(model, &[]), []);
    }
}

#[test]
fn the_ids_of_calls_are_spelt_as_the_provider_spells_them() {
    let chat = |id: &str| {
        format!(
            r#"{{"model":"m","messages":[{{"role":"assistant","tool_calls":[{{"id":"{id}","type":"function"}}]}},
            {{"role":"tool","tool_call_id" : "{id}","content":"r"}}]}}"#
        )
    };
    let long = "c".repeat(41);
    for (provider, id, expected) in [
        ("mistral_ai", "call_1", Some("")),
        ("mistral_ai", "a1B2c3D4e", None),
        ("openai", "functions.f:0", None),
        ("vllm", &*long, None),
        ("openai", &*long, Some("ccccccccccccccccccccccc_")),
    ] {
        let sent = purged(ClientDialect::Chat, provider, "m", &chat(id));
        let sent = sent.map(|(body, _)| body);
        match expected {
            None => assert_eq!(sent, None, "{provider} {id}"),
            Some(begin) => {
                let sent = sent.unwrap();
                let spelt = sent
                    .split("\"id\":\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next())
                    .unwrap();
                assert!(spelt.starts_with(begin), "{provider} {id}: {spelt}");
                assert_eq!(sent, chat(spelt));
            }
        }
    }
    let messages = |id: &str| {
        format!(
            r#"{{"model":"m","messages":[{{"role":"assistant","content":[{{"type":"tool_use","id":"{id}"}}]}},
            {{"role":"user","content":[{{"type":"tool_result","tool_use_id":"{id}"}}]}}]}}"#
        )
    };
    let (sent, _) = purged(
        ClientDialect::Messages,
        "anthropic",
        "claude-x",
        &messages("functions.f:0"),
    )
    .unwrap();
    assert!(
        !sent.contains("functions.f:0") && sent.matches("functions_f_0_").count() == 2,
        "{sent}"
    );
    assert_eq!(
        purged(ClientDialect::Messages, "anthropic", "claude-x", &messages("toolu_1")),
        None
    );
}
