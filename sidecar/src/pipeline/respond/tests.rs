use super::*;
use crate::dialect::{Grade, Loss};
use http_body::Body as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Status, headers worth a look, and the body.
fn answer(refusal: &Refusal, client: ClientDialect) -> (u16, Vec<(String, String)>, String) {
    let (request_id, config) = (HeaderValue::from_static("pf-1"), HeaderValue::from_static("v1"));
    let mut response = refuse(
        refusal,
        client,
        &Stamp {
            request_id: &request_id,
            config: &config,
            trace: None,
        },
    );
    let told = [
        "allow",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-pilotfish-attempts",
    ];
    let header = |name: &str| Some((name.to_owned(), response.headers().get(name)?.to_str().ok()?.to_owned()));
    let told = told.into_iter().filter_map(header).collect();
    for name in ["request-id", "x-request-id", "x-pilotfish-request-id"] {
        assert_eq!(response.headers()[name], "pf-1");
    }
    assert_eq!(response.headers()["content-type"], "application/json");
    let frame = Pin::new(response.body_mut()).poll_frame(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Some(Ok(frame))) = frame else {
        panic!("a refusal's body is there at once")
    };
    let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    (response.status().as_u16(), told, text)
}

#[test]
fn a_refusal_is_spoken_in_the_clients_dialect() {
    let refusal = Refusal::UnknownModel {
        model: "gpt-9".to_owned(),
        offered: "chat, gpt-*".to_owned(),
    };
    let sentence = r#"no policy offers the model \"gpt-9\" here; on offer: chat, gpt-*"#;
    assert_eq!(
        answer(&refusal, ClientDialect::Chat),
        (
            404,
            vec![],
            format!(
                r#"{{"error":{{"message":"{sentence}","type":"invalid_request_error","param":"model","code":"model_not_found"}}}}"#
            )
        )
    );
    let (status, _, body) = answer(&refusal, ClientDialect::Messages);
    assert_eq!(status, 404);
    assert!(
        body.starts_with(r#"{"type":"error","error":{"type":"not_found_error""#),
        "{body}"
    );
    assert!(body.contains(sentence), "{body}");
}

#[test]
fn a_body_that_is_too_long_is_told_how_long_it_may_be() {
    for (longest, sentence) in [
        (32 * 1024 * 1024, "the body is longer than 32 MiB"),
        (15_000_000, "the body is longer than 15000000 bytes"),
    ] {
        let (status, _, body) = answer(&Refusal::Body(CollectFault::TooLong { longest }), ClientDialect::Chat);
        assert_eq!(status, 413);
        assert!(body.contains(sentence), "{body}");
    }
}

#[test]
fn every_refusal_has_its_status() {
    let name = || "shop/team".to_owned();
    let rows = [
        (Refusal::NotReady, 503),
        (Refusal::UnknownPath, 404),
        (Refusal::NothingKept, 404),
        (Refusal::WrongMethod { allow: "POST" }, 405),
        (Refusal::Encoded, 415),
        (Refusal::LengthAndChunked, 400),
        (Refusal::Body(CollectFault::TooLong { longest: 1000 }), 413),
        (Refusal::Body(CollectFault::NoMemory), 503),
        (Refusal::Body(CollectFault::Idle), 408),
        (Refusal::Body(CollectFault::Cut), 400),
        (Refusal::WrongKey, 401),
        (Refusal::DisabledKey { name: name() }, 401),
        (Refusal::ExpiredKey { name: name() }, 401),
        (
            Refusal::BrokenKey {
                name: name(),
                reason: name(),
            },
            503,
        ),
        (Refusal::KeyRequired { model: name() }, 401),
        (Refusal::ModelNotAllowed { model: name() }, 403),
        (
            Refusal::Broken {
                model: name(),
                reason: name(),
            },
            503,
        ),
        (all_failed(Telling::Unavailable), 503),
        (all_failed(Telling::BadGateway), 502),
        (all_failed(Telling::Timeout), 504),
        (all_failed(Telling::Misconfigured), 502),
        (all_failed(Telling::Limited), 429),
        (all_failed(Telling::Unsupported), 400),
        (all_failed(Telling::ContextOverflow), 400),
        (all_failed(Telling::NoThreads), 400),
    ];
    for (refusal, status) in rows {
        for client in [ClientDialect::Chat, ClientDialect::Messages] {
            assert_eq!(answer(&refusal, client).0, status, "{refusal:?}");
        }
    }
}

fn all_failed(status: Telling) -> Refusal {
    let retry_after = Some(Duration::from_millis(1500));
    Refusal::AllFailed {
        attempts: 3,
        tried: "shop/a: 429: slow down".to_owned(),
        retry_after,
        status,
    }
}

#[test]
fn exhausted_options_are_not_multiplied_by_the_sdk() {
    let (_, told, body) = answer(&all_failed(Telling::Limited), ClientDialect::Chat);
    let expected = [
        ("retry-after", "2"),
        ("retry-after-ms", "1500"),
        ("x-should-retry", "false"),
        ("x-pilotfish-attempts", "3"),
    ];
    assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(
        body.contains("every deployment failed: shop/a: 429: slow down"),
        "{body}"
    );
}

#[test]
fn a_wait_that_nobody_would_sleep_through_is_not_left_to_the_sdk() {
    let limited = |seconds| Refusal::NothingEligible {
        excluded: "shop/a: its limit is used up".to_owned(),
        retry_after: Some(Duration::from_secs(seconds)),
        status: Telling::Limited,
    };
    for (seconds, should_retry) in [(1, None), (60, None), (61, Some("false")), (3600, Some("false"))] {
        let (_, told, _) = answer(&limited(seconds), ClientDialect::Messages);
        let told = told.iter().find(|(name, _)| name == "x-should-retry");
        assert_eq!(told.map(|(_, value)| value.as_str()), should_retry, "{seconds} s");
    }
}

#[test]
fn a_lost_meaning_names_the_field_and_what_to_do() {
    let loss = Loss {
        field: "n".into(),
        grade: Grade::Meaning,
        why: "it answers once".into(),
    };
    let refusal = Refusal::Lossy {
        deployment: "shop/claude".to_owned(),
        losses: vec![loss],
    };
    let (status, _, body) = answer(&refusal, ClientDialect::Chat);
    assert_eq!(status, 400);
    let said = r#"shop/claude cannot carry \"n\" (it answers once); leave it out, or set translation.onLoss: Warn in the policy"#;
    assert!(body.contains(said), "{body}");
    assert!(body.contains(r#""param":"n""#), "{body}");
}
