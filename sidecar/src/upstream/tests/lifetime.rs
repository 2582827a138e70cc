//! What cancels, what is swept, what is left.

use super::*;
use std::pin::pin;

/// Polls `sending` until `upstream` is through, and then drops it.
async fn abandon<T>(
    sending: impl Future<Output = Result<Response, SendError>>,
    upstream: impl Future<Output = T>,
) -> T {
    let sending = pin!(sending);
    tokio::select! {
        outcome = sending => panic!("it ended: {:?}", outcome.map(|response| response.head)),
        upstream = upstream => upstream,
    }
}

#[test]
fn dropping_the_wait_for_an_answer_closes_the_connection() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let mut upstream = abandon(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.request().await;
            upstream
        })
        .await;
        assert_eq!(worker.gauges.connections.get(), 0);
        upstream.is_gone().await;
    });
}

#[test]
fn dropping_a_body_early_closes_the_connection() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.request().await;
            upstream
                .write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                .await;
            upstream
        });
        let mut response = response.unwrap();
        assert_eq!(response.body.next().await.unwrap().unwrap(), "first");
        drop(response);
        assert_eq!(worker.gauges.connections.get(), 0);
        upstream.is_gone().await;
    });
}

#[test]
fn an_upstream_that_reads_nothing_holds_nobody_who_has_given_up() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let body = OutBody::from(large());
        let progress = body.progress();
        let upstream = abandon(worker.send(&endpoint, body), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.head().await;
            upstream
        })
        .await;
        assert_eq!((worker.gauges.connections.get(), progress.sent()), (0, Sent::Part));
        drop(upstream);
    });
}

#[test]
fn a_slow_stream_is_read_piece_by_piece_as_it_comes() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.request().await;
            upstream
                .write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .await;
            upstream
        });
        let mut response = response.unwrap();
        for index in 0..300 {
            let (piece, ()) = tokio::join!(response.body.next(), upstream.write(format!("4\r\n{index:04}\r\n")));
            assert_eq!(piece.unwrap().unwrap(), format!("{index:04}"));
        }
        let (end, ()) = tokio::join!(response.body.next(), upstream.write("0\r\n\r\n"));
        assert!(end.is_none());
        let (next, ()) = tokio::join!(worker.send(&endpoint, bytes("{}")), upstream.answer("ok"));
        assert!(next.unwrap().reused);
    });
}

#[test]
fn a_flood_of_pieces_wakes_the_reader_for_every_one() {
    // More than tokio lets a task do in one go: a wake-up that got lost would hang here.
    const PIECES: usize = 2000;
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.request().await;
            upstream
                .write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                .await;
            upstream
        });
        let flood = "1\r\nx\r\n".repeat(PIECES) + "0\r\n\r\n";
        let (text, ()) = tokio::join!(read(response.unwrap()), upstream.write(flood));
        assert_eq!(text.unwrap(), "x".repeat(PIECES));
    });
}

#[test]
fn an_endpoint_that_never_answered_is_forgotten() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        drop(listener);
        assert!(worker.send(&endpoint, bytes("{}")).await.is_err());
        assert_eq!(worker.pools.by_endpoint.borrow().len(), 1);
        assert!(!worker.pools.sweep());
        assert!(worker.pools.by_endpoint.borrow().is_empty());
    });
}

#[test]
fn a_connection_closed_while_it_idles_is_swept_away() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.answer("ok").await;
            upstream
        });
        read(response.unwrap()).await.unwrap();
        assert!(worker.pools.sweep(), "it idles");
        drop(upstream);
        everything_is_noticed().await;
        assert!(!worker.pools.sweep(), "nothing is left to sweep");
        assert_eq!(worker.gauges.connections.get(), 0);
        assert!(
            worker.pools.by_endpoint.borrow().is_empty(),
            "an unused pool is forgotten"
        );
    });
}

#[test]
fn a_connection_that_nobody_uses_is_closed_in_time() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.answer("ok").await;
            upstream
        });
        read(response.unwrap()).await.unwrap();
        let sweeps = (1..100).find(|_| !worker.pools.sweep());
        assert_eq!((sweeps, worker.gauges.connections.get()), (Some(50), 0));
        upstream.is_gone().await;
    });
}

#[test]
fn the_sweeper_runs_by_itself_while_something_idles() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.answer("ok").await;
            upstream
        });
        read(response.unwrap()).await.unwrap();
        upstream.says_no_more().await;
        upstream.is_gone().await;
        assert_eq!(worker.gauges.connections.get(), 0);
        assert!(!worker.pools.shared.sweeping.get(), "it sleeps again");
    });
}

#[test]
fn closed_pools_keep_nothing_and_let_answers_end() {
    on_a_worker(async |worker| {
        let (listener, endpoint) = plain().await;
        let (response, mut upstream) = tokio::join!(worker.send(&endpoint, bytes("{}")), async {
            let mut upstream = Script::accept(&listener).await;
            upstream.request().await;
            upstream.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await;
            upstream
        });
        worker.pools.close();
        let (text, ()) = tokio::join!(read(response.unwrap()), upstream.write("ok"));
        assert_eq!((text.unwrap().as_str(), worker.gauges.connections.get()), ("ok", 0));
        upstream.is_gone().await;
    });
}

#[test]
fn another_credential_never_uses_this_ones_connection() {
    on_a_worker(async |worker| {
        let (listener, _) = plain().await;
        let url = format!("http://{}", listener.local_addr().unwrap());
        let first = Endpoint::parse(&url, None, "1").unwrap();
        let second = Endpoint::parse(&url, None, "2").unwrap();
        let mut upstreams = Vec::new();
        for endpoint in [&first, &second] {
            let (response, upstream) = tokio::join!(worker.send(endpoint, bytes("{}")), async {
                let mut upstream = Script::accept(&listener).await;
                upstream.answer("ok").await;
                upstream
            });
            let response = response.unwrap();
            assert!(!response.reused);
            read(response).await.unwrap();
            upstreams.push(upstream);
        }
        // The same settings read again, in the next snapshot, are the same pool.
        let again = Endpoint::parse(&url, None, "1").unwrap();
        let (response, ()) = tokio::join!(worker.send(&again, bytes("{}")), upstreams[0].answer("ok"));
        assert!(response.unwrap().reused);
    });
}
