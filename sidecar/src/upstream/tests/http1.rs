//! HTTP/1.1 on plain connections.

use super::*;
use SendErrorKind::{Ambiguous, BodyNotSent, Connect, Stale};

#[test]
fn a_request_carries_host_length_and_all_its_pieces_in_order() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let big = large();
        let body = OutBody::new([
            bytes("a"),
            bytes(""),
            big.clone(),
            bytes("b"),
            bytes("c"),
            bytes("d"),
            bytes("e"),
        ]);
        let expected = [b"a", &*big, b"bcde"].concat();
        let progress = body.progress();
        let (answer, (head, received)) = tokio::join!(worker.send(&endpoint, body), async {
            let mut upstream = Script::accept(&listener).await;
            let request = upstream.request().await;
            upstream.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            request
        });
        assert!(received == expected, "the body arrived changed");
        let mut head: Vec<_> = head.trim_end().split("\r\n").collect();
        head.sort_unstable();
        let host = format!("host: {}", listener.local_addr().unwrap());
        let length = format!("content-length: {}", expected.len());
        assert_eq!(head, [&length, &host, "post /v1/chat/completions http/1.1"]);
        assert_eq!(progress.sent(), Sent::Whole);
        assert_eq!(read(answer.unwrap()).await.unwrap(), "ok");
    });
}

#[test]
fn an_idle_connection_serves_the_next_request() {
    // Each of these ends where its connection can be used again.
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nx-trailer: 1\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ] {
        on_a_worker(async |worker| {
            let (listener, endpoint) = plain().await;
            let upstream = async {
                let mut upstream = Script::accept(&listener).await;
                for _ in 0..3 {
                    upstream.request().await;
                    upstream.write(answer).await;
                }
                upstream
            };
            let client = async {
                for reused in [false, true, true] {
                    let response = worker.send(&endpoint, bytes("{}")).await.unwrap();
                    assert_eq!(response.reused, reused);
                    assert_eq!(read(response).await.unwrap(), "ok");
                    assert_eq!(worker.gauges.connections.get(), 1);
                }
            };
            let ((), _upstream) = tokio::join!(client, upstream);
        });
    }
}

#[test]
fn the_connection_used_last_is_used_next() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let both = async { tokio::join!(worker.send(&endpoint, bytes("1")), worker.send(&endpoint, bytes("2"))) };
        let ((one, two), (mut first, mut second)) = tokio::join!(both, async {
            let (mut first, mut second) = (Script::accept(&listener).await, Script::accept(&listener).await);
            first.answer("a").await;
            second.answer("b").await;
            (first, second)
        });
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(worker.gauges.connections.get(), 2);
        let (one, two) = (read(one).await.unwrap(), read(two).await.unwrap());
        let last = if two == "b" { &mut second } else { &mut first };
        let (three, ()) = tokio::join!(worker.send(&endpoint, bytes("3")), last.answer("c"));
        assert_eq!((one.len(), read(three.unwrap()).await.unwrap().as_str()), (1, "c"));
    });
}

#[test]
fn a_reused_connection_that_ends_before_any_answer_is_stale() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        for end in [drop, Script::reset] {
            let (first, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.answer("ok").await;
                upstream
            });
            read(first.unwrap()).await.unwrap();
            let (second, ()) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                upstream.request().await;
                end(upstream);
            });
            assert_eq!(row(second), (Stale, Sent::Whole));
        }
    });
}

#[test]
fn an_idle_connection_that_was_closed_is_replaced_without_a_word() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        // Closed in order, reset, or with something said that nobody asked for.
        for last_words in [
            "close",
            "reset",
            "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
        ] {
            let (first, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.answer("ok").await;
                upstream
            });
            read(first.unwrap()).await.unwrap();
            match last_words {
                "close" => drop(upstream),
                "reset" => upstream.reset(),
                words => upstream.write(words).await,
            }
            everything_is_noticed().await;
            let (second, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.answer("ok").await;
                upstream
            });
            let second = second.unwrap();
            assert!(!second.reused, "{last_words}");
            assert_eq!(read(second).await.unwrap(), "ok");
            worker.pools.by_endpoint.borrow().values().for_each(|pool| pool.close());
            upstream.is_gone().await;
        }
    });
}

#[test]
fn a_connection_lost_before_the_whole_body_was_sent_says_so() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        for end in [drop, Script::reset] {
            let (outcome, ()) = tokio::join!(worker.send(&endpoint, large()), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.head().await;
                end(upstream);
            });
            assert_eq!(row(outcome), (BodyNotSent, Sent::Part));
        }
    });
}

#[test]
fn an_end_after_the_body_was_sent_is_ambiguous() {
    let half_a_head = "HTTP/1.1 200 OK\r\ncontent-";
    let too_large = format!(
        "HTTP/1.1 200 OK\r\nx-large: {}\r\n\r\n",
        "x".repeat(4 * MAX_HEAD as usize)
    );
    let early = "the connection was closed before the answer was complete";
    for (answer, sentence, why) in [
        ("", "broke off after the request was sent", early),
        (half_a_head, "broke off within the head of its answer", early),
        (
            "it works!\r\n\r\n",
            "sent something that is no HTTP answer",
            "invalid HTTP version",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
            "sent something that is no HTTP answer",
            "invalid content-length",
        ),
        (
            &too_large,
            "sent something that is no HTTP answer",
            "message head is too large",
        ),
    ] {
        on_a_worker(async |worker| {
            let (listener, endpoint) = plain().await;
            let (outcome, ()) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.request().await;
                upstream.write(answer).await;
            });
            let error = outcome.err().expect("no answer");
            assert_eq!((error.kind(), error.sent()), (Ambiguous, Sent::Whole));
            let expected = format!("{} {sentence}: {why}", endpoint.authority());
            assert_eq!(error.to_string(), expected);
        });
    }
}

#[test]
fn half_an_answer_on_a_reused_connection_is_ambiguous_not_stale() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let client = async {
            read(worker.send(&endpoint, bytes("{}")).await.unwrap()).await.unwrap();
            worker.send(&endpoint, bytes("{}")).await
        };
        let (outcome, ()) = tokio::join!(client, async {
            let mut upstream = Script::accept(&listener).await;
            upstream.answer("ok").await;
            upstream.request().await;
            upstream.write("HTTP/1.1 200").await;
        });
        assert_eq!(row(outcome), (Ambiguous, Sent::Whole));
    });
}

#[test]
fn an_answer_cut_short_is_an_error_and_its_connection_gone() {
    let early = "the connection was closed before the answer was complete";
    for (answer, begun, why) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", "short", early),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
            "short",
            early,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\nnot hex\r\n",
            "short",
            "Invalid chunk size line: missing size digit",
        ),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "", early),
    ] {
        on_a_worker(async |worker| {
            let (listener, endpoint) = plain().await;
            let (response, ()) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.request().await;
                upstream.write(answer).await;
            });
            let mut response = response.unwrap();
            let mut text = Vec::new();
            let error = loop {
                match response.body.next().await.expect("no clean end") {
                    Ok(piece) => text.extend_from_slice(&piece),
                    Err(error) => break error,
                }
            };
            assert_eq!(
                (text.as_slice(), worker.gauges.connections.get()),
                (begun.as_bytes(), 0)
            );
            assert_eq!(error.to_string(), format!("the answer broke off: {why}"));
        });
    }
}

#[test]
fn an_answer_that_ends_with_its_connection_is_whole_and_leaves_nothing() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        for answer in [
            "HTTP/1.1 200 OK\r\n\r\nok",
            "HTTP/1.0 200 OK\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        ] {
            let (response, ()) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.request().await;
                upstream.write(answer).await;
            });
            assert_eq!(read(response.unwrap()).await.unwrap(), "ok");
            assert_eq!(worker.gauges.connections.get(), 0);
        }
    });
}

#[test]
fn what_follows_an_answer_unasked_never_reaches_the_next_request() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (first, _upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.request().await;
            let poison = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison";
            upstream
                .write(format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{poison}"))
                .await;
            upstream
        });
        assert_eq!(read(first.unwrap()).await.unwrap(), "ok");
        let (second, _upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.answer("mine").await;
            upstream
        });
        assert_eq!(read(second.unwrap()).await.unwrap(), "mine");
    });
}

#[test]
fn an_answer_before_the_body_was_read_is_an_answer_and_its_connection_is_not_kept() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let body = OutBody::from(large());
        let progress = body.progress();
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, body), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.head().await;
            upstream
                .write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno")
                .await;
            upstream
        });
        let response = response.unwrap();
        assert_eq!((response.head.status.as_u16(), progress.sent()), (413, Sent::Part));
        assert_eq!(read(response).await.unwrap(), "no");
        assert_eq!(worker.gauges.connections.get(), 0);
        upstream.is_gone().await;
    });
}

#[test]
fn nobody_listening_is_refused_at_once() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        drop(listener);
        let error = worker.send(&endpoint, bytes("{}")).await.err().unwrap();
        assert_eq!(
            (error.kind(), error.sent()),
            (Connect(ConnectFailure::Refused), Sent::Nothing)
        );
        let expected = format!("no connection to {}: connection refused", endpoint.authority());
        assert_eq!(error.to_string(), expected);
    });
}

#[test]
fn a_listener_that_accepts_nobody_is_a_connect_timeout() {
    on_a_worker(async |worker| {
        let (address, _full) = script::full_backlog();
        let endpoint = Endpoint::parse(&format!("http://{address}"), None, "").unwrap();
        let timeout = Duration::from_millis(30);
        let error = worker
            .pools
            .send(&endpoint, post(bytes("{}").into()), timeout, Reuse::Allowed)
            .await
            .err()
            .unwrap();
        assert_eq!(
            (error.kind(), error.sent()),
            (Connect(ConnectFailure::Timeout), Sent::Nothing)
        );
        assert_eq!(error.to_string(), format!("no connection to {address} within 30 ms"));
    });
}

#[test]
fn a_name_is_resolved_and_every_address_of_it_tried() {
    on_a_worker(async |worker| {
        // `localhost` may come as ::1 first, where nobody listens.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint::parse(&format!("http://localhost:{port}"), None, "").unwrap();
        let (response, head) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            let (head, _) = upstream.request().await;
            upstream.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            head
        });
        assert_eq!(read(response.unwrap()).await.unwrap(), "ok");
        assert!(head.contains(&format!("\r\nhost: localhost:{port}\r\n")), "{head}");
    });
}
