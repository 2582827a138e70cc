//! HTTP/2, agreed on in the TLS handshake.

use super::certificates::{Authority, Secure};
use super::frames::{CANCEL, Frames, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM};
use super::*;
use SendErrorKind::{Ambiguous, BodyNotSent, NotProcessed};
use futures::future::join_all;

const MANY: u32 = 100;

async fn secure() -> (Secure, Arc<Endpoint>) {
    let authority = Authority::new();
    let server = authority.listens("localhost", &["h2", "http/1.1"]).await;
    let endpoint = server.endpoint("localhost", &authority.bundle());
    (server, endpoint)
}

/// A connection that has served one request.
async fn served_once(worker: &Worker, server: &Secure, endpoint: &Arc<Endpoint>, most_streams: u32) -> Frames {
    let (response, upstream) = tokio::join!(worker.send(endpoint, bytes("{}")), async {
        let mut upstream = Frames::accept(server, most_streams).await;
        let (stream, _) = upstream.request().await;
        upstream.answer(stream, "ok").await;
        upstream
    });
    assert_eq!(read(response.unwrap()).await.unwrap(), "ok");
    upstream
}

#[test]
fn a_real_server_understands_what_is_sent() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let body = OutBody::new([bytes("a"), Bytes::from(vec![b'x'; 1 << 20]), bytes("b")]);
        let served = async {
            let mut connection = h2::server::handshake(server.accept().await.unwrap()).await.unwrap();
            let (request, mut respond) = connection.accept().await.unwrap().unwrap();
            let (head, mut body) = request.into_parts();
            let exchange = async {
                let mut length = 0;
                while let Some(piece) = body.data().await {
                    let piece = piece.unwrap();
                    body.flow_control().release_capacity(piece.len()).unwrap();
                    length += piece.len();
                }
                let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
                stream.send_data(bytes("ok"), true).unwrap();
                length
            };
            // The connection moves only while it is asked for the next stream.
            let (length, _) = tokio::join!(exchange, async { connection.accept().await.is_none() });
            (head, length)
        };
        let client = async {
            let response = worker.send(&endpoint, body).await.unwrap();
            assert_eq!(read(response).await.unwrap(), "ok");
            worker.pools.by_endpoint.borrow().values().for_each(|pool| pool.close());
        };
        let ((), (head, length)) = tokio::join!(client, served);
        let authority = endpoint.authority();
        assert_eq!(head.uri.to_string(), format!("https://{authority}/v1/chat/completions"));
        assert_eq!((head.headers.get("host"), length), (None, (1 << 20) + 2));
        assert_eq!(head.headers["content-length"], length.to_string());
    });
}

#[test]
fn requests_that_start_together_share_one_connection() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let requests = join_all((0..20).map(|_| async {
            let response = worker.send(&endpoint, bytes("{}")).await.unwrap();
            read(response).await.unwrap()
        }));
        let (answers, _upstream) = tokio::join!(requests, async {
            let mut upstream = Frames::accept(&server, MANY).await;
            for _ in 0..20 {
                let (stream, _) = upstream.request().await;
                upstream.answer(stream, "ok").await;
            }
            upstream
        });
        assert_eq!(answers, vec!["ok"; 20]);
        assert_eq!(worker.gauges.connections.get(), 1);
    });
}

#[test]
fn one_who_stops_waiting_for_the_shared_connection_does_not_stop_the_others() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let mut leader = Box::pin(worker.send(&endpoint, bytes("leader")));
        let mut follower = Box::pin(worker.send(&endpoint, bytes("follower")));
        // Both have begun to wait when this returns; the leader has begun to connect.
        futures::future::poll_fn(|cx| {
            assert!(leader.as_mut().poll(cx).is_pending() && follower.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(leader);
        let (response, body) = tokio::join!(follower, async {
            let mut upstream = Frames::accept(&server, MANY).await;
            let (stream, body) = upstream.request().await;
            upstream.answer(stream, "ok").await;
            body
        });
        assert_eq!(
            (read(response.unwrap()).await.unwrap().as_str(), &*body),
            ("ok", &b"follower"[..])
        );
    });
}

#[test]
fn more_streams_than_the_upstream_allows_open_another_connection() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let mut first = served_once(worker, &server, &endpoint, 2).await;
        let requests = join_all((0..4).map(|_| worker.send(&endpoint, bytes("{}"))));
        let (responses, _second) = tokio::join!(requests, async {
            let mut second = Frames::accept(&server, 2).await;
            for upstream in [&mut first, &mut second] {
                let (one, two) = (upstream.request().await.0, upstream.request().await.0);
                upstream.answer(one, "ok").await;
                upstream.answer(two, "ok").await;
            }
            second
        });
        assert_eq!(worker.gauges.connections.get(), 2);
        for response in responses {
            assert_eq!(read(response.unwrap()).await.unwrap(), "ok");
        }
    });
}

#[test]
fn a_refused_stream_was_not_processed_and_the_next_may_use_a_new_connection() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let (outcome, mut first) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Frames::accept(&server, MANY).await;
            let (stream, _) = upstream.request().await;
            upstream.resets(stream, REFUSED_STREAM).await;
            upstream
        });
        let error = outcome.err().unwrap();
        assert_eq!((error.kind(), error.sent()), (NotProcessed, Sent::Whole));
        let expected = format!(
            "{} refused the stream before it processed any of it",
            endpoint.authority()
        );
        assert_eq!(error.to_string(), expected);
        let (again, _second) = tokio::join!(worker.send_on_new(&endpoint, bytes("{}")), async {
            let mut upstream = Frames::accept(&server, MANY).await;
            let (stream, _) = upstream.request().await;
            upstream.answer(stream, "ok").await;
            upstream
        });
        assert_eq!(read(again.unwrap()).await.unwrap(), "ok");
        // The first connection still serves, and is still preferred.
        let (last, ()) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let (stream, _) = first.request().await;
            first.answer(stream, "first").await;
        });
        assert_eq!(read(last.unwrap()).await.unwrap(), "first");
    });
}

#[test]
fn a_connection_that_goes_away_ends_its_streams_and_takes_no_more() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let mut upstream = served_once(worker, &server, &endpoint, MANY).await;
        let both = async { tokio::join!(worker.send(&endpoint, bytes("1")), worker.send(&endpoint, bytes("2"))) };
        let ((processed, refused), kept) = tokio::join!(both, async {
            let (kept, _) = upstream.request().await;
            upstream.request().await;
            upstream.head(kept).await;
            upstream.goes_away(kept, NO_ERROR).await;
            kept
        });
        assert_eq!(row(refused), (NotProcessed, Sent::Whole));
        let (again, _second) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut second = Frames::accept(&server, MANY).await;
            let (stream, _) = second.request().await;
            second.answer(stream, "second").await;
            second
        });
        assert_eq!(read(again.unwrap()).await.unwrap(), "second");
        upstream.data(kept, "still ").await;
        upstream.data(kept, "here").await;
        upstream.resets(kept, NO_ERROR).await;
        assert_eq!(read(processed.unwrap()).await.unwrap(), "still here");
        upstream.is_gone().await;
    });
}

#[test]
fn an_idle_connection_that_went_away_is_replaced_without_a_word() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        for end in ["goaway", "close"] {
            let mut upstream = served_once(worker, &server, &endpoint, MANY).await;
            match end {
                "goaway" => upstream.goes_away(u32::MAX >> 1, NO_ERROR).await,
                _ => drop(upstream),
            }
            everything_is_noticed().await;
        }
        let _upstream = served_once(worker, &server, &endpoint, MANY).await;
    });
}

#[test]
fn what_is_lost_is_told_by_how_much_was_sent() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        for reset in [Some(INTERNAL_ERROR), None] {
            let (outcome, ()) = tokio::join!(worker.send_on_new(&endpoint, bytes("{}")), async {
                let mut upstream = Frames::accept(&server, MANY).await;
                let (stream, _) = upstream.request().await;
                if let Some(code) = reset {
                    upstream.resets(stream, code).await;
                    everything_is_noticed().await;
                }
            });
            assert_eq!(row(outcome), (Ambiguous, Sent::Whole));
            let (outcome, ()) = tokio::join!(worker.send_on_new(&endpoint, large()), async {
                let mut upstream = Frames::accept(&server, MANY).await;
                let stream = upstream.opened().await;
                if let Some(code) = reset {
                    upstream.resets(stream, code).await;
                    everything_is_noticed().await;
                }
            });
            assert_eq!(row(outcome), (BodyNotSent, Sent::Part));
        }
    });
}

#[test]
fn an_answer_cut_short_is_an_error() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        for reset in [true, false] {
            let (response, ()) = tokio::join!(worker.send_on_new(&endpoint, bytes("{}")), async {
                let mut upstream = Frames::accept(&server, MANY).await;
                let (stream, _) = upstream.request().await;
                upstream.head(stream).await;
                upstream.data(stream, "begun").await;
                if reset {
                    upstream.resets(stream, INTERNAL_ERROR).await;
                }
                everything_is_noticed().await;
            });
            let error = read(response.unwrap()).await.unwrap_err();
            let why = match reset {
                true => "unexpected internal error encountered",
                false => "the connection was closed before the answer was complete",
            };
            assert_eq!(error.to_string(), format!("the answer broke off: {why}"));
        }
    });
}

#[test]
fn dropping_resets_the_stream_and_keeps_the_connection() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let mut upstream = served_once(worker, &server, &endpoint, MANY).await;
        // Before the answer: with the body sent, and with the body still waiting to be sent.
        for body in [bytes("{}"), large()] {
            let stream = {
                let sending = std::pin::pin!(worker.send(&endpoint, body));
                tokio::select! {
                    _ = sending => panic!("it ended"),
                    stream = upstream.opened() => stream,
                }
            };
            assert_eq!(upstream.reset().await, (stream, CANCEL));
            upstream.grants(stream, 1 << 20).await;
        }
        // Within the answer.
        let (response, stream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let (stream, _) = upstream.request().await;
            upstream.head(stream).await;
            upstream.data(stream, "first").await;
            stream
        });
        let mut response = response.unwrap();
        assert!(response.reused);
        assert_eq!(response.body.next().await.unwrap().unwrap(), "first");
        drop(response);
        assert_eq!(upstream.reset().await, (stream, CANCEL));
        assert_eq!(worker.gauges.connections.get(), 1);
    });
}

#[test]
fn a_body_that_outlives_its_answer_ends_with_its_connection() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let mut first = served_once(worker, &server, &endpoint, MANY).await;
        let body = large();
        let (response, ()) = tokio::join!(worker.send(&endpoint, body.clone()), async {
            let stream = first.opened().await;
            first.answer(stream, "too large").await;
        });
        assert_eq!(read(response.unwrap()).await.unwrap(), "too large");
        let _second = served_once(worker, &server, &endpoint, MANY).await;
        first.is_gone().await;
        assert!(body.is_unique(), "nothing holds the body any more");
        assert_eq!(worker.gauges.connections.get(), 1);
    });
}

#[test]
fn an_idle_connection_is_closed_in_time() {
    on_a_worker(async |worker| {
        let (server, endpoint) = secure().await;
        let mut upstream = served_once(worker, &server, &endpoint, MANY).await;
        let sweeps = (1..100).find(|_| !worker.pools.sweep());
        assert_eq!(sweeps, Some(50));
        upstream.is_gone().await;
    });
}
