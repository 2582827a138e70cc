use super::*;

fn prompt(said: &str) -> Prompt {
    let weather = r#"{"type":"object","properties":{"city":{"type":"string"}}}"#;
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        schema: serde_json::from_str(weather).unwrap(),
    };
    Prompt {
        name: "m".to_owned(),
        said: said.to_owned(),
        tools: vec![tool("get_weather"), tool("get_time")],
        parallel: true,
        max_tokens: 1000,
        ..Prompt::default()
    }
}

fn said(prompt: &Prompt) -> String {
    let reply = compose(prompt);
    let calls: Vec<String> = reply
        .calls
        .iter()
        .map(|call| format!("{}{}", call.name, call.arguments.compact()))
        .collect();
    format!("{}{} {:?}", reply.text, calls.join(" "), reply.finish)
}

#[test]
fn the_answer_follows_from_the_conversation() {
    let table = [
        ("hello", "Echo from m: hello Stop"),
        ("What is the weather in Paris?", r#"get_weather{"city":"Paris"} Calls"#),
        ("use get_time for Rome", r#"get_time{"city":"Rome"} Calls"#),
        (
            "Tell in parallel the weather of Paris and London",
            r#"get_weather{"city":"Paris"} get_weather{"city":"London"} Calls"#,
        ),
        (
            "Call get_weather and get_time in parallel: Oslo",
            r#"get_weather{"city":"Oslo"} get_time{"city":"somewhere"} Calls"#,
        ),
        ("please refuse this", "I cannot help with that. Refused"),
        ("please filter this", "Echo from m: pl Filtered"),
    ];
    for (question, expected) in table {
        assert_eq!(said(&prompt(question)), expected, "{question}");
    }
}

#[test]
fn results_of_tools_are_quoted_and_not_asked_for_again() {
    let results = vec!["sunny".to_owned(), "12:00".to_owned()];
    let prompt = Prompt {
        results,
        ..prompt("get_weather")
    };
    assert_eq!(said(&prompt), r#"m read from its tools: "sunny" and "12:00" Stop"#);
}

#[test]
fn a_limit_cuts_and_a_stop_sequence_stops() {
    let short = Prompt {
        max_tokens: 4,
        ..prompt("hello world")
    };
    assert_eq!(said(&short), "Echo from m: hel Length");
    let stopped = Prompt {
        stop: vec!["world".to_owned(), "lo".to_owned()],
        ..prompt("hello world")
    };
    assert_eq!(said(&stopped), r#"Echo from m: hel StopSequence("lo")"#);
    let no_room = Prompt {
        max_tokens: 3,
        ..prompt("use get_time")
    };
    assert_eq!(said(&no_room), " Length");
}
