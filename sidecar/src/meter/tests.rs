use super::*;
use crate::dialect::{ClientDialect, Operation, Usage};

const CHAT: Shape = Shape {
    dialect: ClientDialect::Chat,
    operation: Operation::Generate,
    stream: false,
};

fn lines(meter: &Meter) -> Vec<String> {
    let text = meter.exposition(0.0);
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_series_of_a_route_exist_at_zero() {
    let meter = Meter::new();
    let _deployment = meter.deployment("shop/up");
    let _route = meter.route("chat", "shop/up", "openai", "gpt-4o");
    meter.failovers_among(&["shop/up", "shop/down"]);
    let lines = lines(&meter);
    for expected in [
        r#"pilotfish_requests_total{code="404",deployment="",dialect="messages",model="other",stream="false"} 0"#,
        r#"pilotfish_failovers_total{from="shop/down",to="shop/up",reason="limited"} 0"#,
        r#"pilotfish_requests_total{code="200",deployment="shop/up",dialect="chat",model="chat",stream="true"} 0"#,
        r#"pilotfish_attempts_total{deployment="shop/up",outcome="limited"} 0"#,
        r#"pilotfish_tokens_total{deployment="shop/up",kind="cached_input"} 0"#,
        r#"pilotfish_cost_usd_total{deployment="shop/up"} 0"#,
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} is missing");
    }
}

#[test]
fn invented_model_names_add_no_series() {
    let meter = Meter::new();
    meter.unserved(None, CHAT, 404);
    let before = lines(&meter).len();
    for _ in 0..1000 {
        meter.unserved(None, CHAT, 404);
    }
    assert_eq!(lines(&meter).len(), before);
}

#[test]
fn an_ended_request_is_counted_where_it_belongs() {
    let meter = Meter::new();
    let route = meter.route("chat", "shop/up", "openai", "gpt-4o");
    let usage = Usage {
        input: 10,
        output: 11,
        ..Usage::default()
    };
    let ended = Ended {
        shape: Shape { stream: true, ..CHAT },
        code: 200,
        seconds: 3.0,
        streamed: Some(Streamed {
            first_token_seconds: 1.0,
            rest_seconds: 2.0,
        }),
        usage: Some(usage),
        error: None,
    };
    route.ended(&ended);
    route.ended(&Ended {
        code: 499,
        error: Some(Outcome::Cancelled),
        usage: None,
        streamed: None,
        ..ended
    });
    let labels = r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="chat",gen_ai_response_model="gpt-4o""#;
    let lines = lines(&meter);
    for expected in [
        r#"pilotfish_requests_total{code="200",deployment="shop/up",dialect="chat",model="chat",stream="true"} 1"#
            .to_owned(),
        r#"pilotfish_requests_total{code="499",deployment="shop/up",dialect="chat",model="chat",stream="true"} 1"#
            .to_owned(),
        format!("gen_ai_server_time_to_first_token_seconds_sum{{{labels}}} 1"),
        format!("gen_ai_server_time_per_output_token_seconds_sum{{{labels}}} 0.2"),
        format!(r#"gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type="output"}} 11"#),
        format!(r#"gen_ai_client_operation_duration_seconds_count{{error_type="cancelled",{labels}}} 1"#),
    ] {
        assert!(lines.contains(&expected), "{expected} is missing in {lines:#?}");
    }
}

#[test]
fn outcomes_are_found_by_their_place() {
    for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
        assert_eq!(outcome as usize, place);
    }
}

#[test]
fn labels_are_written_in_the_order_of_their_names_and_escaped() {
    let families = families::Families::default();
    let counters = families.int_counters("seen_total", "What was seen.", ["what", "by"]);
    counters.with(&["a \"b\"\\\n", ""]).inc_by(2);
    counters.with(&["", "c"]);
    counters.with(&["a \"b\"\\\n", ""]).inc();
    let durations = families.histograms("lasted_seconds", "How long it lasted.", [], &[0.5, 1.0]);
    for seconds in [0.5, 0.75, 7.0] {
        durations.with(&[]).observe(seconds);
    }
    let _nothing: Family<IntGauge, 1> = families.int_gauges("absent", "Has no series.", ["any"]);
    let expected = concat!(
        "# HELP lasted_seconds How long it lasted.\n# TYPE lasted_seconds histogram\n",
        "lasted_seconds_bucket{le=\"0.5\"} 1\nlasted_seconds_bucket{le=\"1\"} 2\nlasted_seconds_bucket{le=\"+Inf\"} 3\n",
        "lasted_seconds_sum 8.25\nlasted_seconds_count 3\n",
        "# HELP seen_total What was seen.\n# TYPE seen_total counter\n",
        "seen_total{by=\"\",what=\"a \\\"b\\\"\\\\\\n\"} 3\nseen_total{by=\"c\",what=\"\"} 0\n",
    );
    assert_eq!(families.exposition(), expected);
}
