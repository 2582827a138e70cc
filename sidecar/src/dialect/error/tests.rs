use super::{ErrorBody, decode_error, encode_error, error_event, raised, reset_after, within};
use crate::dialect::{Class, ClientDialect, Dialect};
use crate::json;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    pairs.iter().map(pair).collect()
}

#[test]
fn every_provider_s_error_stands_in_its_row() {
    use Class::{Client, ContextOverflow, Limited, ModelNotFound, ServerError, Spent, Unauthorised};
    let cases = [
        (
            429,
            r#"{"error":{"message":"Rate limit reached","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
            Limited,
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Spent,
        ),
        (
            429,
            r#"{"error":{"message":"m","code":"project_spend_limit_exceeded"}}"#,
            Spent,
        ),
        (
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            Spent,
        ),
        (
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#,
            Limited,
        ),
        (429, "slow down", Limited),
        (498, "", Limited),
        (
            503,
            r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#,
            Limited,
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Limited,
        ),
        (
            401,
            r#"{"error":{"message":"m","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            Unauthorised,
        ),
        (
            403,
            r#"{"type":"error","error":{"type":"permission_error","message":"m"}}"#,
            Unauthorised,
        ),
        (
            403,
            r#"{"error":{"message":"Project has no access to model","code":"model_not_found"}}"#,
            ModelNotFound,
        ),
        (402, r#"{"error":{"message":"Insufficient Balance"}}"#, Spent),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
            Spent,
        ),
        (
            404,
            r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
            ModelNotFound,
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}"#,
            ModelNotFound,
        ),
        (
            404,
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","code":404}"#,
            ModelNotFound,
        ),
        (404, r#"{"error":"model 'x' not found"}"#, ModelNotFound),
        (
            404,
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist"}}"#,
            ModelNotFound,
        ),
        (404, r#"{"detail":"Not Found"}"#, ModelNotFound),
        (404, "<html>nginx</html>", ModelNotFound),
        (
            404,
            r#"{"error":{"message":"No such File object: file-1","code":null}}"#,
            Client,
        ),
        (
            400,
            r#"{"error":{"message":"x/y is not a valid model ID","code":400}}"#,
            ModelNotFound,
        ),
        (
            400,
            r#"{"error":{"message":"m","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            ContextOverflow,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3 tokens > 2 maximum"}}"#,
            ContextOverflow,
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 2 tokens.","code":400}"#,
            ContextOverflow,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it"}}"#,
            ContextOverflow,
        ),
        (
            413,
            r#"{"error":{"message":"Request too large for model `x` on tokens per minute (TPM)","code":"rate_limit_exceeded"}}"#,
            ContextOverflow,
        ),
        (
            400,
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"prompt is too long\"}}"}}}"#,
            ContextOverflow,
        ),
        (
            400,
            r#"{"error":{"message":"content_filter","code":"content_filter","innererror":{}}}"#,
            Client,
        ),
        (
            413,
            r#"{"type":"error","error":{"type":"request_too_large","message":"m"}}"#,
            Client,
        ),
        (422, r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, Client),
        (409, "{}", Client),
        (408, "", ServerError),
        (424, r#"{"message":"the model broke"}"#, ServerError),
        (500, r#"{"error":{"message":"m","type":"server_error"}}"#, ServerError),
        (502, "<html><title>Bad gateway</title></html>", ServerError),
        (504, "", ServerError),
        (301, "", ServerError),
    ];
    for (status, body, expected) in cases {
        let fault = decode_error(Dialect::Chat, status, &HeaderMap::new(), body.as_bytes());
        assert_eq!((fault.class, fault.status), (expected, Some(status)), "{status} {body}");
    }
}

/// Whose fault it is, where a status alone does not say so: one client's request must not close a deployment for others.
#[test]
fn what_a_client_names_or_says_is_no_failure_of_a_deployment() {
    use Class::{Client, ContextOverflow, ModelNotFound, Unauthorised};
    let cases = [
        (
            403,
            r#"{"error":{"code":403,"message":"openai/gpt-5 requires moderation on OpenAI. Your input was flagged for \"violence\"","metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#,
            Client,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"this was refused","metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#,
            Client,
        ),
        (
            403,
            r#"{"code":"c","error":"Content violates usage guidelines. Team: t, API key ID: k, Model: m"}"#,
            Client,
        ),
        (
            403,
            r#"{"error":{"message":"Your account was flagged for potential abuse."}}"#,
            Unauthorised,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"You do not have permission to access the File abc123 or it may not exist.","status":"PERMISSION_DENIED"}}"#,
            Client,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"CachedContent not found (or permission denied)","status":"PERMISSION_DENIED"}}"#,
            Client,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"You do not have permission to access tunedModels/x or it may not exist.","status":"PERMISSION_DENIED"}}"#,
            ModelNotFound,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"The caller does not have permission","status":"PERMISSION_DENIED"}}"#,
            Unauthorised,
        ),
        (
            403,
            r#"{"error":{"message":"You are not allowed to generate logprobs from this model","type":"invalid_request_error"}}"#,
            Client,
        ),
        (
            403,
            r#"{"error":{"message":"You are not allowed to sample from this model","type":"invalid_request_error"}}"#,
            ModelNotFound,
        ),
        (403, r#"{"message":"Forbidden"}"#, Unauthorised),
        (403, r#"{}"#, Unauthorised),
        (403, r#"<html>blocked</html>"#, Unauthorised),
        (403, r#"{"error":{"message":"too hot in here"}}"#, Client),
        (
            401,
            r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.files.read","type":"invalid_request_error"}}"#,
            Client,
        ),
        (
            401,
            r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: model.request","type":"invalid_request_error"}}"#,
            Unauthorised,
        ),
        (401, r#"{"error":{"message":"m"}}"#, Unauthorised),
        (
            404,
            r#"{"error":{"code":404,"message":"No endpoints found that support tool use. To learn more, visit the docs"}}"#,
            Client,
        ),
        (
            404,
            r#"{"error":{"code":404,"message":"No endpoints found for x/y."}}"#,
            ModelNotFound,
        ),
        (
            404,
            r#"{"error":{"message":"Item with id 'rs_1' not found.","type":"invalid_request_error","param":"input"}}"#,
            Client,
        ),
        (
            404,
            r#"{"error":{"message":"Item 'rs_1' of type 'model' was not found."}}"#,
            Client,
        ),
        (
            404,
            r#"{"error":{"message":"Response with id 'X' not found."}}"#,
            Client,
        ),
        (
            404,
            r#"{"error":{"message":"Prompt with id 'pmpt_1' not found."}}"#,
            Client,
        ),
        (
            404,
            r#"{"error":{"message":"Conversation with id 'conv_1' not found."}}"#,
            Client,
        ),
        (
            404,
            r#"{"error":{"code":404,"message":"Cached content not found","status":"NOT_FOUND"}}"#,
            Client,
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"file_011 not found"}}"#,
            Client,
        ),
        (404, r#"{"error":{"message":"this is nowhere to be seen"}}"#, Client),
        (
            404,
            r#"{"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}}"#,
            ModelNotFound,
        ),
        (
            404,
            r#"{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND"}}"#,
            ModelNotFound,
        ),
        (
            404,
            r#"{"error":{"code":"404","message":"Resource not found"}}"#,
            ModelNotFound,
        ),
        (
            404,
            r#"{"error":{"message":"Invalid URL (POST /v1/chat)","type":"invalid_request_error"}}"#,
            ModelNotFound,
        ),
        (404, r#"{"error":{"code":404}}"#, ModelNotFound),
        (
            400,
            r#"{"error":{"message":"Invalid tool name: 'model not found'","code":null}}"#,
            Client,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid tool name: 'x' model not found 'y'","code":null}}"#,
            Client,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid value in metadata: insufficient balance","type":"invalid_request_error"}}"#,
            Client,
        ),
        (
            400,
            r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","code":"invalid_request_error"}}"#,
            ModelNotFound,
        ),
        (
            400,
            r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"}"#,
            ModelNotFound,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid tool name: 'prompt is too long'"}}"#,
            Client,
        ),
        (
            422,
            r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096","error_type":"validation"}"#,
            ContextOverflow,
        ),
    ];
    for (status, body, expected) in cases {
        let fault = decode_error(Dialect::Chat, status, &HeaderMap::new(), body.as_bytes());
        assert_eq!(fault.class, expected, "{status} {body}");
    }
}

#[test]
fn an_error_s_parts_are_found_in_every_shape() {
    let told = |body: &str| {
        let fault = decode_error(
            Dialect::Messages,
            400,
            &headers(&[("content-type", "text/html")]),
            body.as_bytes(),
        );
        (fault.message, fault.kind, fault.code, fault.param)
    };
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (
            r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
            ("m".into(), some("t"), some("c"), some("p")),
        ),
        (
            r#"{"type":"error","error":{"type":"t","message":"m","details":{"error_code":"d"}},"request_id":"r"}"#,
            ("m".into(), some("t"), some("d"), None),
        ),
        (
            r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
            ("m".into(), some("INVALID_ARGUMENT"), None, None),
        ),
        (
            r#"{"error_code":"c","message":"m"}"#,
            ("m".into(), None, some("c"), None),
        ),
        (r#"{"detail":[{"msg":"m"}]}"#, ("m".into(), None, None, None)),
        (r#""m""#, ("m".into(), None, None, None)),
        (
            "<html>secret</html>",
            ("the upstream answered 400 with text/html".into(), None, None, None),
        ),
        (
            "{}",
            ("the upstream answered 400 with text/html".into(), None, None, None),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(told(body), expected, "{body}");
    }
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let fault = decode_error(
        Dialect::Chat,
        400,
        &HeaderMap::new(),
        format!("x{}", "é".repeat(3000)).as_bytes(),
    );
    assert_eq!(fault.message.len(), 2047);
}

#[test]
fn an_error_inside_a_success_stands_for_a_status() {
    let cases = [
        (r#"{"error":{"message":"m","code":429}}"#, Some((429, Class::Limited))),
        (
            r#"{"error":{"message":"m","type":"server_error"}}"#,
            Some((500, Class::ServerError)),
        ),
        (r#"{"error":{"message":"m"}}"#, Some((500, Class::ServerError))),
        (r#"{"error":"m"}"#, Some((500, Class::ServerError))),
        (
            r#"{"error":{"message":"m","type":"insufficient_quota"}}"#,
            Some((429, Class::Spent)),
        ),
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            Some((529, Class::Limited)),
        ),
        (
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}"#,
            Some((400, Class::ContextOverflow)),
        ),
        (
            r#"{"type":"error","error":{"type":"authentication_error","message":"m"}}"#,
            Some((401, Class::Unauthorised)),
        ),
        (r#"{"error":null}"#, None),
        (r#"{"error":{}}"#, None),
        (r#"{"error":""}"#, None),
        (r#"{"type":"message"}"#, None),
    ];
    for (body, expected) in cases {
        let found = within(&json::parse(body.as_bytes()).unwrap());
        assert_eq!(
            found.map(|fault| (fault.status.unwrap(), fault.class)),
            expected,
            "{body}"
        );
    }
}

#[test]
fn errors_are_said_in_the_client_s_words() {
    let error = ErrorBody {
        message: "no \"such\" model",
        code: Some("model_not_found"),
        ..ErrorBody::default()
    };
    let cases = [
        (
            ClientDialect::Chat,
            404,
            error,
            r#"{"error":{"message":"no \"such\" model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
        ),
        (
            ClientDialect::Messages,
            404,
            error,
            r#"{"type":"error","error":{"type":"not_found_error","message":"no \"such\" model","details":{"error_code":"model_not_found"}}}"#,
        ),
        (
            ClientDialect::Chat,
            503,
            ErrorBody {
                kind: Some("overloaded_error"),
                message: "m",
                param: Some("n"),
                code: None,
            },
            r#"{"error":{"message":"m","type":"server_error","param":"n","code":null}}"#,
        ),
        (
            ClientDialect::Messages,
            503,
            ErrorBody {
                message: "m",
                ..ErrorBody::default()
            },
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
        ),
        (
            ClientDialect::Messages,
            429,
            ErrorBody {
                kind: Some("billing_error"),
                message: "m",
                ..ErrorBody::default()
            },
            r#"{"type":"error","error":{"type":"billing_error","message":"m"}}"#,
        ),
    ];
    for (client, status, error, expected) in cases {
        assert_eq!(
            String::from_utf8(encode_error(client, status, &error)).unwrap(),
            expected
        );
    }
    let kinds = |client| {
        [400, 401, 402, 403, 404, 405, 413, 415, 429, 500, 502, 504, 529].map(|status| {
            let body = encode_error(
                client,
                status,
                &ErrorBody {
                    message: "m",
                    ..ErrorBody::default()
                },
            );
            let body = json::parse(&body).unwrap();
            body.get("error")
                .unwrap()
                .object()
                .unwrap()
                .get("type")
                .unwrap()
                .string()
                .unwrap()
                .into_owned()
        })
    };
    assert_eq!(
        kinds(ClientDialect::Chat),
        [
            "invalid_request_error",
            "authentication_error",
            "insufficient_quota",
            "permission_error",
            "invalid_request_error",
            "invalid_request_error",
            "invalid_request_error",
            "invalid_request_error",
            "rate_limit_error",
            "server_error",
            "server_error",
            "server_error",
            "server_error",
        ]
    );
    assert_eq!(
        kinds(ClientDialect::Messages),
        [
            "invalid_request_error",
            "authentication_error",
            "billing_error",
            "permission_error",
            "not_found_error",
            "invalid_request_error",
            "request_too_large",
            "invalid_request_error",
            "rate_limit_error",
            "api_error",
            "api_error",
            "timeout_error",
            "overloaded_error",
        ]
    );
}

#[test]
fn an_error_in_a_stream_is_an_event_that_the_sdks_raise() {
    let error = ErrorBody {
        message: "m",
        ..ErrorBody::default()
    };
    assert_eq!(
        String::from_utf8(error_event(ClientDialect::Chat, 502, &error, 0)).unwrap(),
        "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"
    );
    assert_eq!(
        String::from_utf8(error_event(ClientDialect::Messages, 502, &error, 0)).unwrap(),
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}\n\n"
    );
    assert_eq!(
        String::from_utf8(error_event(ClientDialect::Responses, 502, &error, 7)).unwrap(),
        "event: error\ndata: {\"type\":\"error\",\"sequence_number\":7,\"message\":\"m\",\"param\":null,\"code\":null,\
         \"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n"
    );
}

#[test]
fn only_what_is_explicitly_exhausted_has_a_reset() {
    let now = 1_800_000_000; // 2027-01-15T08:00:00Z
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: &[(Pairs, Option<f64>)] = &[
        (&[], None),
        (&[("retry-after-ms", "1500")], Some(1.5)),
        (&[("retry-after-ms", "250"), ("retry-after", "9")], Some(0.25)),
        (&[("retry-after", "2.5")], Some(2.5)),
        (&[("retry-after", "-1")], Some(0.0)),
        (&[("retry-after", "Fri, 15 Jan 2027 08:01:40 GMT")], Some(100.0)),
        (&[("retry-after", "Fri, 15 Jan 2027 07:00:00 GMT")], Some(0.0)),
        (&[("retry-after", "soon")], None),
        (
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "6m0s"),
            ],
            Some(360.0),
        ),
        (
            &[
                ("x-ratelimit-remaining-requests", "1"),
                ("x-ratelimit-reset-requests", "6m0s"),
            ],
            None,
        ),
        (&[("x-ratelimit-reset-requests", "6m0s")], None),
        (
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "20ms"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "1h2m3.5s"),
            ],
            Some(3723.5),
        ),
        (
            &[
                ("anthropic-ratelimit-tokens-remaining", "0"),
                ("anthropic-ratelimit-tokens-reset", "2027-01-15T08:00:30Z"),
            ],
            Some(30.0),
        ),
        (
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000007000")],
            Some(7.0),
        ),
        (
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000007")],
            Some(7.0),
        ),
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "7")], Some(7.0)),
        (&[("retry-after", "inf")], None),
    ];
    for (pairs, expected) in cases {
        let found = reset_after(
            &pairs
                .iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_bytes(name.as_bytes()).unwrap(),
                        HeaderValue::from_str(value).unwrap(),
                    )
                })
                .collect(),
            now,
        );
        assert_eq!(found, expected.map(Duration::from_secs_f64), "{pairs:?}");
    }
}

/// What Bedrock says in a header, and the row it stands in.
#[test]
fn every_error_of_aws_stands_in_its_row() {
    use Class::{Client, ContextOverflow, Limited, ModelNotFound, ServerError, Spent, Unauthorised};
    let cases = [
        (400, "ValidationException", "Malformed input request", Client),
        (
            400,
            "ValidationException",
            "Input is too long for requested model.",
            ContextOverflow,
        ),
        (
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            ModelNotFound,
        ),
        (
            400,
            "ValidationException",
            "Invocation of model ID x with on-demand throughput isn\u{2019}t supported.",
            ModelNotFound,
        ),
        (400, "ServiceQuotaExceededException", "m", Spent),
        (
            403,
            "AccessDeniedException:http://internal.amazon.com/coral/",
            "m",
            Unauthorised,
        ),
        (
            403,
            "UnrecognizedClientException",
            "The security token is invalid.",
            Unauthorised,
        ),
        (404, "ResourceNotFoundException", "m", ModelNotFound),
        (408, "ModelTimeoutException", "m", ServerError),
        (424, "ModelErrorException", "m", ServerError),
        (
            429,
            "ThrottlingException",
            "Too many tokens, please wait before trying again.",
            Limited,
        ),
        (429, "ModelNotReadyException", "m", Limited),
        (500, "InternalServerException", "m", ServerError),
        (503, "ServiceUnavailableException", "m", Limited),
    ];
    for (status, name, message, expected) in cases {
        let mut headers = HeaderMap::new();
        headers.insert("x-amzn-errortype", HeaderValue::from_static(name));
        let body = format!("{{\"message\":\"{message}\"}}");
        let fault = decode_error(Dialect::Converse, status, &headers, body.as_bytes());
        assert_eq!(fault.class, expected, "{status} {name}: {message}");
        assert_eq!(fault.kind.as_deref(), name.split(':').next());
    }
}

#[test]
fn an_exception_in_a_stream_stands_for_its_status() {
    for (name, status, class) in [
        ("throttlingException", 429, Class::Limited),
        ("validationException", 400, Class::Client),
        ("modelStreamErrorException", 424, Class::ServerError),
        ("internalServerException", 500, Class::ServerError),
        ("serviceUnavailableException", 503, Class::Limited),
        ("somethingNewException", 500, Class::ServerError),
    ] {
        let fault = raised(Some(name), br#"{"message":"m"}"#);
        assert_eq!(
            (fault.status, fault.class, &*fault.message),
            (Some(status), class, "m"),
            "{name}"
        );
    }
    assert_eq!(raised(None, b"it broke").message, "it broke");
}

/// What Google says in its details: a reason, a field, when a limit ends, which quota it is.
#[test]
fn the_details_of_google_s_errors_are_read() {
    let detail = |kind: &str, rest: &str| format!(r#"{{"@type":"type.googleapis.com/google.rpc.{kind}",{rest}}}"#);
    let fault = |status: u16, word: &str, details: &str| {
        let body =
            format!(r#"[{{"error":{{"code":{status},"message":"m","status":"{word}","details":[{details}]}}}}]"#);
        decode_error(Dialect::Gemini, status, &HeaderMap::new(), body.as_bytes())
    };
    let limited = fault(
        429,
        "RESOURCE_EXHAUSTED",
        &detail("RetryInfo", r#""retryDelay":"34.5s""#),
    );
    assert_eq!(
        (limited.class, limited.reset),
        (Class::Limited, Some(Duration::from_millis(34_500)))
    );
    let daily = r#""violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]"#;
    assert_eq!(
        fault(429, "RESOURCE_EXHAUSTED", &detail("QuotaFailure", daily)).class,
        Class::Spent
    );
    let key = fault(
        400,
        "INVALID_ARGUMENT",
        &detail("ErrorInfo", r#""reason":"API_KEY_INVALID""#),
    );
    assert_eq!(
        (key.class, key.code.as_deref()),
        (Class::Unauthorised, Some("API_KEY_INVALID"))
    );
    let field = r#""fieldViolations":[{"field":"contents[0]","description":"d"}]"#;
    let wrong = fault(400, "INVALID_ARGUMENT", &detail("BadRequest", field));
    assert_eq!(
        (wrong.class, wrong.param.as_deref()),
        (Class::Client, Some("contents[0]"))
    );
}

#[test]
fn an_error_in_google_s_dialect_tells_its_code_and_field_in_details() {
    let error = ErrorBody {
        kind: None,
        message: "m",
        code: Some("c"),
        param: Some("p"),
    };
    let body = String::from_utf8(encode_error(ClientDialect::Gemini, 429, &error)).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":["#,
            r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"c","domain":"pilotfish.dev"},"#,
            r#"{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"p","description":"m"}]}]}}"#
        )
    );
    let bare = ErrorBody {
        message: "m",
        ..ErrorBody::default()
    };
    let event = String::from_utf8(error_event(ClientDialect::Gemini, 502, &bare, 0)).unwrap();
    let expected = r#"data: {"error":{"code":502,"message":"m","status":"INTERNAL"}}"#;
    assert_eq!(event.trim_end(), expected);
}

/// Exceptions in the middle of a stream: whose fault they are told as.
#[test]
fn an_upstream_s_own_exception_is_not_the_client_s_bad_request() {
    for (name, status, kind) in [
        ("modelStreamErrorException", 502, "server_error"),
        ("modelTimeoutException", 502, "server_error"),
        ("internalServerException", 500, "server_error"),
        ("serviceUnavailableException", 503, "server_error"),
        ("accessDeniedException", 502, "server_error"),
        ("throttlingException", 429, "rate_limit_error"),
        ("validationException", 400, "invalid_request_error"),
    ] {
        let fault = raised(Some(name), br#"{"message":"so it is"}"#);
        let told = fault.status_in_stream();
        assert_eq!(told, status, "{name}");
        let event = String::from_utf8(error_event(ClientDialect::Chat, told, &fault.body(), 0)).unwrap();
        assert!(event.contains(&format!("\"type\":\"{kind}\"")), "{name}: {event}");
    }
}
